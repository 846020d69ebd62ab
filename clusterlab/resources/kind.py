"""The shape of a kind of resource.

Everything that clusterlab does with volumes, packages or services of a Swarm.

`provision`, `apply`, `clean`, the search for left-overs, `explain` and the check `inspect` are loops over the registry
`RESOURCES` (kinds.py); none of them asks which kind a resource is.

Adding a kind takes one module:

1. A frozen dataclass for what is wanted of one resource, made from the lab's files alone, and a type for what a host
   or the Swarm reports of one. Neither holds a connection.
2. A subclass of `ResourceKind` with a `name`, the `verb` that converges it and its methods. What it wants to know of
   a host goes into `questions` (sections of the one shell script that the host runs) and `listings` (requests to the
   engine): all kinds are asked together, so a kind costs no command and no connection of its own. The answers are in
   `Observed`.
3. Its place in `kinds.OWN`, after the kinds that it needs. Other packages name an object in the entry point group
   `clusterlab.resources` instead.

`Key.host` is the host that has the resource, or SWARM for what belongs to the Swarm: that is observed once, wanted
once and removed once, whichever manager is asked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Generic, Literal, TypeVar

from clusterlab.model.needs import Need

from .base import SWARM, Change, Difference, Key, Skipped
from .observed import Observed
from .report import Report
from .scope import Scope, Wants

W = TypeVar("W")  # what is wanted of one resource
F = TypeVar("F")  # what a host or the Swarm reports of one

Verb = Literal["provision", "apply"]
NO_LONGER_WANTED = "no play defines it any more"


class ResourceKind(ABC, Generic[W, F]):
    """One kind of resource. Its methods change nothing.

    Only the `carry_out` of the changes that they return does.
    """

    name: str
    verb: Verb = "apply"
    listings: frozenset[str] = frozenset()
    """What the engine of each host is asked for, by the names in `observed.LISTINGS`."""
    reports: tuple[Report, ...] = ()
    """What engines report in full of one: the check `inspect` reads it."""
    shared: bool = False
    """Labs with the same host have the same one: `deprovision` leaves it as long as another lab has recorded it."""
    runs: bool = False
    """It runs on a host, or describes what does: where one stays, `deprovision` leaves what `underlies` it."""
    underlies: bool = False
    """What runs on a host may need it, as it needs packages."""

    @abstractmethod
    def wanted(self, wants: Wants) -> Mapping[Key, W]:
        """Every resource of this kind that the lab's files want, without asking a host."""

    def left_out(self, wants: Wants) -> Iterator[Skipped]:
        """What is not wanted because hosts lack what it needs.

        Of the Swarm, what no host can have.
        """
        yield from ()

    @abstractmethod
    def manual(self, wanted: W) -> str:
        """The command that creates one where there is none."""

    def file(self, wanted: W) -> Path | None:
        """A local file that a manual command reads on the host; see `file_name`."""
        return None

    def file_name(self, wanted: W) -> str:
        """What `manual` calls a copy of that file on the host: no other resource's there has the same name."""
        file = self.file(wanted)
        return file.name if file else ""

    def questions(self, at: Observed, wanted: Mapping[Key, W] | None) -> Mapping[str, str]:
        """Sections of the script that the host runs, by name.

        For kinds of `apply`, `at` has the engine's answers.

        `wanted` is what is wanted on that host; None when everything is looked for that belongs to the lab.
        """
        return {}

    @abstractmethod
    def observe(self, scope: Scope) -> Mapping[Key, F]:
        """Everything of this kind on the hosts and in the Swarm, whoever made it."""

    @abstractmethod
    def differences(self, wanted: W, found: F) -> Sequence[Difference]:
        """What distinguishes the one found from the one wanted.

        As far as that follows from these two alone.
        """

    @abstractmethod
    def change(self, wants: Wants, scope: Scope, key: Key, wanted: W, found: F | None) -> Change | None:
        """What converges one resource; None when it is as wanted."""

    def owns(self, lab: str, found: F) -> bool:
        """Whether a resource was made for the lab.

        Only such a one may be changed or removed.
        """
        return False

    def play(self, found: F) -> str | None:
        """For which play a resource of ours was made.

        None when it is the whole lab's: only `clean` removes it then.
        """
        return None

    def labels(self, found: F) -> Mapping[str, str]:
        """The labels of one, where its kind has labels: they say who created it."""
        return {}

    @abstractmethod
    def remove(self, scope: Scope, key: Key, found: F, reason: str) -> Change | None:
        """What removes a resource of ours; None when something else removes it."""

    def files(self, lab: str, key: Key) -> Sequence[str]:
        """The files of a host that `provision` writes as a whole for one (see written.py).

        `deprovision` leaves a resource as it is when somebody has changed one of them since.
        """
        return ()

    def kept(self, scope: Scope, key: Key, found: F) -> str:
        """Why `deprovision` leaves a resource of ours as it is; "" when it is removed.

        With the option that allows it.
        """
        return ""

    def rest(self, key: Key, found: F) -> str:
        """What stays on the host after a resource of ours was removed, and why.

        "" for nothing.
        """
        return ""

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        """Converge all that is wanted, and remove what is no longer wanted.

        That is what was created for these plays.

        `scope.pending` has the changes of the kinds before, and those that were yielded so far. A kind whose resources
        change together on a host (as packages do) overrides this.
        """
        wanted, found = self.wanted(wants), self.observe(scope)
        for key, want in wanted.items():
            if scope.answers(key) and key not in wants.omitted:
                existing = found.get(key)
                change = self.change(wants, scope, key, want, existing)
                if change:
                    yield change if existing is None else self._with_its_play(wants, scope, change, existing)
        for key, have in found.items():
            if key not in wanted and self.owns(scope.name, have) and self.play(have) in wants.lab.plays:
                removal = self.remove(scope, key, have, NO_LONGER_WANTED)
                if removal:
                    yield removal

    def _with_its_play(self, wants: Wants, scope: Scope, change: Change, found: F) -> Change:
        """The change of an existing resource; its reason names a play that the resource is taken from."""
        play = self.play(found) if self.owns(scope.name, found) else None
        if play is None or play in wants.lab.plays:
            return change
        return replace(change, reason=f"it belongs to the play {play}, which is not named here; {change.reason}")


def of_verb(kinds: Iterable[ResourceKind[W, F]], verb: Verb) -> list[ResourceKind[W, F]]:
    """The kinds that a verb converges, in their order."""
    return [kind for kind in kinds if kind.verb == verb]


def left_out(kinds: Iterable[ResourceKind[W, F]], wants: Wants) -> list[Skipped]:
    """What hosts cannot have and what uses it there, each once."""
    found = {one.key: one for kind in reversed(list(kinds)) for one in reversed(list(kind.left_out(wants)))}
    return list(reversed(found.values()))


def skipped(key: Key, need: Need | None, wants: Wants) -> Iterator[Skipped]:
    """The resource, when `need` is not met, with the reason.

    `need` of the Swarm's stands for all of its hosts.
    """
    if need:
        where = "" if key.host in (need.host, SWARM) else f" on {need.host}"
        yield Skipped(key, f"{need.capability}{where}: {wants.capabilities.reason(need.host, need.capability)}")


def converge(kinds: Iterable[ResourceKind[W, F]], wants: Wants, scope: Scope) -> list[Change]:
    """The changes of all kinds, each kind's after those before it."""
    pending = dict(scope.pending)
    scope = scope.with_pending(pending)
    for kind in kinds:
        for change in kind.changes(wants, scope):
            pending[change.key] = change
    return list(pending.values())
