"""What a diagnosis is.

One stable code, its article, and how it is found in a cluster that was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from .cluster import Cluster
from .finding import Finding, Fix, NotSeen, Seen, Severity, Unknown
from .host_view import HostView

Found = Iterator[Finding | NotSeen]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One code.

    `cluster` looks at the cluster as a whole, `host` at each host with an engine; each yields findings.

    A generator that meets a fact that was not seen raises NotSeen: what it has yielded until then counts, and the code
    is unknown for that host, or for the cluster.
    """

    code: str
    title: str  # what is wrong, as a heading
    severity: Severity  # the worst that it reports
    effect: str  # what people notice, and why
    detection: str  # which facts it follows from
    guard: str = ""  # what looks like it and is not
    remedy: str  # in prose; the findings have the commands
    references: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()  # codes of preconditions of checks that mean the same
    root: int = 0  # order among the codes that fold others into them, the most basic first; 0: none
    passing: bool = False  # it may go away by itself within seconds, so that it is read twice
    needs_swarm: bool = False  # without a Swarm there is nothing to evaluate
    cluster: Callable[[Cluster], Found] | None = field(default=None, repr=False)
    host: Callable[[HostView, Cluster], Found] | None = field(default=None, repr=False)
    every_host: bool = False  # `host` looks at hosts without an engine, too

    @property
    def name(self) -> str:
        return self.code

    def finding(
        self,
        subject: str,
        cause: str,
        evidence: Sequence[Seen] = (),
        fix: Sequence[Fix] = (),
        *,
        severity: Severity | None = None,
        hosts: Sequence[str] = (),
        consequences: Sequence[str] = (),
    ) -> Finding:
        """A finding of this code."""
        return Finding(
            self.code,
            severity or self.severity,
            subject,
            cause,
            tuple(evidence),
            tuple(fix),
            tuple(hosts),
            tuple(consequences),
        )

    def evaluate(self, cluster: Cluster) -> tuple[list[Finding], list[Unknown]]:
        """What it finds, and where it could not be evaluated."""
        found: list[Finding] = []
        unknown: list[Unknown] = []
        if self.needs_swarm:
            try:
                in_swarm = cluster.in_swarm
            except NotSeen as error:
                return found, [self._unknown("cluster", error)]
            if not in_swarm:
                silent = [host for host in cluster.engines() if host not in cluster.answering()]
                reason = "its engine does not say whether it is in a Swarm"
                return found, [Unknown(self.code, host.name, reason) for host in silent]
        if self.cluster is not None:
            self._collect("cluster", self.cluster(cluster), found, unknown)
        if self.host is not None:
            for host in cluster.hosts.values() if self.every_host else cluster.engines():
                self._collect(host.name, self.host(host, cluster), found, unknown)
        return found, unknown

    def _collect(self, subject: str, findings: Found, found: list[Finding], unknown: list[Unknown]) -> None:
        try:
            for one in findings:  # what came before a fact that was not seen counts
                if isinstance(one, NotSeen):
                    unknown.append(self._unknown(subject, one))
                else:
                    found.append(one)
        except NotSeen as error:
            unknown.append(self._unknown(subject, error))

    def _unknown(self, subject: str, error: NotSeen) -> Unknown:
        """For the host that was not seen.

        For other things, such as the Swarm, the reason names them.
        """
        return Unknown(self.code, error.subject or subject, error.reason, error.remedy)


def answers(hosts: Iterable[HostView], ask: Callable[[HostView], T]) -> tuple[dict[str, T], list[NotSeen]]:
    """What each host answers, and what was not seen on the others."""
    found: dict[str, T] = {}
    missing: list[NotSeen] = []
    for host in hosts:
        try:
            found[host.name] = ask(host)
        except NotSeen as error:
            missing.append(error)
    return found, missing
