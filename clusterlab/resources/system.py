"""What kind of system a host is.

What decides whether and how it can be provisioned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

QUESTION = r"""
. /etc/os-release
printf '%s\n' "name=${PRETTY_NAME:-$ID}" "id=$ID" "like=$ID_LIKE" "user=$(id -un)" "uid=$(id -u)" "kernel=$(uname -r)"
printf '%s\n' "hostname=$(uname -n)" "debian=$(cat /etc/debian_version)"
for command in apt-get dpkg-query systemctl dockerd docker mount.nfs exportfs curl ping tgtadm \
    iscsiadm mkfs.xfs mkfs.ext4; do
    command -v "$command" >/dev/null && echo "command=$command"
done
"""


@dataclass(frozen=True)
class System:
    """One host's distribution, kernel, user and commands, of those asked for."""

    name: str = "an unknown system"
    family: frozenset[str] = frozenset()  # ID and ID_LIKE of os-release(5)
    user: str = ""
    uid: int = 0
    kernel: str = ""
    hostname: str = ""
    debian: str = ""  # /etc/debian_version: "12.11", "trixie/sid"
    commands: frozenset[str] = frozenset()

    @property
    def has_apt(self) -> bool:
        """Whether packages are installed the Debian way."""
        return {"apt-get", "dpkg-query"} <= self.commands

    @property
    def debian_major(self) -> int | None:
        """Debian's release number; None on testing, and on Ubuntu and what follows it."""
        match = re.match(r"\d+", self.debian)
        return int(match[0]) if match and "ubuntu" not in self.family else None


def system(answer: str) -> System:
    """The system that answered `QUESTION` so."""
    pairs = [line.partition("=")[::2] for line in answer.splitlines()]
    said = dict(pairs)
    return System(
        name=said.get("name") or "an unknown system",
        family=frozenset(f"{said.get('id', '')} {said.get('like', '')}".split()),
        user=said.get("user", ""),
        uid=int(said.get("uid") or 0),
        kernel=said.get("kernel", ""),
        hostname=said.get("hostname", ""),
        debian=said.get("debian", ""),
        commands=frozenset(value for key, value in pairs if key == "command"),
    )
