"""A drill while it goes on.

What its probers and writers have seen so far, a series for each thing that is judged.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from clusterlab.errors import ClusterlabError
from clusterlab.faults import Injection, Scene
from clusterlab.parallel import parallel
from clusterlab.results import Outcome

from . import writing
from .expectations import Span, steady
from .moments import Watch
from .plan import DrillPlan, Judged, Stream
from .series import Series, any_of, without_power
from .ticking import FOLDER, Ticking, fetch_all, start_all

FETCH_SECONDS = 5.0
"""Between two fetches while a fault lasts, and between two proofs that it does."""
_MARGIN = 300.0
"""How much longer than planned the loops may run.

Injecting, proving and healing take their time.
"""


class NotBegun(ClusterlabError):
    """Not all was well before, so that nothing was broken or changed."""


@dataclass
class Drilling:
    """One drill: its loops, what was injected, and when."""

    scene: Scene
    plan: DrillPlan
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    streams: list[Stream] = field(default_factory=list)
    ticking: list[Ticking] = field(default_factory=list)
    began: float = 0.0
    span: Span | None = None
    watch: Watch | None = None
    injections: list[Injection] = field(default_factory=list)
    stopped: list[tuple[str, float]] = field(default_factory=list)
    """Hosts that are stopped and started by something else than a fault, and a moment before each time."""

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Probers and writers run inside the block; nothing of them remains after it."""
        scene, plan = self.scene, self.plan
        self.streams = list(plan.streams)
        with ExitStack() as closing:
            for index, stream in enumerate(self.streams):
                if stream.writes:
                    writer = plan.drill.writers[stream.subject]
                    self.streams[index] = writing.prepared(scene.hosts, writer, stream, self.id)
            for name, writer in plan.drill.writers.items():
                closing.callback(writing.remove, scene.hosts, writer, self.of(name), self.id)
            loops = replace(plan, streams=tuple(self.streams)).loops()
            self.began = time.monotonic()
            self.ticking = start_all(scene.hosts, f"{FOLDER}/{self.id}", loops, plan.seconds + _MARGIN)
            closing.callback(lambda: parallel(lambda one: one.remove(), self.ticking, name="prober"))
            yield

    def wait(self, until: float, stop: threading.Event, each: Callable[[], None] | None = None) -> None:
        """Fetch from time to time until a moment.

        `each` is called after each fetch but the last.
        """
        while (left := until - time.monotonic()) > 0:
            stop.wait(min(left, FETCH_SECONDS))
            fetch_all(self.ticking)
            if each is not None and until - time.monotonic() > 0:
                each()
        fetch_all(self.ticking)

    def require_steady(self) -> None:
        """Raise NotBegun unless every request was answered, at the rate of its prober."""
        now = time.monotonic()
        wrong = []
        for label, series in self.every():
            # the last tick may be under way
            met = steady(series.between(0, now - 2 * series.period))
            if met.outcome is not Outcome.PASS:
                wrong.append(f"{label}: {met.found}")
        if wrong:
            raise NotBegun(
                f"the drill was not begun, because not all was well before: {'; '.join(wrong)}",
                remedy="`clusterlab check` says what does not hold.",
            )

    def still(self) -> None:
        """Prove once more that each fault is in effect; raises EndedEarly."""
        for injection in self.injections:
            injection.still()
        if self.watch is not None:
            self.watch.look()

    def end(self) -> None:
        """Let the loops end after what they are doing, and fetch what they wrote last."""
        patience = self.slowest(1.0) + 10.0
        parallel(lambda one: one.end(patience), self.ticking, name="prober")

    def slowest(self, otherwise: float = 0.0) -> float:
        """The longest period of any prober or writer."""
        return max((one.loop.period for one in self.streams), default=otherwise)

    def of(self, subject: str) -> list[Stream]:
        """The streams of a prober or writer."""
        return [one for one in self.streams if one.subject == subject]

    def series(self, stream: Stream) -> Series:
        """What one stream has seen so far."""
        ticking = next(one for one in self.ticking if one.host.name == stream.source)
        found = ticking.series(stream.loop.name, stream.label)
        if not stream.pool or stream.source != stream.target:
            return found
        for since in self._lost_since(stream.source):
            until = ticking.resumed(since) or (time.monotonic() if ticking.error else since)
            found = without_power(found, since, until)
        return found

    def _lost_since(self, host: str) -> Iterator[float]:
        for injection in self.injections:
            if host in injection.kind.lost(injection.params, self.scene):
                yield injection.began
        yield from (since for name, since in self.stopped if name == host)

    def judged(self, one: Judged) -> list[tuple[str, Series]]:
        """What an expectation is about, by its label."""
        known = {(stream.source, stream.loop.name): stream for stream in self.streams}
        streams = [known[stream.source, stream.loop.name] for stream in one.streams]
        if not one.together:
            return self._pooled(streams, lambda stream: stream.pool or stream.label)
        return self._pooled(streams, lambda stream: stream.pool or f"{stream.source} -> any")

    def all_judged(self) -> list[tuple[str, Series]]:
        """What all expectations are about, each once."""
        return list({label: series for one in self.plan.judged for label, series in self.judged(one)}.items())

    def every(self) -> list[tuple[str, Series]]:
        """Each stream, and each pool in the place of its streams."""
        return self._pooled(self.streams, lambda stream: stream.pool or stream.label)

    def together(self) -> list[tuple[str, Series]]:
        """What a client of a prober sees that tries all of its targets.

        Where there are several.
        """
        found = []
        for subject in self.plan.drill.probers:
            streams = [one for one in self.of(subject) if not one.pool]
            for source in dict.fromkeys(one.source for one in streams):
                several = [self.series(one) for one in streams if one.source == source]
                if len(several) > 1:
                    found.append((f"{source} -> any", any_of(several, f"{source} -> any")))
        return found

    def _pooled(self, streams: Sequence[Stream], pool: Callable[[Stream], str]) -> list[tuple[str, Series]]:
        pools: dict[str, list[Stream]] = {}
        for stream in streams:
            pools.setdefault(pool(stream), []).append(stream)
        found = []
        for label, of_pool in pools.items():
            several = [self.series(one) for one in of_pool]
            found.append((label, several[0] if len(several) == 1 else any_of(several, label)))
        return found
