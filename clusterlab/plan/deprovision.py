"""Taking back what provision added to hosts that stay.

The opposite of provision, from the hosts' own records.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from clusterlab.errors import ClusterlabError
from clusterlab.plan import clean
from clusterlab.plan.provision import kinds, require_root, unreachable, with_engine
from clusterlab.progress import Progress, Silent
from clusterlab.remote import Host, Hosts
from clusterlab.resources import questions, record, written
from clusterlab.resources import system as systems
from clusterlab.resources.base import Change, Key, Skipped
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope

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
            others = sorted(record.others(scope.at(key), kind.name).get(key.name, ())) if kind.shared else []
            files = kind.files(lab, key)
            why = _used_by(others) if others else kind.kept(scope, key, found) or written.kept(scope.at(key), files)
            if not why and kind.underlies and (users := [one for one in stays if one.host == key.host]):
                why = f"what stays on {key.host} may need it: {', '.join(f'{one.kind} {one.name}' for one in users)}"
            given_up = _given_up(scope.at(key), key, files, why) if others else None
            change = given_up if why else kind.remove(scope, key, found, _REASON)
            if change:  # what was added last goes first, one after the other on each host
                before = frozenset(one for one in pending if one.host == key.host)
                pending[change.key] = replace(change, needs=change.needs | before)
            if why and kind.runs:
                stays.append(key)
            if rest := why or kind.rest(key, found):
                kept.append(Skipped(key, rest))
    return Withdrawal([*(unreachable(name, error) for name, error in errors.items()), *pending.values()], kept)


def _used_by(labs: list[str]) -> str:
    return f"the lab{'s' if len(labs) > 1 else ''} {', '.join(labs)} use{'s' if len(labs) == 1 else ''} it, too"


def _given_up(at: Observed, key: Key, files: Sequence[str], reason: str) -> Change:
    """Leave what other labs use to them: they have recorded what it was before."""
    entries = [(key.kind, key.name), *((written.KIND, file) for file in files)]
    return Change(
        key=key,
        action="forget",
        reason=reason,
        command=shlex.join(["rm", "-f", *(record.path(at.lab, *entry) for entry in entries)]),
        carry_out=partial(_forget, at, key, files),
    )


def _forget(at: Observed, key: Key, files: Sequence[str]) -> None:
    if files:
        written.forget(at.host, at.lab, files)
    record.forget(at.host, at.lab, key.kind, [key.name])


def _observe(lab: str, host: Host) -> Observed:
    """What a host has of all that its record names, and of the lab's own files."""
    records = {record.SECTION: record.question(lab), record.OTHERS: record.question_of_others(lab)}
    first = questions.ask(host, {"system": systems.QUESTION, **records})
    at = Observed(lab, host, answers=first)
    require_root(at)
    sections = dict(written.questions(at))
    for kind in kinds():
        sections |= kind.questions(at, None)
    return with_engine(replace(at, answers={**first, **questions.ask(host, sections)}))
