"""One drill: steady, injected, measured, healed, recovered, read back.

And what all of it says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from clusterlab.errors import ClusterlabError
from clusterlab.faults import (
    FAULTS,
    EndedEarly,
    FaultSpec,
    NotHealed,
    Refused,
    Residue,
    Scene,
    Unsupported,
    injected,
)
from clusterlab.faults.record import recorded
from clusterlab.results import Evidence, Moment, Outcome, Result, Timeline, worst

from . import writing
from .availability import availability
from .drilling import Drilling
from .expectations import Met, Span, meets, recovered
from .history import Judgement
from .moments import Placement, Watch
from .plan import DrillPlan, Judged
from .strips import strip
from .ticking import fetch_all

_RECOVERY_FETCH_SECONDS = 1.0


@dataclass(frozen=True)
class Drilled:
    """What became of a drill.

    `away` has the seconds for which each thing was unavailable, by its label.

    `placements` are the hosts of each service's tasks, from before the fault on.
    """

    plan: DrillPlan
    result: Result
    away: Mapping[str, float] = field(default_factory=dict)
    placements: tuple[Placement, ...] = ()


class DrillInterrupted(KeyboardInterrupt):
    """An interrupt of a drill, when its faults have been healed.

    With what was seen until then.
    """

    def __init__(self, drilled: Drilled) -> None:
        super().__init__("a drill was interrupted")
        self.drilled = drilled


def run_drill(scene: Scene, plan: DrillPlan, stop: threading.Event | None = None) -> Drilled:
    """Carry a drill out. What goes wrong is in its result.

    Only DrillInterrupted is raised, once all is healed.
    """
    if plan.lacks:
        return Drilled(plan, Result(plan.play, plan.title, "drill", Outcome.UNSUPPORTED, 0, hint=plan.lacks))
    began = time.monotonic()
    drilling = Drilling(scene, plan)
    evidence: list[tuple[Outcome, Evidence]] = []
    hint = ""
    interrupt: KeyboardInterrupt | None = None
    try:
        with drilling.measuring():
            error = _broken(drilling, stop or threading.Event())
            evidence += _verdicts(drilling)
            evidence += _final_reads(drilling)
        if error is not None:
            raise error
    except Unsupported as error:
        evidence.append((Outcome.UNSUPPORTED, _error_evidence(error)))
        hint = error.message
    except ClusterlabError as error:
        evidence.append((Outcome.ERROR, _error_evidence(error)))
        hint = error.remedy
    except KeyboardInterrupt as error:
        interrupt = error
        evidence = list(_until_interrupted(drilling))
        hint = _interrupted(drilling, time.monotonic() - began)
    outcomes = [outcome for outcome, _ in evidence]
    outcome = Outcome.ERROR if Outcome.ERROR in outcomes else worst(outcomes)
    result = Result(
        plan.play,
        plan.title,
        "drill",
        outcome if interrupt is None else Outcome.NOT_RUN,
        seconds=time.monotonic() - began,
        evidence=tuple(one for _, one in evidence),
        hint=hint or (plan.drill.hint if outcome is not Outcome.PASS else ""),
        timeline=_timeline(drilling),
    )
    drilled = Drilled(plan, result, _away(drilling), drilling.watch.placements if drilling.watch else ())
    if interrupt is not None:
        raise DrillInterrupted(drilled) from interrupt
    return drilled


def _broken(drilling: Drilling, stop: threading.Event) -> ClusterlabError | None:
    """The phases from steady to recovered.

    Returns what went wrong with a fault after it was injected.
    """
    scene, drill = drilling.scene, drilling.plan.drill
    with scene.progress.task(drilling.plan.title, f"measuring for {drill.steady:g} s before the fault"):
        drilling.wait(drilling.began + drill.steady + 2 * drilling.slowest() + 1.0, stop)
    drilling.require_steady()
    drilling.watch = Watch(scene)
    error: ClusterlabError | None = None
    healed = 0.0
    try:
        with ExitStack() as faults:
            try:
                for spec in drilling.plan.faults:
                    drilling.injections.append(faults.enter_context(injected(spec, scene)))
                first = drilling.injections[0].began
                last = drilling.injections[-1].began
                with scene.progress.task(drilling.plan.title, f"measuring for {drill.lasts:g} s during the fault"):
                    drilling.wait(last + drill.lasts, stop, drilling.still)
                drilling.watch.look()
                healed = time.monotonic()
                drilling.span = Span(first, healed, healed, drill.recovers)
            except KeyboardInterrupt:
                _end_now(drilling)
                raise
    except (EndedEarly, NotHealed, Residue) as one:
        if drilling.span is None:  # before it was to be healed: what was seen proves nothing
            raise
        error = one
    assert drilling.span is not None
    with scene.progress.task(drilling.plan.title, f"waiting for recovery, for up to {drill.recovers:g} s"):
        _recover(drilling, healed + drill.recovers, stop)
    drilling.watch.look()
    drilling.end()
    return error


def _end_now(drilling: Drilling) -> None:
    """Note that what was injected is healed from now on, because of an interrupt."""
    if drilling.injections:
        now = time.monotonic()
        drilling.span = Span(drilling.injections[0].began, now, now, drilling.plan.drill.recovers)
        fetch_all(drilling.ticking)


def _recover(drilling: Drilling, until: float, stop: threading.Event) -> None:
    """Wait until all that is judged answers again and goes on answering.

    Then see what was seen, at the latest when the time is up.
    """
    span = drilling.span
    assert span is not None
    while True:
        fetch_all(drilling.ticking)
        well = all(recovered(series, span.healed) is not None for _, series in drilling.all_judged())
        if well or time.monotonic() >= until:
            break
        stop.wait(_RECOVERY_FETCH_SECONDS)
        if drilling.watch is not None:
            drilling.watch.look()
    drilling.span = replace(span, ended=time.monotonic() - drilling.slowest())


def _verdicts(drilling: Drilling) -> Iterator[tuple[Outcome, Evidence]]:
    assert drilling.span is not None
    for judged in drilling.plan.judged:
        for label, series in drilling.judged(judged):
            met = meets(judged.expectation, series, drilling.span)
            yield met.outcome, _evidence(drilling, judged, label, met)


def _evidence(drilling: Drilling, judged: Judged, label: str, met: Met) -> Evidence:
    expectation = judged.expectation
    wanted = f"{expectation.subject} {expectation.expect}"
    if expectation.within is not None:
        wanted += f" from +{expectation.within:g} s on"
    if expectation.unavailable is not None:
        wanted += f", unavailable for at most {expectation.unavailable:g} s"
    return Evidence(label, _faults(drilling), wanted, met.found, holds=met.outcome is Outcome.PASS)


def _faults(drilling: Drilling) -> str:
    return "; ".join(str(one) for one in drilling.injections)


def _final_reads(drilling: Drilling) -> Iterator[tuple[Outcome, Evidence]]:
    drill = drilling.plan.drill
    allowed = {one.writer: (one.lost, one.duplicated) for one in drill.after}
    for name, writer in drill.writers.items():
        mine = drilling.of(name)
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


def _error_evidence(error: ClusterlabError) -> Evidence:
    wanted = "the drill is carried out" if not isinstance(error, Refused) else "the fault is permitted"
    return Evidence("", "", wanted, error.message, error.detail, holds=False)


def _until_interrupted(drilling: Drilling) -> Iterator[tuple[Outcome, Evidence]]:
    """What was seen of everything until the interrupt; it proves nothing."""
    if drilling.span is None:
        return
    span = drilling.span
    for label, series in drilling.every():
        found = availability(series.between(span.injected, span.ended), span.injected)
        wanted = "the drill is carried out to its end"
        yield Outcome.NOT_RUN, Evidence(label, _faults(drilling), wanted, f"until then: {found}", holds=False)


def _interrupted(drilling: Drilling, after: float) -> str:
    remaining = recorded(drilling.scene.lab.name)
    left = "a fault was not healed: run `clusterlab heal`" if remaining else "no fault remains"
    return f"interrupted after {after:.0f} s; {left}"


def _away(drilling: Drilling) -> Mapping[str, float]:
    span = drilling.span
    if span is None:
        return {}
    return {
        label: availability(series.between(span.injected, span.ended), span.injected).unavailable
        for label, series in [*drilling.every(), *drilling.together()]
    }


def _timeline(drilling: Drilling) -> Timeline | None:
    span = drilling.span
    if span is None:
        return None
    lead = max(1, min(10, int(span.injected - drilling.began - 1)))
    seconds = int(span.ended - span.injected) + lead
    strips = [
        strip(label, series, span.injected, span.healed, lead, seconds)
        for label, series in [*drilling.every(), *drilling.together()]
    ]
    title = ", ".join(f"{spec.name} {_targets(spec)}".strip() for spec in drilling.plan.faults)
    seen = drilling.watch.moments(span.injected) if drilling.watch else ()
    costs = ", ".join(f"{one.host.name} {one.cost:.1%}" for one in drilling.ticking)
    cost = Moment(round(span.ended - span.injected, 1), f"the probers' share of a CPU: {costs}")
    moments = tuple(sorted((*seen, cost), key=lambda moment: moment.at))
    return Timeline(title, lead, span.healed - span.injected, tuple(strips), moments)


def _targets(spec: FaultSpec) -> str:
    """Whom a fault is about, as the file names them."""
    return ", ".join(str(target) for target in FAULTS[spec.name].names(spec.params))
