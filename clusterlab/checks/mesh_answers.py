"""What the one command of a place says about each target, and what that means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from clusterlab.errors import ClusterlabError
from clusterlab.model.base import size_bytes

from .reached import TIMED_OUT

OWN = "@own"
"""What the line with a place's own addresses is called; no target has such a name."""
OPEN = "open:"
"""What the command that asks who answers prints as soon as it is connected."""
_LOST = re.compile(r"\*|message too long", re.IGNORECASE)  # as traceroute writes it
_REPLY = re.compile(r"(?:(\d+\.\d+\.\d+\.\d+) +)?[\d.]+ ms(?: +(!\S+))?")
"""A reply as traceroute writes it: who sent it, unless the same as before, and why the packet did not arrive."""
_TOO_LONG = re.compile(r"!F-(\d+)")


_ANY = "0M"
"""The floor where there is none: its unit is that of what is found."""


@dataclass(frozen=True)
class Target:
    """What is reached: its name, its host and its address.

    Or why the address is unknown. The name is that of the play or inventory.
    """

    name: str
    host: str
    address: str | ClusterlabError
    names: frozenset[str] | None = None
    """Of those who may answer at its port; None where it only has to be open."""


@dataclass(frozen=True)
class Answer:
    """What a place found of one target; `reached` is None when the tool said neither."""

    reached: bool | None
    found: str
    mistaken: bool = False  # somebody else may have answered


def lines_of(output: str) -> Iterator[tuple[str, tuple[int, str]]]:
    """Each line is a target, an exit code and what the tool printed."""
    for line in output.splitlines():
        name, _, rest = line.partition("\t")
        code, _, text = rest.partition("\t")
        if code.isdigit():
            yield name, (int(code), text.strip())


def judged(by: str, floor: str | None, target: Target, line: tuple[int, str] | None) -> Answer:
    if isinstance(target.address, ClusterlabError):
        return Answer(None, target.address.message)
    if line is None:
        return Answer(None, "the command printed nothing about it")
    code, text = line
    if target.names is not None:
        return _answer(target.names, code, text)
    return JUDGES[by](floor, target.address, code, text)


def only_if_alone(answer: Answer, target: Target, asking: str, own: Collection[str], all_: Iterable[Target]) -> Answer:
    """The answer, or that another place may have given it.

    That is the place that asks, or a target with the same address.
    """
    sharing = {one.name for one in all_ if one.address == target.address}
    if target.address in own:
        sharing.add(asking)
    others = sorted(sharing - {target.name})
    if not answer.reached or not others:
        return answer
    return Answer(False, f"{target.address} belongs to {' and '.join(sorted([target.name, *others]))}", mistaken=True)


def _name(floor: str | None, address: str, code: int, text: str) -> Answer:
    if not text:
        return Answer(False, "name not resolved")
    return Answer(text == address, text if text == address else f"the name leads to {text}, not to {address}")


def _ping(floor: str | None, address: str, code: int, text: str) -> Answer:
    counted = re.search(r"(\d+) packets transmitted, (\d+) (?:packets )?received", text)
    if counted is None:
        return Answer(None, text or f"exit code {code}")
    sent, received = map(int, counted.groups())
    return Answer(sent == received > 0, f"{received} of {sent} packets came back")


def _hop(floor: str | None, address: str, code: int, text: str) -> Answer:
    """Of a traceroute of one hop.

    The target itself answers that nothing listens on the port. That a packet is too long, an interface on the way
    says in the target's name; the next one is sent in fragments then, which the target answers.
    """
    sent, _, rest = text.partition(" ")
    size, _, fragments = sent.partition("+")
    what = f"of {size} bytes " if size != "0" else ""
    replies, limit = list(_replies(rest)), _TOO_LONG.search(rest)
    why = f": they may have {limit[1]} on the way" if limit else ""
    if fragments not in ("", "0"):
        return Answer(False, f"a packet {what}was answered only in fragments{why}")
    if (address, "") in replies:
        return Answer(True, f"a packet {what}was answered")
    if _LOST.search(rest) or any(note for _, note in replies):
        return Answer(False, f"no packet {what}was answered{why}")
    return Answer(None, rest or f"exit code {code}")


def _replies(text: str) -> Iterator[tuple[str, str]]:
    """Whoever replied to each packet, and the note after it: empty when it arrived."""
    sender = ""
    for found in _REPLY.finditer(text):
        sender = found[1] or sender
        yield sender, found[2] or ""


def _tcp(floor: str | None, address: str, code: int, text: str) -> Answer:
    if code == 0:
        return Answer(True, "open")
    if code == 124 or re.search(r"timed out", text, re.IGNORECASE):
        return Answer(False, TIMED_OUT)
    if found := re.search(r"connection refused|no route to host|network is unreachable", text, re.IGNORECASE):
        return Answer(False, found[0].lower().removeprefix("connection "))
    return Answer(None, text or f"exit code {code}")


def _answer(names: Collection[str], code: int, text: str) -> Answer:
    """Of a port that opened: the name of who answers there."""
    if not text.startswith(OPEN):
        return Answer(None, text or "nothing was printed") if code == 0 else _tcp(None, "", code, text)
    name = text.removeprefix(OPEN).strip()
    if name and name in names:
        return Answer(True, f"{name} answers")
    who = "open, but what listens there does not answer with a name" if not name else f"open, but {name!r} answers"
    return Answer(False, f"{who}, not {' or '.join(sorted(names)) or 'one of those that should: none is there'}")


def _fetch(floor: str | None, address: str, code: int, text: str) -> Answer:
    counted = re.search(r"(\d+) bytes in (\d+) hundredths", text)
    if counted is None:
        return Answer(None, text or f"exit code {code}")
    size, took = int(counted[1]), max(1, int(counted[2])) / 100
    if code != 0:
        return Answer(False, f"the download ended after {size} bytes")
    floor = floor or _ANY
    rate = size / took / size_bytes(f"1{floor[-1]}")
    return Answer(rate >= int(floor[:-1]), f"{rate:.2f} {floor[-1]}iB/s")


JUDGES = {"name": _name, "ping": _ping, "packets": _hop, "udp": _hop, "tcp": _tcp, "fetch": _fetch}
