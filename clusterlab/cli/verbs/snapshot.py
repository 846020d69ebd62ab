from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clusterlab.cli.verb import DRY_RUN, INVENTORY, JSON, Call, out, verb
from clusterlab.pipeline.lock import Exclusive, Unlocked

if TYPE_CHECKING:
    from clusterlab.machines.snapshots import Snapshot


@verb(
    Exclusive("snapshot"),
    {
        "snapshot": "the snapshot's name",
        "inventory": INVENTORY,
        "remove": "remove that snapshot instead",
        "dry_run": DRY_RUN,
    },
    interrupted="the machines keep running, and nothing was saved.",
)
def snapshot(call: Call, snapshot: str = "", inventory: str = "", remove: bool = False, dry_run: bool = False) -> None:
    """Save all running machines at one moment; `restore` restores them."""
    from clusterlab.cli.dry_run import show_snapshot
    from clusterlab.cli.session import session
    from clusterlab.machines.snapshots import snapshots_of

    with session(call.dry(dry_run), inventory) as lab:
        if dry_run:
            show_snapshot(out(), lab.machines, snapshot, remove)
            return
        snapshots = snapshots_of(lab.machines)
        if remove:
            snapshots.remove(snapshot)
            lab.progress.say(lab.lab.name, f"removed the snapshot {snapshot}")
        else:
            snapshots.take(snapshot, lab.progress)


@verb(
    Exclusive("restore"),
    {"snapshot": "the snapshot's name", "inventory": INVENTORY, "dry_run": DRY_RUN},
    interrupted="`clusterlab restore NAME` starts over, `clusterlab up` starts what is not running.",
)
def restore(call: Call, snapshot: str = "", inventory: str = "", dry_run: bool = False) -> None:
    """Restore all machines from a snapshot, whether they run or not."""
    from clusterlab.cli.dry_run import show_restore
    from clusterlab.cli.session import session
    from clusterlab.machines.snapshots import snapshots_of
    from clusterlab.reports.terminal import show_status

    with session(call.dry(dry_run), inventory) as lab:
        if dry_run:
            show_restore(out(), lab.machines, snapshot)
            return
        snapshots_of(lab.machines).restore(snapshot, lab.progress)
        statuses = lab.machines.status()
    show_status(out(), statuses)


@verb(Unlocked("reads only"), {"inventory": INVENTORY, "json": JSON})
def snapshots(call: Call, inventory: str = "", json: str = "") -> None:
    """List the lab's snapshots, and whether each still fits the lab."""
    from clusterlab.cli.session import session
    from clusterlab.machines.snapshots import snapshots_of
    from clusterlab.reports.summary import write_json

    with session(call, inventory) as lab:
        known = snapshots_of(lab.machines).known()
        name = lab.lab.name
    if json:
        write_json(Path(json), {"lab": name, "snapshots": [_document(one) for one in known]})
    if json != "-":
        _show(name, known)


def _document(one: Snapshot) -> dict[str, object]:
    taken = one.taken.isoformat() if one.taken else None
    shown = {"name": one.name, "taken": taken, "bytes": one.size, "machines": list(one.machines)}
    return {**shown, "fits": not one.incompatibilities, "incompatibilities": list(one.incompatibilities)}


def _show(lab: str, known: list[Snapshot]) -> None:
    from datetime import UTC, datetime

    from clusterlab.reports.tables import age_text, bytes_text, show_rows

    if not known:
        out().print(f"Lab {lab} has no snapshot; `clusterlab snapshot NAME` creates one.", soft_wrap=True)
        return
    now = datetime.now(UTC)
    rows = [
        {
            "name": one.name,
            "age": age_text(one.taken, now) if one.taken else "?",
            "size": bytes_text(one.size),
            "machines": " ".join(one.machines),
            "fits": f"no: {'; '.join(one.incompatibilities)}" if one.incompatibilities else "yes",
        }
        for one in known
    ]
    show_rows(out(), list(rows[0]), rows)
