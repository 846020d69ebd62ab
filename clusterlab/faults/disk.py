"""The fault `slow_disk`: the disk of a machine does few operations per second."""

from __future__ import annotations

from pydantic import Field

from clusterlab.machines.outside import ABILITIES

from .errors import NoEffect
from .kind import Before, FaultKind, FromOutside, HostParameters, Seen
from .scene import Scene


class SlowDiskParameters(HostParameters):
    """How slow it is."""

    iops: int = Field(ge=5, le=1000, description="operations per second", examples=[50])


class SlowDisk(FaultKind[SlowDiskParameters]):
    """Limits how many operations per second the disk of a machine does.

    A busy array or a dying disk does that.

    Everything that syncs is slow: databases, and the log of the managers of the Swarm, whose leader may change.
    """

    name = "slow_disk"
    model = SlowDiskParameters
    abilities = frozenset({ABILITIES["throttle"]})
    named = True
    within = 30.0
    heals_within = 60.0

    def parts(self, params: SlowDiskParameters, scene: Scene) -> list[FromOutside]:
        return [FromOutside(params.at, "throttle", params.iops)]

    def before(self, params: SlowDiskParameters, scene: Scene) -> Before:
        rate = self._rate(params, scene)
        if rate < 2 * params.iops:
            raise NoEffect(f"{self.name}: {params.at} does {rate:.0f} synced writes per second already without it")
        return {"rate": f"{rate:.0f}"}

    def effect(self, params: SlowDiskParameters, scene: Scene, before: Before) -> Seen:
        rate = self._rate(params, scene)
        slow = rate <= 1.2 * params.iops
        return Seen(slow, f"{params.at} does {rate:.0f} synced writes per second, and did {before['rate']}")

    def gone(self, params: SlowDiskParameters, scene: Scene, before: Before) -> Seen:
        rate = self._rate(params, scene)
        return Seen(rate > 1.5 * params.iops, f"{params.at} does {rate:.0f} synced writes per second again")

    def _rate(self, params: SlowDiskParameters, scene: Scene) -> float:
        """Synced writes per second, each of which is an operation of the disk or more."""
        count = max(10, params.iops // 2)
        script = f"""file=$(mktemp /var/tmp/clusterlab.XXXXXX) || exit 1
trap 'rm -f "$file"' EXIT
read -r then _ </proc/uptime
dd if=/dev/zero of="$file" bs=4k count={count} oflag=dsync status=none || exit 1
read -r now _ </proc/uptime
echo "$then $now" """
        then, now = map(float, scene.said(params.at, script, timeout=60.0).split())
        return count / max(now - then, 0.01)


SLOW_DISK = SlowDisk()
