"""The verb that tests the connectivity of any Swarm, without a play."""

# ruff: noqa: PT028  # it is called test-cluster, and is not a test of pytest

from __future__ import annotations

from clusterlab.cli.verb import INVENTORY, JSON, Call, err, out, verb
from clusterlab.cli.verbs.check import HTML, JUNIT, STRICT
from clusterlab.connectivity.names import FLOOR, PORT
from clusterlab.pipeline.lock import Exclusive


@verb(
    Exclusive("test-cluster"),
    {
        "manager": "a manager of the Swarm, as for ssh ([USER@]HOST): its nodes are found without an inventory",
        "inventory": INVENTORY,
        "node": "test only this node; can be repeated",
        "only": "test only this property, as --list shows it; can be repeated",
        "list": "list the properties and exit",
        "quick": "skip what takes longer",
        "outside": "the URL of a page outside the cluster that containers must reach",
        "floor": "what each node must download from every other in a second",
        "port": "the first of three free ports that the nodes publish during the test",
        "json": JSON,
        "junit": JUNIT,
        "html": HTML,
        "strict": STRICT,
        "dry_run": "show what would be created for the test, and tested",
    },
    lists=("node", "only"),
    interrupted="`clusterlab test-cluster` removes what remains, and starts again.",
)
def test_cluster(
    call: Call,
    node: list[str],
    only: list[str],
    manager: str = "",
    inventory: str = "",
    list: bool = False,
    quick: bool = False,
    outside: str = "",
    floor: str = FLOOR,
    port: int = PORT,
    json: str = "",
    junit: str = "",
    html: str = "",
    strict: bool = False,
    dry_run: bool = False,
) -> None:
    """Test whether all nodes of a Swarm can work together.

    Every pair of nodes is tested. Everything created for the test is removed.
    """
    from clusterlab.cli.cluster_test import carry_out, show_properties
    from clusterlab.cli.dry_run import show_cluster_test
    from clusterlab.cli.locations import inventory_path
    from clusterlab.connectivity.discovery import discovered
    from clusterlab.connectivity.play import Options, with_test
    from clusterlab.errors import UsageError
    from clusterlab.model import load_inventory
    from clusterlab.reports.progress import progress_on

    if list:
        show_properties()
        return
    if manager and inventory:
        raise UsageError("a manager and --inventory are mutually exclusive", remedy="Give one of them.")
    options = Options(node, only, quick, port, outside, floor)
    with progress_on(err()) as progress:
        path = discovered(manager, progress) if manager else inventory_path(inventory)
        if dry_run:
            show_cluster_test(out(), with_test(load_inventory(path), options))
            return
        output = carry_out(call, path, options, progress, json=json, junit=junit, html=html, strict=strict)
    output.finish()
