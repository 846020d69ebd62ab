"""Loops on hosts that ask or write at fixed ticks.

Started, fetched and ended over management.

What they do goes to a log on their host, so that nothing is lost while the way there is slow. A loop ends by itself
at its deadline, and nothing of it is outside /run, so that none outlives what started it for long.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.parallel import parallel, results_of
from clusterlab.remote import Host, Hosts

from .clock import Anchor, Clock, anchor
from .plan import Loop
from .record import Record, read_record
from .series import Series, Tick, joined, ticks

FOLDER = "/run/clusterlab/drills"
_LEAD = 0.5
"""Seconds from the start of the loops to their first tick.

So that all of one host begin together.
"""
_ANSWER = 15.0
"""Seconds for a host to answer a fetch; later it is no data until the next one."""

_START = """
cd "$1" || exit 1
read -r t _ </proc/uptime; t=${t%.*}${t#*.}
first=$((t + $2)); until=$((first + $3)); shift 3
echo "$t $first"
"""

_FETCH = """
read -r t _ </proc/uptime; echo "@uptime $t"
cd "$1" 2>/dev/null || exit 0
used=0
for file in *.pid; do
    read -r pid <"$file" || continue
    [ -r "/proc/$pid/stat" ] || continue
    read -r _ _ _ _ _ _ _ _ _ _ _ _ _ a b c d _ <"/proc/$pid/stat" && used=$((used + a + b + c + d))
done
echo "@used $used"
for file in *.log; do echo "@log $file"; cat "$file"; done
echo "@end"
"""

_STOP = """
cd "$1" 2>/dev/null || exit 0
for file in *.log; do : >"$file.stop"; done
for file in *.pid; do
    read -r pid <"$file" || continue
    n=0
    while kill -0 "$pid" 2>/dev/null && [ $n -lt "$2" ]; do sleep 0.1; n=$((n + 1)); done
done
"""

_REMOVE = """
cd "$1" 2>/dev/null || exit 0
for file in *.pid; do
    read -r pid <"$file" && kill -s KILL -- "-$pid" 2>/dev/null  # dash takes no -- after -KILL
done
cd / && rm -rf "$1"
rmdir "${1%/*}" 2>/dev/null
exit 0
"""


@dataclass
class _Started:
    """Loops since they were started.

    A host that was rebooted needs them to be started again.
    """

    first: float  # the first tick, in seconds of uptime
    anchors: tuple[Anchor, Anchor]
    logs: dict[str, str] = field(default_factory=dict)
    used: float = 0.0  # seconds of CPU

    def ticks(self, loop: Loop, label: str) -> list[Tick]:
        """The ticks of a loop until the last fetch, in this workstation's time."""
        clock = Clock(*self.anchors)
        record = read_record(label, self.logs.get(loop.name, ""))
        found = ticks(record, self.first, loop.period, self.anchors[1].uptime)
        return [Tick(clock.local(tick.at), tick.state, tick.took, tick.asked) for tick in found]


class Ticking:
    """The loops of one host."""

    def __init__(self, host: Host, folder: str, loops: Sequence[Loop]) -> None:
        self.host = host
        self.error: ClusterlabError | None = None
        """Why the last fetch failed; None when it did not."""
        self._folder = folder
        self._loops = {loop.name: loop for loop in loops}
        self._started: list[_Started] = []
        self._until = 0.0

    def start(self, seconds: float) -> None:
        """Start all loops, which end by themselves after this many seconds.

        Raises HostError.
        """
        self._until = time.monotonic() + seconds
        self._begin(self._loops.values())

    def _begin(self, loops: Iterable[Loop]) -> None:
        seconds = max(0.0, self._until - time.monotonic())
        self.host.run(["mkdir", "-p", "-m", "700", self._folder], check=True)
        for script in ("ticks.sh", "append.sh"):
            self.host.write(f"{self._folder}/{script}", files(__package__).joinpath(script).read_bytes())
        lines = [_START]
        for loop in loops:
            period = round(loop.period * 100)
            command = shlex.join(loop.command)
            lines.append(
                f"setsid sh ticks.sh {self._folder}/{loop.name}.log $first {period} $until {command} "
                "</dev/null >/dev/null 2>&1 &\n"
            )
        asked = time.monotonic()
        started = self.host.run(
            ["sh", "-c", "".join(lines), "sh", self._folder, str(round(_LEAD * 100)), str(round(seconds * 100))],
            check=True,
        )
        answered = time.monotonic()
        uptime, first = (int(word) / 100 for word in started.stdout.split())
        began = anchor(uptime, asked, answered)
        self._started.append(_Started(first, (began, began)))

    def fetch(self) -> None:
        """Get the logs. A host that does not answer keeps what was fetched before.

        `error` then says why.

        On a host that was rebooted, the loops that ask are started again.
        """
        asked = time.monotonic()
        try:
            answer = self.host.run(["sh", "-c", _FETCH, "sh", self._folder], timeout=_ANSWER, spare=True)
        except ClusterlabError as error:
            self.error = error
            return
        sections = _sections(answer.stdout)
        if "@end" not in sections:  # it has been rebooted: the loops are gone, and its uptime began again
            self.error = HostError(self.host.name, f"{self._folder} is gone: the host was rebooted")
            self._resume()
            return
        self.error = None
        now = self._started[-1]
        now.anchors = (now.anchors[0], anchor(float(_word(sections, "@uptime")), asked, asked + answer.seconds))
        now.used = max(now.used, int(_word(sections, "@used")) / 100)  # loops that have ended count no more
        now.logs = {
            key.removeprefix("@log ").removesuffix(".log"): text
            for key, text in sections.items()
            if key.startswith("@log ")
        }

    def _resume(self) -> None:
        loops = [loop for loop in self._loops.values() if loop.resumes]
        if not loops:
            return
        try:
            self._begin(loops)
        except ClusterlabError as error:
            self.error = error

    def end(self, patience: float) -> None:
        """Let the loops end, and fetch what they wrote last.

        Each finishes what it is doing, for at most this many seconds.
        """
        try:
            self.host.run(["sh", "-c", _STOP, "sh", self._folder, str(round(patience * 10))], timeout=patience + 30)
        except ClusterlabError as error:
            self.error = error
            return
        self.fetch()

    def remove(self) -> None:
        """End all loops at once, and remove their folder.

        Raises HostError, DeadlineExceeded.
        """
        self.host.run(["sh", "-c", _REMOVE, "sh", self._folder], check=True)

    def record(self, name: str) -> Record:
        """What a loop that is not started again has done, as far as it was fetched."""
        return read_record(f"{name} on {self.host.name}", self._started[0].logs.get(name, ""))

    def series(self, name: str, target: str) -> Series:
        """The ticks of a loop until the last fetch, in this workstation's time."""
        loop = self._loops[name]
        label = f"{name} on {self.host.name}"
        started = self._started if loop.resumes else self._started[:1]
        return Series(target, loop.period, tuple(joined([one.ticks(loop, label) for one in started], loop.period)))

    def resumed(self, since: float) -> float | None:
        """When the loops were started again after a moment, in this workstation's time.

        None when they were not.
        """
        return next((one.anchors[0].local for one in self._started[1:] if one.anchors[0].local > since), None)

    @property
    def cost(self) -> float:
        """The share of one CPU that the loops of this host take."""
        elapsed = sum(one.anchors[1].uptime - one.anchors[0].uptime for one in self._started)
        return sum(one.used for one in self._started) / elapsed if elapsed > 0 else 0.0


def start_all(hosts: Hosts, folder: str, loops: Mapping[str, Sequence[Loop]], seconds: float) -> list[Ticking]:
    """Start the loops of each host.

    Raises ClusterlabError when one cannot be started; the others are removed then.
    """
    all_of = [Ticking(hosts[name], folder, of_host) for name, of_host in loops.items() if of_host]
    try:
        results_of(parallel(lambda one: one.start(seconds), all_of, name="prober"))
    except BaseException:
        parallel(lambda one: one.remove(), all_of, name="prober")
        raise
    return all_of


def fetch_all(all_of: Iterable[Ticking]) -> None:
    """Fetch from all hosts at the same time."""
    parallel(lambda one: one.fetch(), all_of, name="prober")


def _sections(text: str) -> dict[str, str]:
    """What follows each line that begins with @, by that line.

    Of the first two the word that follows is in the key.
    """
    sections: dict[str, str] = {}
    key = ""
    for line in text.splitlines(keepends=True):
        if line.startswith("@"):
            key = line.strip()
            sections[key] = ""
        else:
            sections[key] = sections.get(key, "") + line
    return sections


def _word(sections: Mapping[str, str], name: str) -> str:
    """The word after a name in a line of its own."""
    return next(key.partition(" ")[2] for key in sections if key.startswith(f"{name} "))
