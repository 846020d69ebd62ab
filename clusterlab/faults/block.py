"""The fault `block`: packets to one port, or of one protocol, are lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import Field

from clusterlab.model.base import Issue

from .cut import Between, CutBetween, dropped_text
from .errors import NoEffect
from .kind import Before, Seen
from .scene import Scene

_PORT = re.compile(r"^(?:(\d{1,5})/(tcp|udp|tcp\+udp)|esp)$")


class BlockParameters(Between):
    """What is lost, and between whom."""

    port: str = Field(description="a port with its protocol, or esp", examples=["4789/udp", "7946/tcp+udp", "esp"])

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        found = _PORT.match(self.port)
        if not found or int(found[1] or 1) not in range(1, 65536):
            yield Issue(("port",), f"'{self.port}' is not a port with its protocol", "Write it like 4789/udp, or esp.")

    @property
    def number(self) -> int:
        """The port; 0 for esp."""
        return 0 if self.port == "esp" else int(self.port.partition("/")[0])

    @property
    def protocols(self) -> list[str]:
        return [] if self.port == "esp" else self.port.partition("/")[2].split("+")


class Block(CutBetween[BlockParameters]):
    """Drops what is sent to a port, or packets of encrypted overlays (`esp`).

    A port such as `4789/udp`, `7946/tcp+udp`, `2377/tcp` or `2049/tcp`.

    4789/udp: names resolve, and no packet passes between containers of different hosts. 7946: nodes stay Ready, and
    lose sight of each other's tasks. 2377/tcp: the node is Down after about 15 s, and its containers serve on.
    2049/tcp: I/O on NFS volumes hangs. Where nothing listens on the port, it has no effect.
    """

    name = "block"
    model = BlockParameters

    def match(self, params: BlockParameters) -> str:
        if params.port == "esp":
            return "meta l4proto esp"
        return f"meta l4proto {{ {', '.join(params.protocols)} }} th dport {params.number}"

    def spares_ssh(self, params: BlockParameters) -> bool:
        return params.number != 22

    def lost(self, params: BlockParameters, scene: Scene) -> frozenset[str]:
        return super().lost(params, scene) if params.number in (2377, 22) else frozenset()

    def before(self, params: BlockParameters, scene: Scene) -> Before:
        before = super().before(params, scene)
        if params.port == "esp":
            return before
        receivers = dict.fromkeys(receiver for _, receiver in self.pairs(params, scene))
        done = scene.run(dict.fromkeys(receivers, _listens(params)))
        listening = {host: one.stdout.split() for host, one in done.items()}
        if not any(listening.values()):
            raise NoEffect(f"{self.name}: nothing listens on {params.port} of {', '.join(receivers)}")
        return {**before, "tcp": " ".join(host for host, found in listening.items() if "tcp" in found)}

    def effect(self, params: BlockParameters, scene: Scene, before: Before) -> Seen:
        pairs = self.pairs(params, scene)
        answered = self._sent(params, scene)
        for sender, receiver in pairs:
            if (sender, receiver) in answered and receiver in before.get("tcp", "").split():
                return Seen(False, f"{receiver} still answers {sender} on port {params.port}")
        counts = self.counts(params, scene, before)
        if ended := [host for host, count in counts.items() if count < 0]:
            return Seen(False, f"{', '.join(ended)} no longer drops packets")
        idle = [host for host, count in counts.items() if count == 0]
        if len(idle) == len(counts) or (idle and params.port != "esp"):
            return Seen(False, f"{', '.join(idle)} has not dropped a packet")
        return Seen(True, dropped_text(counts))

    def gone(self, params: BlockParameters, scene: Scene, before: Before) -> Seen:
        if still := self.tables_gone(params, scene, before):
            return Seen(False, still)
        answered = self._sent(params, scene) if before.get("tcp") else set()
        for sender, receiver in self.pairs(params, scene):
            if receiver in before.get("tcp", "").split() and (sender, receiver) not in answered:
                return Seen(False, f"{receiver} does not answer {sender} on port {params.port}")
        return Seen(True, f"{params.port} passes again")

    def _sent(self, params: BlockParameters, scene: Scene) -> set[tuple[str, str]]:
        """Send to the port from each sender.

        The pairs of which the receiver answered over TCP.
        """
        scripts: dict[str, str] = {}
        for sender, receiver in self.pairs(params, scene):
            at = f"{scene.address(receiver)}/{params.number}"
            lines = [f"timeout 1 bash -c ': </dev/tcp/{at}' && echo {receiver} &"] if "tcp" in params.protocols else []
            lines += [f"bash -c 'echo >/dev/udp/{at}' &"] if "udp" in params.protocols else []
            scripts[sender] = "\n".join([scripts.get(sender, ""), *lines])
        done = scene.run({sender: f"({script}\nwait) 2>/dev/null" for sender, script in scripts.items()})
        return {(sender, receiver) for sender, one in done.items() for receiver in one.stdout.split()}


def _listens(params: BlockParameters) -> str:
    flags = {"tcp": "-Hlnt", "udp": "-Hlnu"}
    return "\n".join(
        f"[ -z \"$(ss {flags[one]} 'sport = :{params.number}')\" ] || echo {one}" for one in params.protocols
    )


BLOCK = Block()
