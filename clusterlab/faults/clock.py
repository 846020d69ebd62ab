"""The fault `clock`: the clock of a host is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import Field

from clusterlab.model.base import Issue

from .kind import UNSUPPORTED, Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

_CHIP = "/sys/class/rtc/rtc0/since_epoch"
_OFFSET = f"echo $(($(date +%s) - $(cat {_CHIP})))"
_BY = re.compile(r"^([+-])(\d+)([smhd])$")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SERVICES = "systemd-timesyncd chrony ntpsec ntpd openntpd"


class ClockParameters(HostParameters):
    """How far the clock is moved."""

    by: str = Field(description="forwards or backwards", examples=["+100d", "-2h", "+90s"])

    def issues(self) -> Iterator[Issue]:
        if not _BY.match(self.by):
            yield Issue(("by",), f"'{self.by}' is not a difference of time", "Write it like +100d, -2h or +90s.")
        elif abs(self.seconds) < 5:
            yield Issue(("by",), "less than 5 s cannot be distinguished from a clock that is merely inexact")

    @property
    def seconds(self) -> int:
        found = _BY.match(self.by)
        assert found is not None
        return int(f"{found[1]}{found[2]}") * _UNITS[found[3]]


class Clock(FaultKind[ClockParameters]):
    """Sets the clock of a host wrong, and stops what would correct it.

    Healed from the clock chip.

    What runs goes on, since timeouts count monotonic time. New TLS connections fail outside of a certificate's time: a
    node is not Ready once its engine is restarted.
    """

    name = "clock"
    model = ClockParameters
    abilities = frozenset({"clock"})
    named = True

    def parts(self, params: ClockParameters, scene: Scene) -> list[OnHost]:
        inject = f"""[ -r {_CHIP} ] || {{ echo "it has no clock chip to be healed from" >&2; exit {UNSUPPORTED}; }}
for service in {_SERVICES}; do
    if systemctl is-active --quiet $service; then echo $service >>/run/clusterlab/faults/FAULT_ID/services; fi
done
for service in $(cat /run/clusterlab/faults/FAULT_ID/services 2>/dev/null); do systemctl stop $service; done
date --set "@$(($(date +%s) + {params.seconds}))" >/dev/null"""
        heal = f"""read -r now <{_CHIP} && date --set "@$now.5" >/dev/null || return 1
for service in $(cat /run/clusterlab/faults/FAULT_ID/services 2>/dev/null); do systemctl start $service; done"""
        return [OnHost(params.at, inject, heal)]

    def effect(self, params: ClockParameters, scene: Scene, before: Before) -> Seen:
        offset = int(scene.said(params.at, _OFFSET))
        return Seen(abs(offset - params.seconds) <= 2, f"the clock of {params.at} is {offset:+d} s off its clock chip")

    def gone(self, params: ClockParameters, scene: Scene, before: Before) -> Seen:
        offset = int(scene.said(params.at, _OFFSET))
        return Seen(abs(offset) <= 1, f"the clock of {params.at} is {offset:+d} s off its clock chip")


CLOCK = Clock()
