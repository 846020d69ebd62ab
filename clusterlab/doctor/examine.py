"""From a cluster that was seen to findings.

All diagnoses, suspicions read twice, consequences folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from .cluster import Cluster, Plan
from .codes import DIAGNOSES
from .diagnosis import Diagnosis
from .finding import Diagnosed, Finding, Severity, Unknown

PAUSE = 3.0
"""Seconds after which a suspicion that may pass by itself is read again.

The interval is the measurement: a fault that stays has no end to wait for, and what both readings show has lasted for
that long. Reading more often would only cost the hosts more.
"""
_ORDER = list(Severity)


def examine(
    cluster: Cluster,
    again: Callable[[], Cluster] | None = None,
    diagnoses: Mapping[str, Diagnosis] = DIAGNOSES,
) -> Diagnosed:
    """Everything that is wrong with a cluster.

    `again` reads it once more after PAUSE: it is called when a code was found that may pass by itself, and only what
    both readings show is reported.
    """
    findings, unknown = _all(cluster, diagnoses)
    if again and any(diagnoses[one.code].passing for one in findings):
        following = again()
        following.follow(cluster)
        later, unknown = _all(following, diagnoses)
        before = {one.key for one in findings}
        findings = [one for one in later if one.key in before or not diagnoses[one.code].passing]
    return Diagnosed(tuple(sorted(fold(findings, diagnoses), key=_rank)), tuple(_once(unknown)), tuple(diagnoses))


def added(planned: Cluster, plan: Plan, diagnoses: Mapping[str, Diagnosis] = DIAGNOSES) -> Diagnosed:
    """What a stack would meet: what is found on the cluster with it, and not on the cluster as it is.

    Both are of one reading, so that nothing else can be different.
    """
    known, unseen = _all(plan.now, diagnoses)
    found, missing = _all(planned, diagnoses)
    keys = {one.key for one in known}
    new = fold([one for one in found if one.key not in keys], diagnoses)
    named = [replace(one, cause=f"with the stack {plan.stack.name}: {one.cause}") for one in new]
    blind = {(one.key, one.reason) for one in unseen}
    unknown = [one for one in _once(missing) if (one.key, one.reason) not in blind]
    return Diagnosed(tuple(sorted(named, key=_rank)), tuple(unknown), tuple(diagnoses))


def _all(cluster: Cluster, diagnoses: Mapping[str, Diagnosis]) -> tuple[list[Finding], list[Unknown]]:
    findings: list[Finding] = []
    unknown: list[Unknown] = []
    for diagnosis in diagnoses.values():
        found, missing = diagnosis.evaluate(cluster)
        findings += found
        unknown += missing
    return findings, unknown


def fold(findings: Iterable[Finding], diagnoses: Mapping[str, Diagnosis] = DIAGNOSES) -> list[Finding]:
    """The findings without those that a more basic one explains; that one names them."""
    left = list(findings)
    roots = sorted((one for one in left if diagnoses[one.code].root), key=lambda one: diagnoses[one.code].root)
    folded: dict[int, list[Finding]] = {}  # by identity: a service and its volume may have one name, and so one key
    gone: set[int] = set()
    for root in roots:
        if id(root) in gone:
            continue
        chain = [root]
        while chain:
            cause = chain.pop()
            for other in left:
                if id(other) not in gone and other is not root and _explains(cause, other):
                    gone.add(id(other))
                    folded.setdefault(id(root), []).append(other)
                    chain.append(other)
    return [
        replace(one, explains=tuple(other.key for other in folded.get(id(one), ())))
        for one in left
        if id(one) not in gone
    ]


def _explains(cause: Finding, other: Finding) -> bool:
    same = not other.hosts or not cause.hosts or bool(set(cause.hosts) & set(other.hosts))
    return other.code in cause.consequences and same


def _rank(finding: Finding) -> tuple[int, str, str]:
    return _ORDER.index(finding.severity), finding.code, finding.subject


def _once(unknown: Iterable[Unknown]) -> list[Unknown]:
    return list({(one.key, one.reason): one for one in unknown}.values())
