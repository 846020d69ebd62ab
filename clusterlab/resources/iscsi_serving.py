"""Serve the LUNs of a lab to their hosts, and end those no longer wanted."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from functools import partial

from clusterlab.errors import HostError
from clusterlab.model.iscsi import LUN, Lun, iqn, iqn_prefix
from clusterlab.remote import Host

from . import record, written
from .base import Change, Difference, Key
from .commands import do
from .tgt import SHOW, Found, Target, found, image, parse, path, question, text

KIND = "lun"
"""The kind under which LUNs are known and recorded."""


REMEDIES = (
    (
        r"target.*(in use|is still active)|it won't be (updated|deleted)",
        "a host is logged in to it",
        "Log out there (`clusterlab clean`, or `iscsiadm -m node -T IQN --logout`), then run the same command again.",
    ),
)


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
        key=Key(host.name, KIND, name),
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
    """What converges one target.

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


def ended(stale: Sequence[str], now: Mapping[str, Target]) -> list[str]:
    return [f"tgtadm --lld iscsi --mode target --op delete --tid {now[name].tid}" for name in stale if name in now]


def _command_line(
    free: Sequence[Lun], luns: Sequence[Lun], lab: str, addresses: Mapping[str, str], now: Found, stale: Sequence[str]
) -> str:
    write = f"cat > {path(lab)} <<'END'\n{text(luns, lab, addresses)}END"
    serve = [command for lun in free for command in _commands(lun, lab, addresses, now.targets.get(iqn(lab, lun.name)))]
    return "\n".join([*_files(free, lab), write, *ended(stale, now.targets), *serve])


def _serve(
    host: Host,
    free: Sequence[Lun],
    luns: Sequence[Lun],
    lab: str,
    addresses: Mapping[str, str],
    stale: Sequence[str],
) -> None:
    record.remember(host, lab, KIND, dict.fromkeys(lun.name for lun in free))
    doing = "serve " + (", ".join(lun.name for lun in free) or "what is wanted")
    do(host, "\n".join(["set -e", *_files(free, lab)]), doing)
    written.write(host, lab, path(lab), text(luns, lab, addresses).encode())
    now = parse(do(host, SHOW, doing).stdout)  # the daemon may have started, and read its files, only now
    serve = [command for lun in free for command in _commands(lun, lab, addresses, now.get(iqn(lab, lun.name)))]
    said = do(host, "\n".join(["set -e", *ended(stale, now), *serve]), doing, remedies=REMEDIES).output
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
