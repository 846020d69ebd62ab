"""LUNs of an iSCSI target (Linux SCSI target framework, tgt).

Their files, one file of ours in /etc/tgt/conf.d, and

what the daemon really serves.

Wanted is compared with what `tgtadm` shows, not with files alone. A LUN's file holds data: it is never shrunk, grown,
recreated or removed. Targets whose name is not of this lab are never touched.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.errors import HostError
from clusterlab.model.iscsi import LUN, Lun, iqn, iqn_prefix
from clusterlab.model.lab import Lab
from clusterlab.remote import Host

from . import record
from .base import Change, Difference, Key
from .commands import do
from .host_kind import HostKind, Role, pending_on
from .observed import Observed
from .roles import roles
from .scope import Scope, Wants

_SHOW = "tgtadm --lld iscsi --mode target --op show"
_FILE, _TARGETS = "@ file", "@ targets"
_REMEDIES = (
    (
        r"target.*(in use|is still active)|it won't be (updated|deleted)",
        "a host is logged in to it",
        "Log out there (`clusterlab clean`, or `iscsiadm -m node -T IQN --logout`), then run the same command again.",
    ),
)


@dataclass(frozen=True)
class Target:
    """One target that the daemon serves."""

    tid: int
    files: Mapping[int, str]  # by number of the LUN
    allowed: frozenset[str]  # addresses or names of initiators, or ALL
    clients: tuple[str, ...] = ()  # addresses that are logged in


@dataclass(frozen=True)
class Found:
    """What the target host has.

    Sizes of the LUNs' files in bytes, the lab's file, and all targets by name.
    """

    sizes: Mapping[str, int]
    own_text: str
    targets: Mapping[str, Target]


@dataclass(frozen=True)
class WantedLun:
    """A LUN, and the address of the only host that may log in."""

    lun: Lun
    address: str


class LunKind(HostKind[WantedLun, Target]):
    """LUNs. One file has all of a host's targets, so they are one change."""

    name = "lun"

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


def _removal(at: Observed, reason: str) -> Change:
    now = found(at.answers.get(LUN_KIND.name, ""))
    ours = [name for name in now.targets if name.startswith(iqn_prefix(at.lab))]
    commands = [*_ended(ours, now.targets), f"rm -f {path(at.lab)}"]
    return Change(
        key=Key(at.name, "luns", path(at.lab)),
        action="remove",
        reason=reason,
        command=" && ".join(commands),
        carry_out=partial(_take_back, at, commands),
    )


def _take_back(at: Observed, commands: Sequence[str]) -> None:
    do(at.host, "\n".join(["set -e", *commands]), "end the targets of the lab", remedies=_REMEDIES)
    record.forget(at.host, at.lab, LUN_KIND.name, record.entries(at, LUN_KIND.name))


def path(lab: str) -> str:
    """The lab's file, see targets.conf(5)."""
    return f"/etc/tgt/conf.d/clusterlab-{lab}.conf"


def image(lab: str, lun: str) -> str:
    """The file that holds a LUN's data."""
    return f"/var/lib/clusterlab/luns/{lab}/{lun}.img"


def question(luns: Sequence[str], lab: str) -> str:
    """Script that prints each LUN's file with its size, the lab's file, and targets.

    Targets are what is served.
    """
    files = shlex.join(image(lab, lun) for lun in luns)
    return f"stat -c '%s %n' {files}\necho '{_FILE}'\ncat {path(lab)}\necho '{_TARGETS}'\n{_SHOW}"


def found(answer: str) -> Found:
    """What the answer to `question` says."""
    head, _, rest = answer.partition(f"{_FILE}\n")
    own_text, _, shown = rest.partition(f"{_TARGETS}\n")
    sizes = {name: int(size) for size, _, name in (line.partition(" ") for line in head.splitlines() if line)}
    return Found(sizes, own_text, parse(shown))


