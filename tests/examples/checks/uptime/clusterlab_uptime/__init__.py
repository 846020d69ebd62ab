"""uptime: how long a host has been running, at least or at most."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from clusterlab.checks.finding import Finding, ask_each, finding
from clusterlab.checks.kind import CheckKind
from clusterlab.checks.manual.line import Line
from clusterlab.checks.manual.where import Where
from clusterlab.checks.place import NotUnderstood, Place
from clusterlab.checks.places import Places
from clusterlab.model.base import Duration, Issue
from clusterlab.model.probes import Probe

_READ = ["cut", "-d ", "-f1", "/proc/uptime"]


class UptimeProbe(Probe):
    """How long the kernel of a host has been running."""

    at_least: Duration | None = Field(default=None, examples=["10m"])
    at_most: Duration | None = None

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        if not self.given("at_least", "at_most"):
            yield Issue((), "this asserts nothing", "Add at_least: or at_most:.")


class Uptime(CheckKind[UptimeProbe]):
    name = "uptime"
    model = UptimeProbe
    tools = ("cut",)

    def ask(self, probe: UptimeProbe, places: Places) -> list[Finding]:
        return ask_each(places.of(probe), summary(probe), lambda place: self._read(probe, place, places))

    def _read(self, probe: UptimeProbe, place: Place, places: Places) -> Finding:
        places.tool(place, "cut")
        completed = places.run(place, _READ)
        try:
            seconds = float(completed.stdout)
        except ValueError as error:
            raise NotUnderstood("/proc/uptime could not be read", detail=completed.output) from error
        low, high = probe.at_least or 0.0, probe.at_most or float("inf")
        return finding(
            place,
            place.typed(_READ),
            holds=low <= seconds <= high,
            wanted=summary(probe),
            found=f"up for {seconds:.0f} s",
            output=completed.output,
        )

    def manual(self, probe: UptimeProbe, where: Where) -> Iterator[Line]:
        low, high = probe.at_least or 0.0, probe.at_most or 1e12
        for place in where.of(probe):
            command = place.typed(_READ)
            test = f"awk '{{ exit !($1 >= {low:.0f} && $1 <= {high:.0f}) }}'"
            yield Line(place.host, command, summary(probe), f"{command} | {test}")


KIND = Uptime()


def summary(probe: UptimeProbe) -> str:
    parts = [f"up for at least {probe.at_least:g} s"] if probe.at_least is not None else []
    parts += [f"up for at most {probe.at_most:g} s"] if probe.at_most is not None else []
    return ", ".join(parts)
