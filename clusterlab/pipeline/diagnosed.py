"""What doctor names on the hosts of statements that failed: one reading for all of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from clusterlab.checks.runner import jobs_of
from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model import Lab
from clusterlab.progress import Progress
from clusterlab.remote import Hosts
from clusterlab.results import Named, Outcome, Result
from clusterlab.waiting import within

LONGEST = 60.0
"""Seconds for the reading: a host that hangs keeps no result back for longer."""
_FAILED = (Outcome.FAIL, Outcome.ERROR)


def failures(results: Sequence[Result]) -> list[Result]:
    """The results that doctor may explain: what is blocked has a cause already."""
    return [one for one in results if one.outcome in _FAILED]


def diagnosed(lab: Lab, hosts: Hosts, results: Sequence[Result], progress: Progress) -> list[Result]:
    """The results; those that failed with the errors that doctor finds on their hosts.

    Raises ClusterlabError when doctor cannot read the hosts in time.
    """
    from clusterlab.doctor.finding import Severity
    from clusterlab.doctor.run import examined, of_lab

    failed = {(one.play, one.check) for one in failures(results)}
    about = {(job.play, job.check.title): job.subjects.hosts for job in jobs_of(lab, hosts)}
    concerned = {host for key in failed for host in about.get(key, ())} | set(lab.inventory.with_role("swarm_manager"))
    whole = of_lab(lab)
    scope = replace(whole, asked=tuple(one for one in whole.asked if one.name in concerned))
    if not scope.asked:
        return list(results)
    asked = {one.name: hosts[one.name] for one in scope.asked}
    examination = within(LONGEST, lambda: examined(scope, progress, hosts=asked))
    if isinstance(examination, ClusterlabError):
        raise examination
    if examination is None:
        raise HostError(lab.name, f"doctor has not ended within {LONGEST:g} s", remedy="Run `clusterlab doctor`.")
    errors = [one for one in examination.findings if one.severity is Severity.ERROR]

    def named(result: Result) -> Result:
        key = (result.play, result.check)
        if key not in failed:
            return result
        mine = [one for one in errors if _concerns(one.hosts, about.get(key, frozenset()))]
        return replace(result, doctor=tuple(Named(one.code, one.cause) for one in mine))

    return [named(one) for one in results]


def _concerns(found: Collection[str], asked: Collection[str]) -> bool:
    """Whether a finding on some hosts may explain a statement about others; one between hosts needs two of them."""
    return len({*found} & {*asked}) >= min(2, len({*found}))
