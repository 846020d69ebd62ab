"""LUNs of an iSCSI target: their files, one file of ours, and what tgt serves.

Wanted is compared with what `tgtadm` shows, not with files alone. A LUN's file holds data: it is never shrunk, grown,
recreated or removed. Targets whose name is not of this lab are never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.model.iscsi import Lun, iqn_prefix
from clusterlab.model.lab import Lab

from . import record, written
from .base import Change, Difference, Key
from .commands import do
from .host_kind import HostKind, Role, pending_on
from .iscsi_serving import KIND, REMEDIES, changes, ended
from .observed import Observed
from .roles import roles
from .scope import Scope, Wants
from .tgt import Target, found, path, question


@dataclass(frozen=True)
class WantedLun:
    """A LUN, and the address of the only host that may log in."""

    lun: Lun
    address: str


class LunKind(HostKind[WantedLun, Target]):
    """LUNs. One file has all of a host's targets, so they are one change."""

    name = KIND
    runs = True

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, WantedLun]]:
        if roles(lab, host).serves_luns:
            for lun in lab.inventory.iscsi.luns:
                yield Role(lun.name, "iscsi"), WantedLun(lun, str(lab.inventory.hosts[lun.host].address))

    def manual(self, wanted: WantedLun) -> str:
        return f"truncate -s {wanted.lun.size} {wanted.lun.name}.img   # and serve it, see targets.conf(5)"

    def questions(self, at: Observed, wanted: Mapping[Key, WantedLun] | None) -> Mapping[str, str]:
        names = list(record.entries(at, self.name)) if wanted is None else [key.name for key in wanted]
        return {self.name: question(names, at.lab)} if names or wanted is None else {}

    def observe(self, scope: Scope) -> Mapping[Key, Target]:
        observed = {}
        for at in scope.everywhere:
            now, prefix = found(at.answers.get(self.name, "")), iqn_prefix(at.lab)
            served = {name.removeprefix(prefix): one for name, one in now.targets.items() if name.startswith(prefix)}
            for name in dict.fromkeys([*served, *record.entries(at, self.name)]):
                observed[Key(at.name, self.name, name)] = served.get(name, Target(0, {}, frozenset()))
        return observed

    def differences(self, wanted: WantedLun, found: Target) -> Sequence[Difference]:
        access = frozenset({wanted.address})
        return () if found.allowed == access else (Difference("access", set(access), set(found.allowed)),)

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: WantedLun, found: Target | None) -> Change | None:
        return next(iter(self._changes(scope, scope.at(key), [wanted])), None)

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        wanted = self.wanted(wants)
        for at in scope.everywhere:
            if self.name in at.answers:
                yield from self._changes(scope, at, [one for key, one in wanted.items() if key.host == at.name])

    def _changes(self, scope: Scope, at: Observed, here: Sequence[WantedLun]) -> list[Change]:
        luns = [one.lun for one in here]
        addresses = {one.lun.host: one.address for one in here}
        needs = pending_on(scope, at.name, "packages", "unit")
        return changes(at.host, luns, at.lab, addresses, found(at.answers.get(self.name, "")), needs)

    def owns(self, lab: str, found: Target) -> bool:
        return True  # only targets with the lab's prefix, and LUNs that are recorded

    def kept(self, scope: Scope, key: Key, found: Target) -> str:
        """Whoever is logged in to one target of the lab keeps them all.

        They end together.
        """
        for one, target in {key: found, **self.observe(scope)}.items():
            if one.host == key.host and target.clients:
                to = "" if one == key else f" to {one.name}, and the targets of the lab end together"
                return f"{', '.join(target.clients)} is logged in{to}: run `clusterlab clean` first"
        return ""

    def files(self, lab: str, key: Key) -> Sequence[str]:
        return (path(lab),)

    def rest(self, key: Key, found: Target) -> str:
        return "its file in /var/lib/clusterlab/luns, which holds the data of the disk"

    def remove(self, scope: Scope, key: Key, found: Target, reason: str) -> Change | None:
        """End all targets of the lab on a host that nobody is logged in to.

        Their files hold data and stay.
        """
        if pending_on(scope, key.host, "luns"):
            return None
        return _removal(scope.at(key), reason)


LUN_KIND = LunKind()


def others(at: Observed) -> list[str]:
    """Targets that a host serves besides the lab's."""
    now = found(at.answers.get(LUN_KIND.name, ""))
    return sorted(name for name in now.targets if not name.startswith(iqn_prefix(at.lab)))


def served(at: Observed) -> list[str]:
    """The targets of the lab that a host serves."""
    now = found(at.answers.get(LUN_KIND.name, ""))
    return sorted(name for name in now.targets if name.startswith(iqn_prefix(at.lab)))


def _removal(at: Observed, reason: str) -> Change:
    now = found(at.answers.get(LUN_KIND.name, ""))
    commands = [*ended(served(at), now.targets), f"rm -f {path(at.lab)}"]
    return Change(
        key=Key(at.name, "luns", path(at.lab)),
        action="remove",
        reason=reason,
        command=" && ".join(commands),
        carry_out=partial(_take_back, at, commands),
    )


def _take_back(at: Observed, commands: Sequence[str]) -> None:
    do(at.host, "\n".join(["set -e", *commands]), "end the targets of the lab", remedies=REMEDIES)
    written.forget(at.host, at.lab, [path(at.lab)])
    record.forget(at.host, at.lab, LUN_KIND.name, record.entries(at, LUN_KIND.name))
