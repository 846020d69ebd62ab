from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from clusterlab.cli.verb import INVENTORY, JSON, Call, err, out, verb
from clusterlab.pipeline.lock import Unlocked

if TYPE_CHECKING:
    from clusterlab.doctor.run import Scope
    from clusterlab.stacks import Stack


@verb(
    Unlocked("reads only"),
    {
        "hosts": "a host as you write it for ssh; a manager is enough, the other nodes are found through the Swarm",
        "inventory": INVENTORY,
        "explain": "print the article on a code, such as CL305, without contacting a host",
        "probe": "also send packets between the nodes, and mount their NFS volumes for a moment; leaves nothing behind",
        "stack": "also show what the stack of this file would meet there (repeated ones are merged)",
        "json": JSON,
        "diff": "also show what differs from the last run",
    },
    lists=("hosts", "stack"),
)
def doctor(
    call: Call,
    hosts: list[str],
    stack: list[str],
    inventory: str = "",
    explain: str = "",
    probe: bool = False,
    json: str = "",
    diff: bool = False,
) -> None:
    """Name what is wrong with a cluster, seen from every node; changes nothing."""
    if explain:
        _explain(explain)
        return
    from dataclasses import replace

    from clusterlab.doctor.examination import difference, keep, last_run
    from clusterlab.doctor.run import examined
    from clusterlab.reports.doctor import show_examination
    from clusterlab.reports.progress import progress_on
    from clusterlab.reports.summary import write_json

    scope = replace(_scope(hosts, inventory), probe=probe, stack=_stack(stack))
    with progress_on(err()) as progress:
        run = examined(scope, progress)
    document = run.document()
    kept = last_run(scope.name, hosts)
    different = difference(kept, document) if diff else None
    keep(kept, document)
    if json:
        write_json(Path(json), {**document, "difference": vars(different) if different else None})
    if json != "-":
        show_examination(out(), run, different)
    raise Exit(code=run.exit_code)


def _explain(code: str) -> None:
    from clusterlab.doctor.article import article
    from clusterlab.doctor.codes import DIAGNOSES
    from clusterlab.errors import UsageError
    from clusterlab.model.problems import suggest

    if code.upper() not in DIAGNOSES:
        raise UsageError(f"there is no code {code!r}", remedy=suggest(code.upper(), DIAGNOSES, "Codes"))
    out().print(article(DIAGNOSES[code.upper()]), highlight=False, markup=False)


def _stack(files: list[str]) -> Stack | None:
    """The stack of the files; raises InvalidFiles with all that is wrong with them."""
    from clusterlab.stacks import load_stack

    return load_stack(files).valid() if files else None


def _scope(hosts: list[str], inventory: str) -> Scope:
    from clusterlab.cli.locations import inventory_path
    from clusterlab.doctor.run import of_hosts, of_lab
    from clusterlab.errors import UsageError
    from clusterlab.model import load_inventory

    if hosts and inventory:
        raise UsageError("hosts and an inventory cannot be combined", remedy="Name hosts, or one inventory with -i.")
    return of_hosts(hosts) if hosts else of_lab(load_inventory(inventory_path(inventory)))
