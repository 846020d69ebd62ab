"""motd: on each host, who logs in reads which containers and volumes of which plays are there."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.remote import Host
from clusterlab.resources.base import Change, Difference, Key
from clusterlab.resources.kind import ResourceKind
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope, Wants

_FOLDER = "/etc/motd.d"  # pam_motd(8) shows every file in it
_QUESTION = f"cat {_FOLDER}/clusterlab-*"
_FIRST = "Managed by clusterlab: lab "


@dataclass(frozen=True)
class Notice:
    """What a file says: one line for the play, and one with all that it has on the host."""

    lab: str
    play: str
    content: str

    @property
    def path(self) -> str:
        return f"{_FOLDER}/clusterlab-{self.lab}-{self.play.replace('/', '-')}"

    @property
    def text(self) -> str:
        return f"{_FIRST}{self.lab}, play {self.play}\n{self.content}\n"


class Motd(ResourceKind[Notice, Notice]):
    name = "motd"

    def wanted(self, wants: Wants) -> Mapping[Key, Notice]:
        return {
            Key(host, self.name, title): Notice(wants.lab.name, title, ", ".join(things))
            for title, play in wants.plays()
            for host in wants.lab.inventory.docker_hosts
            if (things := list(_things(wants.lab, play, host)))
        }

    def manual(self, wanted: Notice) -> str:
        path = shlex.quote(wanted.path)
        return f"mkdir -p {_FOLDER} && printf %s {shlex.quote(wanted.text)} > {path}"

    def questions(self, at: Observed, wanted: Mapping[Key, Notice] | None) -> Mapping[str, str]:
        return {self.name: _QUESTION}

    def observe(self, scope: Scope) -> Mapping[Key, Notice]:
        found = {}
        for at in scope.everywhere:
            lines = at.answers.get(self.name, "").splitlines()
            for line, content in pairwise(lines):
                lab, separator, play = line.removeprefix(_FIRST).partition(", play ")
                if line.startswith(_FIRST) and separator and lab == scope.name:
                    found[Key(at.name, self.name, play)] = Notice(lab, play, content)
        return found

    def differences(self, wanted: Notice, found: Notice) -> Sequence[Difference]:
        return [] if wanted == found else [Difference("content", wanted.content, found.content)]

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: Notice, found: Notice | None) -> Change | None:
        differences = self.differences(wanted, found) if found else ()
        if found and not differences:
            return None
        host, command = scope.at(key).host, self.manual(wanted)
        return Change(
            key=key,
            action="update" if found else "create",
            reason="it says something else" if found else "it does not exist",
            command=command,
            carry_out=partial(_carry_out, host, command),
            differences=tuple(differences),
        )

    def owns(self, lab: str, found: Notice) -> bool:
        return found.lab == lab

    def play(self, found: Notice) -> str:
        return found.play

    def remove(self, scope: Scope, key: Key, found: Notice, reason: str) -> Change:
        host, command = scope.at(key).host, shlex.join(["rm", "-f", found.path])
        return Change(key, "remove", reason, command, partial(_carry_out, host, command))


KIND = Motd()


def _things(lab: Lab, play: Play, host: str) -> Iterator[str]:
    """What a play has on a host, in words."""
    yield from (f"container {name}" for name, one in play.containers.items() if one.host == host)
    yield from (f"volume {name}" for name, one in play.volumes.items() if host in lab.expand(one.hosts))


def _carry_out(host: Host, command: str) -> None:
    """Run what a person would type; raises HostError when it fails."""
    host.run(command, check=True)
