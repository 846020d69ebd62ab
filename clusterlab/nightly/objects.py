"""Objects on hosts that bear the label of a lab or play that is no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from clusterlab.errors import ClusterlabError, Several
from clusterlab.model import Lab
from clusterlab.nightly.leftovers import Leftover
from clusterlab.plan import clean
from clusterlab.plan.graph import carry_out
from clusterlab.progress import Progress
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.reports.plan import report_summary
from clusterlab.resources.base import LABEL_LAB, LABEL_PLAY

Owner = tuple[str, str]  # lab and play


def of_hosts(lab: Lab, plays: Collection[str], hosts: Hosts, progress: Progress) -> list[Leftover]:
    """What stands on the lab's Docker hosts for another lab, or for plays that are not among `plays`.

    Raises ClusterlabError naming the hosts that could not be asked.
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
        *(
            _of_lab(other, lab.name, sum(n for (owner, _), n in found.items() if owner == other), hosts, progress)
            for other in others
        ),
        *(_of_play(play, found[lab.name, play]) for play in gone),
    ]


def _owned_by(lab: str, found: Counter[Owner]) -> int:
    return sum(number for (owner, _), number in found.items() if owner == lab)


def _of_lab(other: str, lab: str, number: int, hosts: Hosts, progress: Progress) -> Leftover:
    why = f"{number} objects of the lab {other} on hosts of {lab}"
    return Leftover("objects", other, why, remove=_cleaning(other, hosts, progress))


def _of_play(play: str, number: int) -> Leftover:
    why = f"{number} objects of a play that is no longer there; `clusterlab clean` removes all of the lab's"
    return Leftover("objects", play, why)


def _cleaning(lab: str, hosts: Hosts, progress: Progress) -> Callable[[], None]:
    def remove() -> None:
        report = carry_out(clean.clean(lab, hosts), progress)
        for change in report.blocked:
            progress.say(change.key.host, f"{change.key.kind} {change.key.name} is kept: {change.blocked}")
        if report.failed or report.interrupted:
            raise ClusterlabError(
                f"objects of the lab {lab}: {report_summary(report)}",
                detail="\n".join(f"{one.change.key}: {one.error.message}" for one in report.failed),
            )

    return remove


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
