"""Who still uses what a package brings: then `deprovision` leaves it.

Other labs that use it are known from their records, not from here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from . import docker_engine, iscsi_initiator, iscsi_target, nfs, registry_server, units
from .observed import Observed
from .scope import Scope

_Users = Callable[[Scope, Observed], Sequence[str]]
_IN_USE, _NEEDED, _REGISTRY = "file systems in use", "packages that need it", "registry in use"
_FILE_SYSTEMS = rf"""
awk '{{print $3, $2}}' /proc/self/mounts
awk '!/^[[:space:]]*#/ && NF > 2 {{print $3, $2 " (/etc/fstab)"}}' /etc/fstab
for unit in /etc/systemd/system/*.mount; do
    type=$(sed -n 's/^[[:space:]]*Type[[:space:]]*=[[:space:]]*//p' "$unit" 2>/dev/null)
    [ -z "$type" ] || echo "$type $unit"
done
for target in /etc/iscsi/nodes/*/ /var/lib/iscsi/nodes/*/; do
    [ ! -d "$target" ] || echo "iscsi $target"
done
[ -z "$(command -v automount)" ] || echo nfs /etc/auto.master
lsblk --noheadings --raw --output FSTYPE,NAME
{docker_engine.CONFIGURED_ROOTS}
for root in /var/lib/docker $configured; do
    for file in "$root"/volumes/*/opts.json; do
        type=$(sed -n 's/.*"MountType":"\([^"]*\)".*/\1/p' "$file" 2>/dev/null)
        folder=${{file%/opts.json}}
        [ -z "$type" ] || echo "$type volume ${{folder##*/}}"
    done
done
"""
"""Prints the type of each file system that is mounted, will be mounted, or is on a disk, and where.

Also the iSCSI targets that the host may log in to.
"""


def questions(names: Sequence[str]) -> dict[str, str]:
    """Sections of the script of a host on which provision installed packages."""
    return {
        _IN_USE: _FILE_SYSTEMS,
        _NEEDED: f'for name in {shlex.join(names)}; do echo "@ $name"; apt-get -q -s remove "$name"; done',
        _REGISTRY: f"{units.question([registry_server.PACKAGE])}\n"
        f"[ ! -e {registry_server.CONFIG} ] || cat {registry_server.CONFIG}",
    }


def users(scope: Scope, at: Observed, name: str) -> Sequence[str]:
    """What of others will use a package of `KNOWN` after the changes that are pending, for people."""
    return _USERS[name](scope, at)


def dependent(at: Observed, name: str) -> Collection[str]:
    """The installed packages that apt would remove with a package; each of them needs it."""
    for part in f"\n{at.answers.get(_NEEDED, '')}".split("\n@ ")[1:]:
        of, _, simulated = part.partition("\n")
        if of == name:
            return set(re.findall(r"^Remv (\S+)", simulated, re.MULTILINE)) - {name}
    return ()


def _with_file_systems(*types: str) -> _Users:
    def found(at: Observed) -> Iterator[str]:
        for line in at.answers.get(_IN_USE, "").splitlines():
            type_, _, place = line.partition(" ")
            if type_ in types and place:
                yield place

    return lambda _, at: list(dict.fromkeys(found(at)))


def _on_host(found: Callable[[Observed], Sequence[str]]) -> _Users:
    return lambda _, at: found(at)


def _with_any(*asked: _Users) -> _Users:
    return lambda scope, at: [user for users in asked for user in users(scope, at)]


def _exports(at: Observed) -> Sequence[str]:
    return sorted({*nfs.others(at), *nfs.written_by_others(at)})


def _registry(at: Observed) -> Sequence[str]:
    """A registry that runs with another configuration than provision's."""
    answer = at.answers.get(_REGISTRY, "")
    state, _, config = answer.partition("\n")
    unit = units.units(state).get(registry_server.PACKAGE, units.Unit())
    foreign = unit.runs and not registry_server.is_ours(config)
    return [f"a registry that clusterlab did not configure ({registry_server.CONFIG})"] if foreign else []


def _nothing(_: Scope, at: Observed) -> Sequence[str]:
    """Of programs that run only while somebody uses them: what needs them for longer depends on the package."""
    return ()


_USERS: Mapping[str, _Users] = {
    "docker.io": docker_engine.users,
    "docker-cli": docker_engine.users,
    "nfs-common": _with_any(_with_file_systems("nfs", "nfs4"), docker_engine.swarm),
    "nfs-kernel-server": _on_host(_exports),
    "tgt": _on_host(iscsi_target.others),
    "open-iscsi": _with_any(_on_host(iscsi_initiator.sessions), _with_file_systems("iscsi")),
    "docker-registry": _on_host(_registry),
    "xfsprogs": _with_file_systems("xfs"),
    "e2fsprogs": _with_file_systems("ext2", "ext3", "ext4"),
    "curl": _nothing,
    "iputils-ping": _nothing,
    "openssl": _nothing,
}

KNOWN = frozenset(_USERS)
"""The packages of which it is known who uses them; all that provision installs must be."""
