"""The faults `stop_nfs`, `unexport` and `export_ro`.

An NFS server does not serve, or serves less.
"""

from __future__ import annotations

from shlex import quote

from clusterlab.model.faults import Target
from clusterlab.resources import nfs_exports

from .errors import NoEffect
from .kind import NOTHING, Before, FaultKind, HostParameters, OnHost, Seen
from .scene import Scene

_ETAB = nfs_exports.ETAB
_REMOVED = "/run/clusterlab/faults/FAULT_ID/exports"
"""What the fault changes, to restore just that: by client, with the options and CLIENT:PATH of exportfs(8)."""
_EXPORTED = r"""{
    client = options = $2; path = ""
    sub(/\(.*/, "", client); sub(/^[^(]*\(/, "", options); sub(/\)$/, "", options)
    if (client ~ /:/) sub(/^[^\/]*/, "[&]", client)
    while (match($1, /\\[0-7][0-7][0-7]/)) {
        code = substr($1, RSTART + 1, 1) * 64 + substr($1, RSTART + 2, 1) * 8 + substr($1, RSTART + 3, 1)
        path = path substr($1, 1, RSTART - 1) sprintf("%c", code)
        $1 = substr($1, RSTART + 4)
    }
    path = path $1
    if (all || ENVIRON["path"] == path) print options, client ":" path
}"""
"""Awk for the server's table, which has blanks as \\040: the exports of the directory `path`, or with `all` of any."""
REMEMBER = f"""if [ -e {_ETAB} ]; then
    awk -v all=1 {quote(_EXPORTED)} {_ETAB} >{_REMOVED} || exit 1
fi"""
"""Writes down all exports, before something that ends those of no file."""
RESTORE = f"""if [ -e {_REMOVED} ]; then
    failed=
    while read -r options export; do exportfs -i -o "$options" "$export" || failed=1; done <{_REMOVED}
    exportfs -f && [ -z "$failed" ] && rm -f {_REMOVED}
fi"""
"""Exports again what was written down."""
_ANSWERS = "timeout 3 bash -c ': </dev/tcp/{address}/2049'"


class ServerParameters(HostParameters):
    """Which NFS server."""

    host: Target = "nfs_server"


def lost_server(params: HostParameters, scene: Scene) -> frozenset[str]:
    """The server, on machines of somebody else: it may serve others too."""
    return frozenset({params.at}) if scene.lab.inventory.kind.foreign else frozenset()


class StopNfs(FaultKind[HostParameters]):
    """Stops the NFS server of a host: port 2049 refuses.

    Writes wait and none fails on hard mounts; tasks with NFS volumes are rejected. Locks and opens wait for the grace
    period of 90 s after it is back. What was exported is exported again, also what no file has.
    """

    name = "stop_nfs"
    model = HostParameters
    needs = frozenset({"nfs"})
    heals_within = 60.0

    def lost(self, params: HostParameters, scene: Scene) -> frozenset[str]:
        return lost_server(params, scene)

    def parts(self, params: HostParameters, scene: Scene) -> list[OnHost]:
        # Debian's unit ends all exports when it stops, and starts with those of files alone.
        inject = f"{REMEMBER}\nsystemctl stop nfs-server"
        return [OnHost(params.at, inject, f"systemctl start nfs-server || exit 1\n{RESTORE}")]

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


class ExportParameters(ServerParameters):
    """One exported directory of an NFS server."""

    path: str


class Unexport(FaultKind[ExportParameters]):
    """Takes an export away from its clients.

    "Permission denied" or a stale handle, while the mount stays.
    """

    name = "unexport"
    model = ExportParameters
    needs = frozenset({"nfs"})
    _command = "exportfs -u"

    def lost(self, params: ExportParameters, scene: Scene) -> frozenset[str]:
        return lost_server(params, scene)

    def theirs(self, params: ExportParameters, scene: Scene) -> str:
        now = nfs_exports.found(scene.said(params.at, f"{nfs_exports.question([])}:"), scene.lab.name)
        clients = [client for path, client in now.active if path == params.path and (path, client) not in now.ours]
        if not clients and params.path not in now.foreign:
            return ""
        to = f" to {', '.join(clients)}" if clients else ""
        return f"{params.path} is exported{to} by others than the lab {scene.lab.name}"

    def parts(self, params: ExportParameters, scene: Scene) -> list[OnHost]:
        inject = f"""path={quote(params.path)}
exported=$(path=$path awk {quote(_EXPORTED)} {_ETAB})
[ -n "$exported" ] || {{ echo "$path is not exported" >&2; exit {NOTHING}; }}
printf '%s\\n' "$exported" >{_REMOVED} || exit 1
while read -r options export; do {self._command} "$export" || exit 1; done <{_REMOVED}
exportfs -f"""
        return [OnHost(params.at, inject, RESTORE)]

    def effect(self, params: ExportParameters, scene: Scene, before: Before) -> Seen:
        lines = self._exported(params, scene)
        return Seen(not lines, "; ".join(lines) or f"{params.path} is not exported")

    def gone(self, params: ExportParameters, scene: Scene, before: Before) -> Seen:
        lines = self._exported(params, scene)
        return Seen(bool(lines), "; ".join(lines) or f"{params.path} is not exported")

    def _exported(self, params: ExportParameters, scene: Scene) -> list[str]:
        question = f"path={quote(params.path)} awk {quote(_EXPORTED)} {_ETAB}"
        exported = (line.partition(" ") for line in scene.said(params.at, question).splitlines())
        return [f"{export}({options})" for options, _, export in exported]


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
    return "ro" in line.rpartition("(")[2].rstrip(")").split(",")


STOP_NFS, UNEXPORT, EXPORT_RO = StopNfs(), Unexport(), ExportReadOnly()
