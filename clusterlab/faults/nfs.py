"""The faults `stop_nfs`, `unexport` and `export_ro`.

An NFS server does not serve, or serves less.
"""

from __future__ import annotations

from shlex import quote

from clusterlab.model.faults import Target

from .errors import NoEffect
from .kind import NOTHING, Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

_REMOVED = "/run/clusterlab/faults/FAULT_ID/exports"
"""What the fault changes, to restore just that: by client, with the options and CLIENT:PATH of exportfs(8)."""
_EXPORTED = r"""$1 == ENVIRON["path"] {
    client = options = $2
    sub(/\(.*/, "", client); sub(/^[^(]*\(/, "", options); sub(/\)$/, "", options)
    if (client ~ /:/) sub(/^[^\/]*/, "[&]", client)
    print options, client ":" $1
}"""
_ANSWERS = "timeout 3 bash -c ': </dev/tcp/{address}/2049'"


class StopNfs(FaultKind[HostParameters]):
    """Stops the NFS server of a host: port 2049 refuses.

    Writes wait and none fails on hard mounts; tasks with NFS volumes are rejected. Locks and opens wait for the grace
    period of 90 s after it is back.
    """

    name = "stop_nfs"
    model = HostParameters
    needs = frozenset({"nfs"})
    heals_within = 60.0

    def lost(self, params: HostParameters, scene: Scene) -> frozenset[str]:
        return frozenset({params.at}) if scene.lab.inventory.kind.foreign else frozenset()

    def parts(self, params: HostParameters, scene: Scene) -> list[OnHost]:
        return [OnHost(params.at, "systemctl stop nfs-server", "systemctl start nfs-server")]

    def before(self, params: HostParameters, scene: Scene) -> Before:
        if not self._answers(params, scene):
            raise NoEffect(f"{self.name}: no NFS server answers on {params.at}")
        return {}

    def effect(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        answers = self._answers(params, scene)
        return Seen(not answers, f"port 2049 of {params.at} {'answers' if answers else 'refuses'}")

    def gone(self, params: HostParameters, scene: Scene, before: Before) -> Seen:
        answers = self._answers(params, scene)
        return Seen(answers, f"port 2049 of {params.at} {'answers' if answers else 'does not answer'}")

    def _answers(self, params: HostParameters, scene: Scene) -> bool:
        return scene.hosts[params.at].run(_ANSWERS.format(address=scene.address(params.at)), timeout=10.0).ok


class ExportParameters(HostParameters):
    """One exported directory of an NFS server."""

    path: str
    host: Target = "nfs_server"


class Unexport(FaultKind[ExportParameters]):
    """Takes an export away from its clients.

    "Permission denied" or a stale handle, while the mount stays.
    """

    name = "unexport"
    model = ExportParameters
    needs = frozenset({"nfs"})
    _command = "exportfs -u"

    def lost(self, params: ExportParameters, scene: Scene) -> frozenset[str]:
        return frozenset({params.at}) if scene.lab.inventory.kind.foreign else frozenset()

    def parts(self, params: ExportParameters, scene: Scene) -> list[OnHost]:
        inject = f"""path={quote(params.path)}
exported=$(path=$path awk {quote(_EXPORTED)} /var/lib/nfs/etab)
[ -n "$exported" ] || {{ echo "$path is not exported" >&2; exit {NOTHING}; }}
printf '%s\\n' "$exported" >{_REMOVED} || exit 1
while read -r options export; do {self._command} "$export" || exit 1; done <{_REMOVED}
exportfs -f"""
        heal = f"""if [ -e {_REMOVED} ]; then
    while read -r options export; do exportfs -i -o "$options" "$export" || exit 1; done <{_REMOVED}
    exportfs -f && rm -f {_REMOVED}
fi"""
        return [OnHost(params.at, inject, heal)]

    def effect(self, params: ExportParameters, scene: Scene, before: Before) -> Seen:
        lines = self._exported(params, scene)
        return Seen(not lines, "; ".join(lines) or f"{params.path} is not exported")

    def gone(self, params: ExportParameters, scene: Scene, before: Before) -> Seen:
        lines = self._exported(params, scene)
        return Seen(bool(lines), "; ".join(lines) or f"{params.path} is not exported")

    def _exported(self, params: ExportParameters, scene: Scene) -> list[str]:
        lines = scene.said(params.at, "cat /var/lib/nfs/etab").splitlines()
        return [line for line in lines if line.split()[0] == params.path]


class ExportReadOnly(Unexport):
    """Makes an export read-only under its clients.

    Writes fail with "Read-only file system", reads pass.
    """

    name = "export_ro"
    _command = "exportfs -i -o ro,no_subtree_check"

    def effect(self, params: ExportParameters, scene: Scene, before: Before) -> Seen:
        lines = self._exported(params, scene)
        return Seen(bool(lines) and all(_read_only(line) for line in lines), "; ".join(lines))

    def gone(self, params: ExportParameters, scene: Scene, before: Before) -> Seen:
        lines = self._exported(params, scene)
        return Seen(any(not _read_only(line) for line in lines), "; ".join(lines))


def _read_only(line: str) -> bool:
    return "ro" in line.partition("(")[2].rstrip(")").split(",")


STOP_NFS, UNEXPORT, EXPORT_RO = StopNfs(), Unexport(), ExportReadOnly()
