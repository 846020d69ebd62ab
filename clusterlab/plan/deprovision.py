"""Taking back what provision added to hosts that stay.

The opposite of provision, from the hosts' own records.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from clusterlab.errors import ClusterlabError
from clusterlab.plan import clean
from clusterlab.plan.provision import kinds, require_root, unreachable, with_engine
from clusterlab.progress import Progress, Silent
from clusterlab.remote import Host, Hosts
from clusterlab.resources import questions, record
from clusterlab.resources import system as systems
from clusterlab.resources.base import Change, Key, Skipped
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope

_IN_USE = ("swarm", "engine", "unit", "initiator", "lun")  # kinds that stay because somebody uses them
_REASON = "clusterlab provision added it"


@dataclass(frozen=True)
class Withdrawal:
    """What is taken back, in order, and what stays, with the reasons."""

    changes: list[Change]
    kept: list[Skipped]


def deprovision(lab: str, hosts: Hosts, allowed: Collection[str] = (), progress: Progress | None = None) -> Withdrawal:
    """The changes that take back what provision added for a lab.

    Nothing is changed here.

    Hosts are restored to what they recorded before their first change. Packages and the Swarm stay unless `allowed` has
    `--packages` and `--swarm`. Raises ClusterlabError while objects of the lab remain on the hosts, since they need
    what would go.
    """
    if left := clean.left_over(lab, hosts):
        raise ClusterlabError(
            f"objects of the lab {lab} are still on its hosts: {', '.join(left[:5])}{', ...' if left[5:] else ''}",
            remedy="Remove them first with `clusterlab clean`.",
        )
    answers = hosts.each(list(hosts), lambda host: _observe(lab, host))
    errors = {name: error for name, error in answers.items() if isinstance(error, ClusterlabError)}
    pending: dict[Key, Change] = {}
    scope = Scope(
        lab,
        {name: at for name, at in answers.items() if isinstance(at, Observed)},
        progress=progress or Silent(),
        pending=pending,
        allowed=frozenset(allowed),
    )
    kept: list[Skipped] = []
    stays: list[Key] = []
    for kind in reversed(kinds()):
        for key, found in kind.observe(scope).items():
            if not kind.owns(lab, found):
                continue
            why = kind.kept(scope, key, found)
            if not why and kind.name == "package" and (users := [one for one in stays if one.host == key.host]):
                why = f"what stays on {key.host} may need it: {', '.join(f'{one.kind} {one.name}' for one in users)}"
            change = None if why else kind.remove(scope, key, found, _REASON)
            if change:  # what was added last goes first, one after the other on each host
                before = frozenset(one for one in pending if one.host == key.host)
                pending[change.key] = replace(change, needs=change.needs | before)
            if why and kind.name in _IN_USE:
                stays.append(key)
            if rest := why or kind.rest(key, found):
                kept.append(Skipped(key, rest))
    return Withdrawal([*(unreachable(name, error) for name, error in errors.items()), *pending.values()], kept)


def _observe(lab: str, host: Host) -> Observed:
    """What a host has of all that its record names, and of the lab's own files."""
    first = questions.ask(host, {"system": systems.QUESTION, record.SECTION: record.question(lab)})
    at = Observed(lab, host, answers=first)
    require_root(at)
    sections: dict[str, str] = {}
    for kind in kinds():
        sections |= kind.questions(at, None)
    return with_engine(replace(at, answers={**first, **questions.ask(host, sections)}))
