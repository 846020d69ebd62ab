"""What the test's objects are called, and its ports. The names are long, so that they meet nobody else's."""

from __future__ import annotations

from clusterlab.model.reserved import reserved

TITLE = "test-cluster"
"""What the play of the test is called on the command line, in results and in reports."""
PLAY = IMAGE = reserved(TITLE)
"""What it is called in a lab and in labels: no play of a person has this name, and no image of an inventory."""
NETWORK, SEALED, APART = "test-cluster", "test-cluster-encrypted", "test-cluster-apart"
WEB, PAIR = "test-cluster-web", "test-cluster-pair"
SHARED = "test-cluster-shared"
PORT = 37517
"""The first of two ports in a row that nodes publish while the test runs."""


def probe(node: str) -> str:
    """The container of a node that probes and is probed."""
    return f"test-cluster-{node}"


def sealed(node: str) -> str:
    """The container of a node on the encrypted network."""
    return f"test-cluster-encrypted-{node}"


def apart(node: str) -> str:
    """The container of a node on the network that the others do not share."""
    return f"test-cluster-apart-{node}"


def shared(index: int, node: str) -> str:
    """The container of a node with one of the exports."""
    return f"{SHARED}{index}-{node}"
