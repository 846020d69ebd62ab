"""One drill: steady, injected, measured, healed, recovered, read back.

And what all of it says.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from clusterlab.errors import ClusterlabError
from clusterlab.faults import (
    FAULTS,
    EndedEarly,
    FaultSpec,
    Injection,
    NotHealed,
    Refused,
    Residue,
    Scene,
    Unsupported,
    injected,
)
from clusterlab.parallel import parallel
from clusterlab.results import Evidence, Moment, Outcome, Result, Timeline, worst

from . import writing
from .expectations import Met, Span, meets, recovered, steady
from .history import Judgement
from .moments import Watch
from .plan import DrillPlan, Judged, Stream
from .series import Series, any_of
from .strips import strip
from .ticking import FOLDER, Ticking, fetch_all, start_all

FETCH_SECONDS = 5.0
"""Between two fetches while a fault lasts, and between two proofs that it does."""
_RECOVERY_FETCH_SECONDS = 1.0
_MARGIN = 300.0
"""How much longer than planned the loops may run: injecting, proving and healing take their time."""


@dataclass
class _Drilling:
    """A drill while it goes on."""

    scene: Scene
    plan: DrillPlan
    id: str
    streams: list[Stream]
    ticking: list[Ticking] = field(default_factory=list)
    began: float = 0.0
    span: Span | None = None
    watch: Watch | None = None
    injections: list[Injection] = field(default_factory=list)

    def series(self, stream: Stream) -> Series:
        of_host = next(one for one in self.ticking if one.host.name == stream.source)
        return of_host.series(stream.loop.name, stream.label)


class NotBegun(ClusterlabError):
    """Not all was well before the fault, so that it was not injected."""


def run_drill(scene: Scene, plan: DrillPlan, stop: threading.Event | None = None) -> Result:
    """Carry a drill out. What goes wrong is in its result.

    Only an interrupt is raised, when all has been healed.
    """
    began = time.monotonic()
    drilling = _Drilling(scene, plan, secrets.token_hex(4), list(plan.streams))
    evidence: list[tuple[Outcome, Evidence]] = []
    hint = ""
    try:
        with _measuring(drilling):
            error = _broken(drilling, stop or threading.Event())
            evidence += _verdicts(drilling)
            evidence += _final_reads(drilling)
        if error is not None:
            raise error
    except Unsupported as error:
        evidence.append((Outcome.UNSUPPORTED, _error_evidence(plan, error)))
        hint = error.message
    except ClusterlabError as error:
        evidence.append((Outcome.ERROR, _error_evidence(plan, error)))
        hint = error.remedy
    outcomes = [outcome for outcome, _ in evidence]
    outcome = Outcome.ERROR if Outcome.ERROR in outcomes else worst(outcomes)
    return Result(
        plan.play,
        plan.title,
        "drill",
        outcome,
        seconds=time.monotonic() - began,
        evidence=tuple(one for _, one in evidence),
        hint=hint or (plan.drill.hint if outcome is not Outcome.PASS else ""),
        timeline=_timeline(drilling),
    )


@contextmanager
def _measuring(drilling: _Drilling) -> Iterator[None]:
    """Probers and writers run inside the block; nothing of them remains after it."""
    scene, plan = drilling.scene, drilling.plan
    with ExitStack() as closing:
        for index, stream in enumerate(drilling.streams):
            if stream.writes:
                writer = plan.drill.writers[stream.subject]
                drilling.streams[index] = writing.prepared(scene.hosts, writer, stream, drilling.id)
        for name, writer in plan.drill.writers.items():
            mine = [stream for stream in drilling.streams if stream.subject == name]
            closing.callback(writing.remove, scene.hosts, writer, mine, drilling.id)
        loops = replace(plan, streams=tuple(drilling.streams)).loops()
        drilling.began = time.monotonic()
        drilling.ticking = start_all(scene.hosts, f"{FOLDER}/{drilling.id}", loops, plan.seconds + _MARGIN)
        closing.callback(_remove, drilling.ticking)
        yield


def _remove(ticking: Sequence[Ticking]) -> None:
    parallel(lambda one: one.remove(), ticking, name="prober")


def _broken(drilling: _Drilling, stop: threading.Event) -> ClusterlabError | None:
    """The phases from steady to recovered.

    Returns what went wrong with a fault after it was injected.
    """
    scene, drill = drilling.scene, drilling.plan.drill
    with scene.progress.task(drilling.plan.title, f"measuring for {drill.steady:g} s before the fault"):
        slowest = max((one.loop.period for one in drilling.streams), default=0.0)
        _wait(drilling, drilling.began + drill.steady + 2 * slowest + 1.0, stop)
    _require_steady(drilling)
    drilling.watch = Watch(scene)
    error: ClusterlabError | None = None
    healed = 0.0
    try:
        with ExitStack() as faults:
            for spec in drilling.plan.faults:
                drilling.injections.append(faults.enter_context(injected(spec, scene)))
            first = drilling.injections[0].began
            last = drilling.injections[-1].began
            with scene.progress.task(drilling.plan.title, f"measuring for {drill.lasts:g} s during the fault"):
                _wait(drilling, last + drill.lasts, stop, lambda: _still(drilling))
            drilling.watch.look()
            healed = time.monotonic()
            drilling.span = Span(first, healed, healed, drill.recovers)
    except (EndedEarly, NotHealed, Residue) as one:
        if drilling.span is None:  # before it was to be healed: what was seen proves nothing
            raise
        error = one
    assert drilling.span is not None
    with scene.progress.task(drilling.plan.title, f"waiting for recovery, for up to {drill.recovers:g} s"):
        _recover(drilling, healed + drill.recovers, stop)
    drilling.watch.look()
    patience = max((one.loop.period for one in drilling.streams), default=1.0) + 10.0
    parallel(lambda one: one.end(patience), drilling.ticking, name="prober")
    return error


def _still(drilling: _Drilling) -> None:
    """Prove once more that each fault is in effect; raises EndedEarly."""
    for injection in drilling.injections:
        injection.still()
    if drilling.watch is not None:
        drilling.watch.look()


def _wait(drilling: _Drilling, until: float, stop: threading.Event, each: Callable[[], None] | None = None) -> None:
    while (left := until - time.monotonic()) > 0:
        stop.wait(min(left, FETCH_SECONDS))
        fetch_all(drilling.ticking)
        if each is not None and until - time.monotonic() > 0:
            each()
    fetch_all(drilling.ticking)


def _require_steady(drilling: _Drilling) -> None:
    now = time.monotonic()
    wrong = []
    for stream in drilling.streams:
        # the last tick may be under way
        series = drilling.series(stream).between(0, now - 2 * stream.loop.period)
        met = steady(series)
        if met.outcome is not Outcome.PASS:
            wrong.append(f"{stream.label}: {met.found}")
    if wrong:
        raise NotBegun(
            f"the drill was not begun, because not all was well before: {'; '.join(wrong)}",
            remedy="`clusterlab check` says what does not hold.",
        )


def _recover(drilling: _Drilling, until: float, stop: threading.Event) -> None:
    """Wait until every target answers again and goes on answering, or the time is up.

    Then see what was seen.
    """
    span = drilling.span
    assert span is not None
    while True:
        fetch_all(drilling.ticking)
        well = all(recovered(drilling.series(one), span.healed) is not None for one in drilling.streams)
        if well or time.monotonic() >= until:
            break
        stop.wait(_RECOVERY_FETCH_SECONDS)
        if drilling.watch is not None:
            drilling.watch.look()
    slowest = max((one.loop.period for one in drilling.streams), default=0.0)
    drilling.span = replace(span, ended=time.monotonic() - slowest)


def _verdicts(drilling: _Drilling) -> Iterator[tuple[Outcome, Evidence]]:
    assert drilling.span is not None
    for judged in drilling.plan.judged:
        for label, series in _judged_series(drilling, judged):
            met = meets(judged.expectation, series, drilling.span)
            yield met.outcome, _evidence(drilling, judged, label, met)


def _judged_series(drilling: _Drilling, judged: Judged) -> Iterator[tuple[str, Series]]:
    known = {(one.source, one.loop.name): one for one in drilling.streams}
    streams = [known[one.source, one.loop.name] for one in judged.streams]
    if not judged.together:
        yield from ((one.label, drilling.series(one)) for one in streams)
        return
    for source in dict.fromkeys(one.source for one in streams):
        label = f"{source} -> any"
        yield label, any_of([drilling.series(one) for one in streams if one.source == source], label)


def _evidence(drilling: _Drilling, judged: Judged, label: str, met: Met) -> Evidence:
    expectation = judged.expectation
    wanted = f"{expectation.subject} {expectation.expect}"
    if expectation.within is not None:
        wanted += f" from +{expectation.within:g} s on"
    if expectation.unavailable is not None:
        wanted += f", unavailable for at most {expectation.unavailable:g} s"
    fault = "; ".join(str(one) for one in drilling.injections)
    return Evidence(label, fault, wanted, met.found, holds=met.outcome is Outcome.PASS)


def _final_reads(drilling: _Drilling) -> Iterator[tuple[Outcome, Evidence]]:
    drill = drilling.plan.drill
    allowed = {one.writer: (one.lost, one.duplicated) for one in drill.after}
    for name, writer in drill.writers.items():
        mine = [stream for stream in drilling.streams if stream.subject == name]
        records = {one.host.name: one for one in drilling.ticking}
        found = {
            one.source: replace(records[one.source].record(one.loop.name), name=f"{name}-{one.source}") for one in mine
        }
        lost, duplicated = allowed.get(name, (0, 0))
        wanted = f"at most {lost} lost and {duplicated} duplicated, none foreign or reordered"
        try:
            judgement = writing.final(drilling.scene.hosts, writer, mine, found, drilling.id)
        except ClusterlabError as error:
            yield Outcome.ERROR, Evidence(name, "", wanted, error.message, error.detail, holds=False)
            continue
        well = _well(judgement, lost, duplicated)
        outcome = Outcome.PASS if well else Outcome.FAIL
        if not judgement.acknowledged:
            outcome = Outcome.ERROR  # nothing written is never a pass
        yield outcome, Evidence(f"writer {name}", "", wanted, str(judgement), holds=outcome is Outcome.PASS)


def _well(judgement: Judgement, lost: int, duplicated: int) -> bool:
    return (
        judgement.count("lost") <= lost
        and judgement.count("duplicated") <= duplicated
        and not any(judgement.count(what) for what in ("foreign", "refused", "reordered"))
    )


def _error_evidence(plan: DrillPlan, error: ClusterlabError) -> Evidence:
    wanted = "the drill is carried out" if not isinstance(error, Refused) else "the fault is permitted"
    return Evidence("", "", wanted, error.message, error.detail, holds=False)


def _timeline(drilling: _Drilling) -> Timeline | None:
    span = drilling.span
    if span is None:
        return None
    lead = max(1, min(10, int(span.injected - drilling.began - 1)))
    seconds = int(span.ended - span.injected) + lead
    strips = [
        strip(one.label, drilling.series(one), span.injected, span.healed, lead, seconds) for one in drilling.streams
    ]
    for subject in drilling.plan.drill.probers:
        for source in dict.fromkeys(one.source for one in drilling.streams if one.subject == subject):
            several = [one for one in drilling.streams if one.subject == subject and one.source == source]
            if len(several) > 1:
                label = f"{source} -> any"
                series = any_of([drilling.series(one) for one in several], label)
                strips.append(strip(label, series, span.injected, span.healed, lead, seconds))
    title = ", ".join(f"{spec.name} {_targets(spec)}".strip() for spec in drilling.plan.faults)
    seen = drilling.watch.moments(span.injected) if drilling.watch else ()
    costs = ", ".join(f"{one.host.name} {one.cost:.1%}" for one in drilling.ticking)
    cost = Moment(round(span.ended - span.injected, 1), f"the probers' share of a CPU: {costs}")
    moments = tuple(sorted((*seen, cost), key=lambda moment: moment.at))
    return Timeline(title, lead, span.healed - span.injected, tuple(strips), moments)


def _targets(spec: FaultSpec) -> str:
    """Whom a fault is about, as the file names them."""
    return ", ".join(str(target) for target in FAULTS[spec.name].names(spec.params))
