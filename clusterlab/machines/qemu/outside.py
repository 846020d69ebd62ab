"""Virtual machines from outside.

What QEMU's monitor can do to them, and their process.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from clusterlab.errors import ClusterlabError
from clusterlab.machines.outside import Operation
from clusterlab.remote import Hosts

from .clocks import SET
from .files import LabFiles
from .qmp import monitor

_END_SECONDS = 10.0
_PAUSED = ("paused", "prelaunch", "suspended")


@dataclass(frozen=True)
class QemuOutside:
    """The machines of one lab; see `clusterlab.machines.outside.Outside`.

    `up` boots those that do not run.
    """

    files: LabFiles
    up: Callable[[], None]

    def carry_out(self, host: str, operation: Operation, value: int = 0) -> None:
        match operation:
            case "unplug" | "plug":
                self._qmp(host, "set_link", name="lan", up=operation == "plug")
            case "power_off":
                self._kill(host)
            case "power_on":
                self.up()  # also for one that runs: what started it may have been killed before it answered
            case "pause":
                self._qmp(host, "stop")
            case "resume":
                if self.state(host) == "paused":
                    self._qmp(host, "cont")
                    self._set_clock(host)
            case "reset":
                self._qmp(host, "system_reset")
            case "throttle" | "unthrottle":
                limits = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops_rd", "iops_wr"), 0)
                self._qmp(host, "block_set_io_throttle", device="disk", iops=value, **limits)

    def state(self, host: str) -> Literal["running", "paused", "off"]:
        if self.files.machines[host].process is None:
            return "off"
        return "paused" if self._qmp(host, "query-status")["status"] in _PAUSED else "running"

    def _kill(self, host: str) -> None:
        """End QEMU at once, as when the power fails.

        Asked to quit, it would write what it still holds.
        """
        process = self.files.machines[host].process
        if process is None:
            return
        process.signal(signal.SIGKILL)
        if not process.wait(_END_SECONDS):
            raise ClusterlabError(f"{host}: QEMU process {process.pid} does not end")

    def _set_clock(self, host: str) -> None:
        """The clock stood still meanwhile; the clock chip went on."""
        with Hosts({host: self.files.target(host, self.files.ports[host])}) as hosts:
            hosts[host].run(SET, check=True)

    def _qmp(self, host: str, command: str, **arguments: object) -> dict[str, str]:
        try:
            with monitor(self.files.machines[host].folder) as qemu:
                answer: dict[str, str] = qemu.execute(command, **arguments)
                return answer
        except OSError as error:
            raise ClusterlabError(f"{host}: its QEMU does not answer: {error}", remedy="run up") from error
