"""What the Linux SCSI target framework (tgt) serves, and the lab's files for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clusterlab.model.iscsi import Lun, iqn

SHOW = "tgtadm --lld iscsi --mode target --op show"


_FILE, _TARGETS = "@ file", "@ targets"


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
    return f"stat -c '%s %n' {files}\necho '{_FILE}'\ncat {path(lab)}\necho '{_TARGETS}'\n{SHOW}"


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
