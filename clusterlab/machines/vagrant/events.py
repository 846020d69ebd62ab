"""What Vagrant prints with --machine-readable: one event a line.

The form is described at https://developer.hashicorp.com/vagrant/docs/cli/machine-readable: time, machine, type and
data, separated by commas. What is not such a line (a plug-in's or Ruby's own output) counts as text of no machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"^\d+,(?P<machine>[^,]*),(?P<kind>[a-z-]+),(?P<data>.*)$")
_COMMA = "%!(VAGRANT_COMMA)"
_PREFIX = re.compile(r"^(?:==> )?[\w.-]+:(?: |$)")
_TERMINAL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_RATE = re.compile(r"^(?:Progress|\d+%)\b|\(Rate: |Estimated time remaining|\d+(?:\.\d+)?%$")


@dataclass(frozen=True)
class Event:
    """One line: its machine, its kind, and its text.

    The machine as Vagrant calls it, or ""; a kind such as "ui", "state" or "action".
    """

    machine: str
    kind: str
    data: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its text for people, or "" when it is for programs."""
        if self.kind == "text" or (self.kind == "ui" and len(self.data) > 1):
            return _TERMINAL.sub("", self.data[-1]).strip()
        return ""

    @property
    def is_warning(self) -> bool:
        return self.kind == "ui" and self.data[0] in ("warn", "error")


def parse_event(line: str) -> Event:
    """The event that a line of output is."""
    match = _LINE.match(line)
    if not match:
        return Event("", "text", (line,))
    data = tuple(_plain(item) for item in match["data"].split(","))
    return Event(match["machine"], match["kind"], data)


def step(event: Event) -> str:
    """The step that an event reports, in one line.

    The first with a meaning, without transfer rates.
    """
    for line in event.text.replace("\r", "\n").splitlines():
        text = _PREFIX.sub("", line.strip()).strip()
        if text and not _RATE.search(text) and not text.startswith("-- "):
            return text.removesuffix("...")
    return ""


def failure(events: list[Event]) -> tuple[str, str]:
    """The class of the error that ended Vagrant, and what it said about it.

    A class such as "BoxNotFound", as far as Vagrant reports it.
    """
    for event in reversed(events):
        if event.kind == "error-exit":
            name, text = (*event.data, "")[:2]
            return name.rpartition("::")[2], text.strip()
    told = [event.text for event in events if event.text and (event.is_warning or event.kind == "text")]
    return "", "\n".join(told[-15:])


def _plain(item: str) -> str:
    return item.replace(_COMMA, ",").replace("\\n", "\n").replace("\\r", "\r")