def parse(shown: str) -> dict[str, Target]:
    """The targets in what `tgtadm --op show` prints."""
    _, *parts = re.split(r"^Target (\d+): (\S+)$", shown, flags=re.MULTILINE)
    targets = {}
    for tid, name, said in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        body, _, acl = said.partition("ACL information:")
        files = re.findall(r"^ {8}LUN: (\d+)$.*?Backing store path: (.*?)$", body, re.MULTILINE | re.DOTALL)
        targets[name] = Target(
            tid=int(tid),
            files={int(number): file for number, file in files if file != "None"},
            allowed=frozenset(acl.split()),
            clients=tuple(re.findall(r"^ +IP Address: (\S+)$", body, re.MULTILINE)),
        )
    return targets


def text(luns: Sequence[Lun], lab: str, addresses: Mapping[str, str]) -> str:
    """The lab's file."""
    parts = [
        f"<target {iqn(lab, lun.name)}>\n"
        f"    backing-store {image(lab, lun.name)}\n"
        f"    initiator-address {addresses[lun.host]}\n"
        "</target>\n"
        for lun in luns
    ]
    return "".join([f"# Written by clusterlab for the lab {lab}.\n", *parts])


def changes(
    host: Host,
    luns: Sequence[Lun],
    lab: str,
    addresses: Mapping[str, str],
    now: Found,
    needs: frozenset[Key] = frozenset(),
) -> list[Change]:
    """Serve what is wanted to those hosts alone, and end what our file had besides.

    `addresses` are the hosts'.
    """
    blocked = {lun.name: why for lun in luns if (why := _kept_back(lun, lab, now))}
    made = [_blocked(host, name, why) for name, why in blocked.items()]
    free = [lun for lun in luns if lun.name not in blocked]
    wanted = {iqn(lab, lun.name): lun for lun in luns}
    stale = [name for name in now.targets if name.startswith(iqn_prefix(lab)) and name not in wanted]
    differences = [item for lun in free for item in _differing(lun, lab, addresses, now)]
    differences += [Difference(name, "not served", "served") for name in stale]
    if now.own_text.strip() != text(luns, lab, addresses).strip():
        differences.append(Difference(path(lab), text(luns, lab, addresses), now.own_text))
    if not differences:
        return made
    first, more = differences[0], len(differences) - 1
    reason = (
        f"{path(lab)} is not as it was written"
        if first.name == path(lab)
        else f"{first.name} is {first.found}, not {first.wanted}"
    )
    change = Change(
        key=Key(host.name, "luns", " ".join(lun.name for lun in free) or path(lab)),
        action="serve",
        reason=reason + (f", and {more} more" if more else ""),
        command=_command_line(free, luns, lab, addresses, now, stale),
        carry_out=partial(_serve, host, free, luns, lab, addresses, stale),
        differences=tuple(differences),
        needs=needs,
    )
    return [*made, change]


def _kept_back(lun: Lun, lab: str, now: Found) -> str:
    """Why a LUN must not be touched, or nothing."""
    file = image(lab, lun.name)
    size = now.sizes.get(file)
    served = file in now.targets[iqn(lab, lun.name)].files.values() if iqn(lab, lun.name) in now.targets else False
    if size is None and served:
        return f"{file} is gone while it is served: its data is lost when the target ends; save it from the host first"
    if size is not None and size != lun.bytes:
        return (
            f"{file} has {size} bytes, not {lun.size}: it holds data and keeps its size. "
            f"Restore `size`, or give the LUN another name"
        )
    return ""


def _blocked(host: Host, name: str, why: str) -> Change:
    return Change(
        key=Key(host.name, "lun", name),
        action="serve",
        reason="its file differs",
        command="",
        carry_out=lambda: None,
        blocked=why,
    )


