from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clusterlab.cli.verb import INVENTORY, JSON, PLAYBOOKS, Call, err, out, verb
from clusterlab.pipeline.lock import Exclusive, Lock, Unlocked

if TYPE_CHECKING:
    from clusterlab.nightly.leftovers import Leftover
    from clusterlab.progress import Progress


LOOK = Unlocked("only looks")


@verb(
    Exclusive("gc"),  # of each lab that it removes something of
    {
        "remove": "remove what is shown",
        "hosts": "also look for objects on the hosts of the inventory",
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "days": "labs, saved labs and images unused for this many days count as left over",
        "keep_runs": "how many runs of each lab are kept",
        "keep_days": "for how many days runs are kept",
        "json": JSON,
    },
)
def gc(
    call: Call,
    remove: bool = False,
    hosts: bool = False,
    inventory: str = "",
    playbooks: str = "playbooks",
    days: int = 30,
    keep_runs: int = 30,
    keep_days: int = 90,
    json: str = "",
) -> None:
    """Show leftovers: labs, images, runs, objects on hosts; --remove removes them."""
    from clusterlab.errors import UsageError
    from clusterlab.nightly import leftovers
    from clusterlab.nightly.runs import check_retention
    from clusterlab.reports.progress import progress_on
    from clusterlab.reports.summary import write_json

    check_retention(keep_runs, keep_days)
    if days < 0:
        raise UsageError("--days cannot be less than 0", remedy="For example --days 30.")
    lock = call.lock if remove else LOOK
    with progress_on(err()) as progress, _on_hosts(hosts, inventory, playbooks, days, lock, progress) as objects:
        found = [
            *leftovers.of_labs(days, progress),
            *leftovers.of_saved_labs(days),
            *leftovers.of_cache(days),
            *leftovers.of_runs(keep_runs, keep_days),
            *objects,
        ]
        if json:
            shown = [{"kind": one.kind, "name": one.name, "why": one.why, "bytes": one.size} for one in found]
            write_json(Path(json), {"left_over": shown, "removed": remove})
        if json != "-":
            _show(found, remove)
        if remove:
            _remove(found, progress)


@contextmanager
def _on_hosts(
    wanted: bool, inventory: str, playbooks: str, days: float, lock: Lock, progress: Progress
) -> Iterator[list[Leftover]]:
    """Leftovers on hosts; their connections stay open as long as they may be removed."""
    from clusterlab.cli.locations import inventory_path, is_shipped, playbooks_path
    from clusterlab.model import load_inventory, play_names
    from clusterlab.nightly.objects import of_hosts
    from clusterlab.pipeline.session import open_session

    if not wanted:
        yield []
        return
    path = inventory_path(inventory)
    lab = load_inventory(path)
    here = Path(playbooks).is_dir() or is_shipped(path)
    names = play_names(playbooks_path(playbooks, (), path)) if here else []  # also works where there are no plays
    with open_session(lab, progress, lock) as session:
        yield of_hosts(lab, names, session.hosts, days, progress)


def _show(found: list[Leftover], removing: bool) -> None:
    from clusterlab.reports.tables import bytes_text, show_rows

    if not found:
        out().print("Nothing is left over.")
        return
    rows = [{"kind": one.kind, "name": one.name, "size": bytes_text(one.size), "why": one.why} for one in found]
    show_rows(out(), ["kind", "name", "size", "why"], rows)
    if not removing and any(one.remove for one in found):
        out().print("`clusterlab gc --remove` removes this, with the same options.")


def _remove(found: list[Leftover], progress: Progress) -> None:
    """Remove each; what cannot be removed is reported at the end and hides no other."""
    from clusterlab.errors import ClusterlabError, Several

    failed: list[ClusterlabError] = []
    for one in found:
        if one.remove is None:
            continue
        try:
            with progress.task(one.kind, f"removing {one.name}"):
                one.remove()
        except ClusterlabError as error:
            failed.append(error)
    if failed:
        raise Several(failed)
