"""The stages up, provision, apply, check and clean of one lab.

The one place that carries them out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from clusterlab.checks import run_checks
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.machines.saved_labs import saved_lab_of
from clusterlab.model import Lab
from clusterlab.model.checks import Check
from clusterlab.model.reserved import shown
from clusterlab.plan import apply, clean, deprovision, provision
from clusterlab.plan.apply import Survey
from clusterlab.plan.deprovision import Withdrawal
from clusterlab.plan.graph import carry_out
from clusterlab.plan.report import Report
from clusterlab.plan.stack_plan import StackPlan, stack_plans
from clusterlab.reports.plan import report_summary
from clusterlab.resources.base import Change, Skipped
from clusterlab.resources.deploying import AS_USUAL, Deploying
from clusterlab.resources.packages import FLAG as PACKAGES
from clusterlab.resources.swarm_kind import LEAVE
from clusterlab.results import Evidence, Outcome, Result

from .bringing_up import bring_up
from .diagnosed import diagnosed, failures
from .session import Session


class NotConverged(ClusterlabError):
    """Not every change of a stage was made; the report has all of them."""

    def __init__(self, report: Report) -> None:
        super().__init__(
            report_summary(report), remedy="\n".join(report.next_steps()), detail="\n".join(_not_made(report))
        )
        self.report = report


@dataclass
class Pipeline:
    """What one command does with a lab, stage by stage.

    A stage returns what came of it in half a sentence. It raises ClusterlabError when it could not be carried out, and
    KeyboardInterrupt when it was interrupted; what it found until then is in `results` and `reports` nevertheless.
    """

    session: Session
    allow_data_loss: bool = False
    remove_nodes: bool = False
    deploying: Deploying = AS_USUAL
    saved_lab: bool = False
    """Whether new machines start as the lab was saved when it was provisioned, and whether it is saved then."""
    fresh: bool = False
    """Whether new machines start from the image even so."""
    on_report: Callable[[str, Report], None] = lambda stage, report: None
    on_result: Callable[[Result], None] = lambda result: None
    interruption: Callable[[], KeyboardInterrupt] = KeyboardInterrupt
    """What to raise for a stage that ended in order when it was interrupted."""
    results: list[Result] = field(default_factory=list)
    """In the plays' order once `check` has ended, and in the order in which they ended until then."""
    reports: dict[str, Report] = field(default_factory=dict)
    remaining: list[str] | None = None
    """What `clean` has left on the hosts; None when it has not come so far."""
    _new: bool = field(default=False, init=False)  # this command created all machines

    def up(self) -> str:
        """Make the machines exist and answer."""
        self._new = bring_up(self.session, fresh=self.fresh or not self.saved_lab)
        return "the machines are up"

    def provision(self) -> str:
        """Prepare the hosts for their roles, and save the lab if nothing else was done with its machines so far."""
        changes = self.provision_changes()
        done = self._converge("provision", changes)
        if changes and self._new and self.saved_lab:
            self._save()
        return done

    def _save(self) -> None:
        """Save the lab for the next start; whether that succeeds does not matter to this run."""
        session = self.session
        try:
            if saved := saved_lab_of(session.machines):
                saved.save(session.hosts, session.progress)
        except ClusterlabError as error:
            why = "; ".join(error.message.splitlines())
            session.progress.say(session.lab.name, f"it is not saved for the next start: {why}")

    def apply(self) -> str:
        """Bring the hosts to what the plays want.

        An engine that provision has started may have a lab of this name that is somebody else's.
        """
        self.session.refuse_other_owners()
        survey = self._survey()
        return self._converge("apply", survey.changes, survey.bounds)

    def check(self) -> str:
        """Run every check of the plays."""
        session = self.session
        before = len(self.results)
        results = run_checks(session.lab, session.hosts, session.unsupported, self._keep, session.progress)
        self.results[before:] = results
        return f"{len(results)} checks"

    def diagnose(self) -> str:
        """Name beside what failed what doctor finds on its hosts; the verdict does not depend on it."""
        session = self.session
        try:
            self.results[:] = diagnosed(session.lab, session.hosts, self.results, session.progress)
        except ClusterlabError as error:
            session.progress.say("doctor", "; ".join(filter(None, (error.message, error.remedy))))
            return error.message
        codes = sorted({one.code for result in self.results for one in result.doctor})
        return f"doctor names {', '.join(codes)}" if codes else "doctor finds no error"

    def clean(self, delete_data: bool = False) -> str:
        """Remove what apply created.

        What is still there afterwards (volumes that hold data, say) is in `remaining`.
        """
        report = self._carry_out("clean", self.clean_changes(delete_data))
        self.remaining = clean.left_over(self.session.lab.name, self.session.hosts)
        if report.failed:
            raise NotConverged(report)
        rest = f", remaining: {', '.join(self.remaining)}" if self.remaining else ""
        return f"{len(report.done)} objects removed{rest}"

    def take_away(self, play: str, delete_data: bool = False) -> str:
        """Remove what was created for one play."""
        return self._converge("clean", self.clean_changes(delete_data, play))

    def withdrawal(self, packages: bool, swarm: bool) -> Withdrawal:
        """What would be taken back of what provision added, and what stays."""
        session = self.session
        allowed = [flag for flag, given in ((PACKAGES, packages), (LEAVE, swarm)) if given]
        with session.progress.task(session.lab.name, "inspecting hosts"):
            return deprovision.deprovision(session.lab.name, session.hosts, allowed, session.progress)

    def deprovision(self, withdrawal: Withdrawal) -> str:
        """Give the hosts back what they had before provision."""
        return self._converge("deprovision", withdrawal.changes)

    def provision_changes(self) -> list[Change]:
        """What the hosts lack for their roles."""
        session = self.session
        with session.progress.task(session.lab.name, "inspecting hosts"):
            return provision.provision(
                session.lab, session.hosts, session.unsupported, session.progress, self.remove_nodes
            )

    def apply_changes(self) -> list[Change]:
        """What the plays lack on the hosts."""
        return self._survey().changes

    def _survey(self) -> Survey:
        session = self.session
        with session.progress.task(session.lab.name, "inspecting engines"):
            return apply.survey(
                session.lab,
                session.hosts,
                self.allow_data_loss,
                session.unsupported,
                session.progress,
                self.deploying,
            )

    def clean_changes(self, delete_data: bool = False, play: str = "") -> list[Change]:
        """What has the lab's label on the hosts.

        `play` for what was created for that play alone.
        """
        session = self.session
        with session.progress.task(session.lab.name, "inspecting engines"):
            only = clean.of_play(play) if play else clean.everything
            return clean.clean(session.lab.name, session.hosts, delete_data, only=only)

    def planned(self) -> tuple[list[Change], list[StackPlan]]:
        """The changes of provision and apply, and what these mean for stacks.

        The engines are asked only when provision has nothing to do.
        """
        changes = self.provision_changes()
        if changes:
            self.session.progress.say(
                self.session.lab.name, "what apply would change is known once the hosts are provisioned"
            )
            return changes, []
        return self.planned_apply()

    def planned_apply(self) -> tuple[list[Change], list[StackPlan]]:
        """The changes of apply, and what these mean for stacks."""
        survey = self._survey()
        return survey.changes, stack_plans(survey.wants, survey.scope)

    def left_out(self) -> list[Skipped]:
        """What these machines cannot have."""
        lab, unsupported = self.session.lab, self.session.unsupported
        return [*provision.left_out(lab, unsupported), *apply.left_out(lab, unsupported)]

    @property
    def failed(self) -> bool:
        """Whether a statement failed that is not blocked by a known cause."""
        return bool(failures(self.results))

    def require_checks(self) -> None:
        """Raise UsageError when the plays state nothing that could be proven."""
        if not any(play.checks for play in self.session.lab.plays.values()):
            raise UsageError(
                "there is nothing to check", remedy="Name a play that has checks, or write one below playbooks/."
            )

    def _converge(self, stage: str, changes: list[Change], bounds: Mapping[str, int] = MappingProxyType({})) -> str:
        report = self._carry_out(stage, changes, bounds)
        if not report.ok:
            raise NotConverged(report)
        return "; ".join([report_summary(report), *report.notes()])

    def _carry_out(self, stage: str, changes: list[Change], bounds: Mapping[str, int] = MappingProxyType({})) -> Report:
        report = carry_out(changes, self.session.progress, bounds=bounds)
        self.reports[stage] = report
        self.on_report(stage, report)
        if report.interrupted:  # it ends in order then, without raising
            raise self.interruption()
        return report

    def _keep(self, result: Result) -> None:
        if result in self.results:  # reported again, because an interrupt came
            return
        self.results.append(result)
        self.on_result(result)


def complete_results(lab: Lab, results: list[Result], reason: str) -> None:
    """Give each check without a result one that says why it was not run.

    And bring all into the order of the plays.

    Results of other statements than the plays' own come first.
    """
    known = {(result.play, result.check): result for result in results}
    checks = [(shown(name), check) for name, play in lab.plays.items() for check in play.checks]
    stated = {(name, check.title) for name, check in checks}
    results[:] = [
        *(result for key, result in known.items() if key not in stated),
        *(known.get((name, check.title)) or _not_run(name, check, reason) for name, check in checks),
    ]


def _not_run(play: str, check: Check, reason: str) -> Result:
    why = f"not run: {reason}"
    evidence = Evidence("", "", check.title, why, holds=False)
    return Result(play, check.title, check.kind or "steps", Outcome.NOT_RUN, 0, evidence=(evidence,), hint=why)


def _not_made(report: Report) -> list[str]:
    lines = [f"{one.change.key}: {one.error.message}" for one in report.failed]
    lines += [f"{change.key}: blocked: {change.blocked}" for change in report.blocked]
    lines += [
        f"{one.change.key}: not attempted, because of {'; '.join(map(str, one.because))}" for one in report.skipped
    ]
    return lines