def _differing(lun: Lun, lab: str, addresses: Mapping[str, str], now: Found) -> list[Difference]:
    file, name = image(lab, lun.name), iqn(lab, lun.name)
    target = now.targets.get(name)
    made = [] if file in now.sizes else [Difference(file, f"a file of {lun.size}", "absent")]
    if target is None:
        return [*made, Difference(name, "served", "not served")]
    if target.files != {LUN: file}:
        made.append(Difference(f"the disk of {name}", file, ", ".join(target.files.values()) or "absent"))
    if target.allowed != {addresses[lun.host]}:
        allowed = " ".join(sorted(target.allowed)) or "nobody's"
        made.append(Difference(f"the access to {name}", addresses[lun.host], allowed))
    return made


def _commands(lun: Lun, lab: str, addresses: Mapping[str, str], target: Target | None) -> list[str]:
    """What brings one target there.

    Its access is changed in place: hosts may be logged in meanwhile.
    """
    if target is None or target.files != {LUN: image(lab, lun.name)}:
        return [f"tgt-admin --verbose --update {iqn(lab, lun.name)}"]
    access = f"tgtadm --lld iscsi --mode target --tid {target.tid}"
    wanted = addresses[lun.host]
    ended = [f"{access} --op unbind -I {shlex.quote(one)}" for one in sorted(target.allowed - {wanted})]
    return ended + ([] if wanted in target.allowed else [f"{access} --op bind -I {wanted}"])


def _files(free: Sequence[Lun], lab: str) -> list[str]:
    """An existing file is left as it is."""
    made = [f"[ -e {image(lab, lun.name)} ] || truncate -s {lun.size} {image(lab, lun.name)}" for lun in free]
    return [f"mkdir -p -m 0700 /var/lib/clusterlab/luns/{lab}", *made]


def _ended(stale: Sequence[str], now: Mapping[str, Target]) -> list[str]:
    return [f"tgtadm --lld iscsi --mode target --op delete --tid {now[name].tid}" for name in stale if name in now]


def _command_line(
    free: Sequence[Lun], luns: Sequence[Lun], lab: str, addresses: Mapping[str, str], now: Found, stale: Sequence[str]
) -> str:
    write = f"cat > {path(lab)} <<'END'\n{text(luns, lab, addresses)}END"
    serve = [command for lun in free for command in _commands(lun, lab, addresses, now.targets.get(iqn(lab, lun.name)))]
    return "\n".join([*_files(free, lab), write, *_ended(stale, now.targets), *serve])


def _serve(
    host: Host,
    free: Sequence[Lun],
    luns: Sequence[Lun],
    lab: str,
    addresses: Mapping[str, str],
    stale: Sequence[str],
) -> None:
    record.remember(host, lab, LUN_KIND.name, dict.fromkeys(lun.name for lun in free))
    doing = "serve " + (", ".join(lun.name for lun in free) or "what is wanted")
    do(host, "\n".join(["set -e", *_files(free, lab)]), doing)
    host.write(path(lab), text(luns, lab, addresses).encode())
    now = parse(do(host, _SHOW, doing).stdout)  # the daemon may have started, and read its files, only now
    serve = [command for lun in free for command in _commands(lun, lab, addresses, now.get(iqn(lab, lun.name)))]
    said = do(host, "\n".join(["set -e", *_ended(stale, now), *serve]), doing, remedies=_REMEDIES).output
    _verify(host, free, lab, addresses, doing, said)


def _verify(host: Host, free: Sequence[Lun], lab: str, addresses: Mapping[str, str], doing: str, said: str) -> None:
    """tgt-admin ends well for targets that it left alone: look at what is served."""
    now = found(do(host, question([lun.name for lun in free], lab), doing).stdout)
    wrong = [item for lun in free for item in _differing(lun, lab, addresses, now)]
    if not wrong:
        return
    target = next((now.targets[name] for name in now.targets if name in wrong[0].name.split()), None)
    users = f"; logged in: {', '.join(target.clients)}" if target and target.clients else ""
    raise HostError(
        host.name,
        f"cannot {doing}: {wrong[0].name} is {wrong[0].found}, not {wrong[0].wanted}{users}",
        remedy="Log out there (`clusterlab clean`), then run the same command again." if users else "",
        detail=said,
    )
