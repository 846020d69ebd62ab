"""The faults `fill_disk` and `memory`.

Something holds a resource until it ends, so that others find none of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from pydantic import Field

from clusterlab.model.base import Issue, Size, size_bytes

from .errors import NoEffect
from .kind import NOTHING, Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

_TAIL_MIB = 64
"""What is written rather than reserved at the end of a file system that is filled whole."""


class FillParameters(HostParameters):
    """Which file system is filled, and how much remains."""

    path: str = Field(description="a directory of the file system", examples=["/var/lib/docker", "/shares"])
    leave: Size | None = Field(default=None, description="how much to leave free; default: nothing", examples=["16M"])

    def issues(self) -> Iterator[Issue]:
        if not self.path.startswith("/"):
            yield Issue(("path",), f"'{self.path}' is not an absolute path", "Begin it with /.")


class FillDisk(FaultKind[FillParameters]):
    """Fills a file system with a file that has no name.

    It is gone as soon as the process ends that holds it.

    Writes fail with "No space left on device"; containers do not start, running tasks run on.
    """

    name = "fill_disk"
    model = FillParameters
    abilities = frozenset({"disk"})
    named = True
    within = 30.0

    def parts(self, params: FillParameters, scene: Scene) -> list[OnHost]:
        leave = size_bytes(params.leave) if params.leave else 0
        folder = "/run/clusterlab/faults/FAULT_ID"
        inject = f"""path={quote(params.path)}
[ -d "$path" ] || {{ echo "there is no directory $path" >&2; exit {NOTHING}; }}
setsid sh -c '
    echo $$ >$3/holder
    file=$1/.clusterlab-FAULT_ID
    exec 9>"$file" && rm -f "$file" || exit 1
    free=$(($(stat -f -c "%f * %S" "$1"))) most=$((free - $2))
    [ "$2" -gt 0 ] || most=$((free - ({_TAIL_MIB} << 20)))  # the file system needs some of it for itself
    if [ "$most" -gt 0 ]; then
        fallocate -l $most /proc/$$/fd/9 || dd if=/dev/zero bs=1M count=$((most >> 20)) >>/proc/$$/fd/9
    fi
    [ "$2" -gt 0 ] || cat /dev/zero >>/proc/$$/fd/9  # until it is full
    : >$3/filled
    exec sleep infinity
' sh "$path" {leave} {folder} </dev/null >/dev/null 2>&1 &
started=$!
until [ -e {folder}/filled ]; do kill -0 $started || exit 1; sleep 0.1; done"""
        heal = f"""if [ -s {folder}/holder ]; then
    pid=$(cat {folder}/holder)
    if grep -qs FAULT_ID "/proc/$pid/cmdline" || ls -l "/proc/$pid/fd" 2>/dev/null | grep -q clusterlab-FAULT_ID; then
        kill -s KILL -- "-$pid"
    fi
fi
rm -f {quote(params.path)}/.clusterlab-FAULT_ID"""
        return [OnHost(params.at, inject, heal)]

    def before(self, params: FillParameters, scene: Scene) -> Before:
        if not scene.hosts[params.at].run(f"[ -d {quote(params.path)} ]", timeout=10.0, spare=True).ok:
            raise NoEffect(f"{self.name}: there is no directory {params.path} on {params.at}")
        free = self._free(params, scene)
        if free <= (size_bytes(params.leave) if params.leave else 0):
            raise NoEffect(f"{self.name}: {params.path} on {params.at} has no more than {free >> 20} MiB free already")
        return {"free": str(free)}

    def effect(self, params: FillParameters, scene: Scene, before: Before) -> Seen:
        if params.leave:
            free = self._free(params, scene)
            near = size_bytes(params.leave) + (4 << 20)
            return Seen(free <= near, f"{params.path} on {params.at} has {free >> 20} MiB free")
        done = scene.hosts[params.at].run(_write(params.path), timeout=15.0, spare=True)
        full = not done.ok and "No space left" in done.stderr
        return Seen(full, done.stderr.strip() or f"{params.path} on {params.at} can still be written")

    def gone(self, params: FillParameters, scene: Scene, before: Before) -> Seen:
        free = self._free(params, scene)
        text = f"{params.path} on {params.at} has {free >> 20} MiB free, and had {int(before['free']) >> 20}"
        return Seen(free >= 0.9 * int(before["free"]) - (16 << 20), text)

    def _free(self, params: FillParameters, scene: Scene) -> int:
        """Bytes that root can still write."""
        return int(scene.said(params.at, f"echo $(($(stat -f -c '%f * %S' {quote(params.path)})))"))


def _write(path: str) -> str:
    """The script that writes a MiB, as others would, and removes it."""
    return f"""file=$(mktemp {quote(path)}/.clusterlab.XXXXXX) || exit 1
trap 'rm -f "$file"' EXIT
dd if=/dev/zero of="$file" bs=1M count=1 conv=fsync 2>&1 >/dev/null | grep 'No space' >&2 && exit 1
:"""


class MemoryParameters(HostParameters):
    """How much memory remains."""

    leave: Size = Field(default="128M", description="how much to leave available; less than 96M ends the host itself")

    def issues(self) -> Iterator[Issue]:
        if size_bytes(self.leave) < 96 << 20:
            yield Issue(("leave",), "less than 96M would end the host itself, not its containers")


class Memory(FaultKind[MemoryParameters]):
    """Fills the memory of a host, through a file system in memory.

    The kernel cannot reclaim it.

    A container is ended for lack of memory and replaced within 30 s; everything is slow.
    """

    name = "memory"
    model = MemoryParameters
    abilities = frozenset({"memory"})
    named = True
    within = 30.0

    def parts(self, params: MemoryParameters, scene: Scene) -> list[OnHost]:
        folder = "/run/clusterlab/faults/FAULT_ID/memory"
        inject = f"""free=$(awk '/^MemAvailable:/ {{ print $2 * 1024 }}' /proc/meminfo)
take=$((free - {size_bytes(params.leave)}))
[ "$take" -gt 0 ] || {{ echo "it has only $((free >> 20)) MiB available" >&2; exit {NOTHING}; }}
mkdir -p {folder} && mount -t tmpfs -o size=$take,mode=700 tmpfs {folder} && fallocate -l $take {folder}/held"""
        heal = f"! mountpoint -q {folder} || umount {folder}"
        return [OnHost(params.at, inject, heal)]

    def before(self, params: MemoryParameters, scene: Scene) -> Before:
        return {"available": str(self._available(params, scene))}

    def effect(self, params: MemoryParameters, scene: Scene, before: Before) -> Seen:
        available = self._available(params, scene)
        less = available < size_bytes(params.leave) + (64 << 20)
        return Seen(less, f"{params.at} has {available >> 20} MiB of memory available")

    def gone(self, params: MemoryParameters, scene: Scene, before: Before) -> Seen:
        available = self._available(params, scene)
        text = f"{params.at} has {available >> 20} MiB of memory available, and had {int(before['available']) >> 20}"
        return Seen(available >= 0.7 * int(before["available"]), text)

    def _available(self, params: MemoryParameters, scene: Scene) -> int:
        return int(scene.said(params.at, "awk '/^MemAvailable:/ { printf \"%d\", $2 * 1024 }' /proc/meminfo"))


FILL_DISK, MEMORY = FillDisk(), Memory()
