"""What the test's objects are called, and its ports.

Every name begins as no name of a person's play can. A node's name has no underscore, so no two of the test's own names
are the same; that of the container which is probed by its name stays below the 63 characters that DNS allows.
"""

from __future__ import annotations

from clusterlab.model.reserved import OBJECT_PREFIX, reserved

TITLE = "test-cluster"
"""What the play of the test is called on the command line, in results and in reports."""
PLAY = IMAGE = reserved(TITLE)
"""What it is called in a lab and in labels: no play of a person has this name, and no image of an inventory."""
NETWORK, SEALED, APART = (f"{OBJECT_PREFIX}{name}" for name in ("test_net", "encrypted_net", "apart_net"))
WEB, PAIR, EACH, SPREAD = (f"{OBJECT_PREFIX}{name}_service" for name in ("web", "pair", "each", "spread"))
PORT = 29517
"""The first of PORTS in a row that nodes publish while the test runs.

Below those that kernels give connections (32768 and up), one of which could have it at any moment, and those that
Swarm chooses for services (30000 and up).
"""
PORTS = 3
"""For containers, for a service on every node, and for the tasks of a service each on its own."""
FLOOR = "1M"
"""What each node must download from every other in a second."""
SHARED_AT = "/shared"
"""Where the test's containers have an export."""


def probe(node: str) -> str:
    """The container of a node that probes and is probed."""
    return f"{OBJECT_PREFIX}{node}"


def sealed(node: str) -> str:
    """The container of a node on the encrypted network."""
    return f"{OBJECT_PREFIX}encrypted_{node}"


def apart(node: str) -> str:
    """The container of a node on the network that the others do not share."""
    return f"{OBJECT_PREFIX}apart_{node}"


def shared(index: int, node: str) -> str:
    """The container of a node with one of the exports."""
    return f"{OBJECT_PREFIX}shared{index}_{node}"


def share(index: int) -> str:
    """The volume for one of the exports."""
    return f"{OBJECT_PREFIX}shared{index}_volume"


def folder(mark: str, of: str) -> str:
    """The folder of a statement on an export, as the containers of the test have it mounted.

    `mark` is that of the cluster: another one may have the same export, and be tested at the same time.
    """
    return f"{SHARED_AT}/clusterlab-test-cluster-{mark}-{of}"
