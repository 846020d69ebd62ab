"""What must be so before anything is created for the test, as far as the cluster was asked."""

from __future__ import annotations

from collections.abc import Sequence

from clusterlab.errors import ClusterlabError
from clusterlab.model.playbook import Play
from clusterlab.model.problems import listed

from .subject import Subject
from .survey import Stray

_SHOWN = 5  # objects of other labs' tests, in a message


class NotTestable(ClusterlabError):
    """A cluster on which nothing may be created for the test."""


def require_members(subject: Subject) -> None:
    """Raise NotTestable for a node of another Swarm."""
    for name in subject.seen.strangers if subject.seen else ():
        if name in subject.nodes:
            raise NotTestable(
                f"{name} is a node of another Swarm: nothing was created",
                remedy=f"`clusterlab ssh {name}` shows which machine is reached; correct its address in the inventory, "
                "or its HostName in your SSH configuration.",
            )


def require_machines(subject: Subject) -> None:
    """Raise NotTestable for nodes on which the image does not run, which is built for machines like this computer."""
    machines = subject.seen.machines if subject.seen else {}
    others = [
        f"{node} ({machines[node]})"
        for node in subject.nodes
        if node in machines and subject.machine not in ("", machines[node])
    ]
    if others:
        raise NotTestable(
            f"the image of the test is built for {subject.machine}, as this computer is: {', '.join(others)}",
            remedy="--node for each of the others tests these; for all, run it on a computer like them.",
        )


def require_free(subject: Subject, made: Play) -> None:
    """Raise NotTestable when something of another lab's test has names or ports that this one needs."""
    strays = subject.seen.strays if subject.seen else ()
    for lab in sorted({one.lab for one in strays}):
        some = [one for one in strays if one.lab == lab and _is_in_the_way(one, made)]
        if some:
            where = "" if all(one.here for one in some) else " on the computer that created it,"
            raise NotTestable(
                f"the test of the lab {lab} left {described(some)}: nothing was created",
                remedy=f"`clusterlab clean -i INVENTORY`{where} with the inventory of that lab removes it; "
                "`clusterlab labs` shows where that inventory is.",
            )


def _is_in_the_way(stray: Stray, made: Play) -> bool:
    return stray.name in made.volumes if stray.kind == "volume" else stray.kind != "drained node"


def described(strays: Sequence[Stray]) -> str:
    """The first of them and how many more there are, and who created them."""
    names, more = [str(one) for one in strays[:_SHOWN]], len(strays) - _SHOWN
    creators = sorted({one.by for one in strays} - {""})
    shown = listed([*names, f"{more} more"] if more > 0 else names)
    return f"{shown}, created by {listed(creators)}" if creators else shown
