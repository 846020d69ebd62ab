"""CL106: memory that ran out."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.doctor.host_view import HostView
from clusterlab.doctor.sections import MEMORY

_LEAST = 0.05


def _find(host: HostView, cluster: Cluster) -> Found:
    memory = host.read(MEMORY)
    free = memory.available / memory.total if memory.total else 1.0
    if free >= _LEAST and not memory.kills:
        return
    low = f"{100 * free:.0f} % of its memory is available"
    killed = f"the kernel has killed {memory.kills} process{'es' if memory.kills != 1 else ''} since the boot"
    yield CODE.finding(
        host.name,
        f"{host.name}: {low if free < _LEAST else killed}",
        [
            Seen(host.name, "grep oom_kill /proc/vmstat", "0", str(memory.kills)),
            Seen(host.name, "grep MemAvailable /proc/meminfo", "at least 5 %", f"{100 * free:.0f} %"),
        ],
        [Fix(host.name, "journalctl -k | grep -i 'killed process' names them; give containers limits, or add memory")],
        severity=Severity.WARNING if free < _LEAST else Severity.ADVICE,
        hosts=[host.name],
    )


CODE = Diagnosis(
    code="CL106",
    title="Memory ran out",
    severity=Severity.WARNING,
    effect="The kernel kills processes, perhaps the engine; containers end with exit code 137.",
    detection="The kernel's count of such kills since the boot, and the available memory. Kills alone are advice: the "
    "limit of one container may have been the reason.",
    remedy="Set limits and reservations, or add memory.",
    host=_find,
    every_host=True,
)
