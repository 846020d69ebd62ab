"""Objects on hosts that have the label of a lab or play that no longer exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from clusterlab.errors import ClusterlabError, Several
from clusterlab.machines.record import Record, UnreadableRecord
from clusterlab.machines.state import LabState
from clusterlab.model import Lab, load_inventory
from clusterlab.nightly.labs import is_gone
from clusterlab.nightly.leftovers import Leftover, idle_days
from clusterlab.plan import clean
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Progress
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.reports.plan import report_summary
from clusterlab.resources.base import LABEL_LAB, LABEL_PLAY

Owner = tuple[str, str]  # lab and play


def of_hosts(lab: Lab, plays: Collection[str], hosts: Hosts, days: float, progress: Progress) -> list[Leftover]:
    """Objects on the lab's Docker hosts of another lab, or of unknown plays.

    Unknown are plays that are not among `plays`.

    What another lab has can be removed only if that lab was this user's on this workstation, its inventory is gone and
    it was not used for `days`. Raises ClusterlabError naming the hosts that could not be asked.
    """
    names = [name for name, host in lab.inventory.hosts.items() if "docker" in host.roles]
    answers = hosts.each(names, _owners)
    failed = [answer for answer in answers.values() if isinstance(answer, ClusterlabError)]
    if failed:
        raise Several(failed)
    found = Counter[Owner]()
    for answer in answers.values():
        if not isinstance(answer, ClusterlabError):
            found += answer
    others = sorted({owner for owner, _ in found} - {lab.name})
    gone = sorted({play for owner, play in found if owner == lab.name} - set(plays))
    return [
        *(_of_lab(other, lab, _owned_by(other, found), hosts, days, progress) for other in others),
        *(_of_play(play, found[lab.name, play]) for play in gone),
    ]


def _owned_by(lab: str, found: Counter[Owner]) -> int:
    return sum(number for (owner, _), number in found.items() if owner == lab)


def _of_lab(other: str, lab: Lab, number: int, hosts: Hosts, days: float, progress: Progress) -> Leftover:
    why = f"{number} objects of the lab {other} on hosts of {lab.name}"
    if reason := _why_kept(other, lab, days):
        return Leftover("objects", other, f"{why}: {reason}")
    return Leftover("objects", other, why, remove=lambda: _clean(other, lab, hosts, days, progress))


def _of_play(play: str, number: int) -> Leftover:
    why = f"{number} objects of a play that no longer exists; `clusterlab clean` removes all of the lab's"
    return Leftover("objects", play, why)


def _why_kept(other: str, lab: Lab, days: float) -> str:
    """Why the objects of another lab are kept.

    "" when the lab was this user's on this workstation, and has ended.
    """
    try:
        record = LabState(other).read()
    except UnreadableRecord as error:
        return error.message
    if record is None:
        return "no such lab is known here, so somebody else may use it"
    if not record.is_mine:
        return f"it is of {record.owner}"
    addresses = {host.address for host in lab.inventory.hosts.values()}
    if not addresses & {host.address for host in record.inventory.hosts.values()}:
        return "the lab of that name that is known here has other hosts"
    if used := _where_used(record, other):
        return f"it is still in {used}: `clusterlab clean` there removes them"
    idle = idle_days(LabState(other).folder)
    return "" if idle >= days else f"its inventory is gone, but it was used {idle:.0f} days ago (see --days)"


def _where_used(record: Record, lab: str) -> Path | None:
    """Where the lab's inventory still is; None when it is gone."""
    if record.file is None:
        return None if is_gone(record.folder) else record.folder
    return record.file if _names(record.file, lab) else None


def _names(file: Path, lab: str) -> bool:
    """Whether an inventory exists and says that it is this lab's.

    One that cannot be read may be.
    """
    if not file.exists():
        return False
    try:
        return load_inventory(file).name == lab
    except ClusterlabError:
        return True


def _clean(other: str, lab: Lab, hosts: Hosts, days: float, progress: Progress) -> None:
    with LabState(other).lock("gc"):
        if reason := _why_kept(other, lab, days):
            raise ClusterlabError(f"objects of the lab {other} are kept: {reason}")
        report = carry_out(clean.clean(other, hosts, only=clean.from_here), progress)
    for change in report.blocked:
        progress.say(change.key.host, f"{change.key.kind} {change.key.name} is kept: {change.blocked}")
    if report.interrupted:
        raise KeyboardInterrupt
    if report.failed:
        raise ClusterlabError(
            f"objects of the lab {other}: {report_summary(report)}",
            detail="\n".join(f"{one.change.key}: {one.error.message}" for one in report.failed),
        )


def _owners(host: Host) -> Counter[Owner]:
    only = {"label": LABEL_LAB}
    with engine_errors(host, "list its objects"):
        client = host.docker
        listed = [
            *client.containers(all=True, filters=only),
            *(client.volumes(filters=only).get("Volumes") or []),
            *client.networks(filters=only),
        ]
    labels = [item.get("Labels") or {} for item in listed]
    return Counter((each.get(LABEL_LAB, ""), each.get(LABEL_PLAY, "")) for each in labels)
