"""The kernel's NFS server of a host, and what it exports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .section import Section

_CLIENT = re.compile(r"([^\s(]+)\(([^)]*)\)")


@dataclass(frozen=True)
class Export:
    """A directory for one client or pattern of clients."""

    path: str
    client: str
    options: frozenset[str]
    exists: bool


@dataclass(frozen=True)
class NfsServer:
    """`threads` is 0 when it is stopped.

    `in_grace` None when the kernel does not say.
    """

    threads: int
    versions: tuple[str, ...]  # those switched on, as "4.2"
    in_grace: bool | None
    exports: tuple[Export, ...]
    listed: bool = False  # whether it has a list of exports, even an empty one
    directories: Mapping[str, bool] = field(default_factory=dict)  # whether those of volumes exist


def _nfs_server(text: str) -> NfsServer | None:
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != "nfs end":
        raise ValueError("cut off")
    if lines == ["nfs end"]:
        return None
    threads, versions, grace, exports, listed, directories = 0, tuple[str, ...](), None, [], False, {}
    for line in lines[:-1]:
        key, _, value = line.partition(" ")
        match key:
            case "threads":
                threads = int(value)
            case "versions":
                versions = tuple(one.lstrip("+") for one in value.split() if one.startswith("+"))
            case "grace":
                grace = {"N": True, "Y": False}.get(value.strip())
            case "etab":
                listed = True
            case "export":
                exports += _exports(value)
            case "directory":
                there, _, path = value.partition(" ")
                directories[path] = {"yes": True, "no": False}[there]
            case _:
                raise ValueError(line)
    return NfsServer(threads, versions, grace, tuple(exports), listed, directories)


def _exports(text: str) -> list[Export]:
    there, path, rest = text.split(None, 2)
    return [
        Export(path, client, frozenset(options.split(",")), there == "yes") for client, options in _CLIENT.findall(rest)
    ]


NFS_SERVER: Section[NfsServer | None] = Section(
    "nfs-server",
    r"""
if [ -e /proc/fs/nfsd/threads ]; then
  echo "threads $(cat /proc/fs/nfsd/threads)"
  echo "versions $(cat /proc/fs/nfsd/versions 2>/dev/null)"
  echo "grace $(cat /proc/fs/nfsd/v4_end_grace 2>/dev/null)"
  [ ! -e /var/lib/nfs/etab ] || echo etab
  [ ! -e /var/lib/nfs/etab ] || while read -r path rest; do
    if [ -d "$path" ]; then there=yes; else there=no; fi
    echo "export $there $path $rest"
  done < /var/lib/nfs/etab
  roots=$(grep -E '[(,]fsid=(0|root)[,)]' /var/lib/nfs/etab 2>/dev/null | cut -f 1 | sort -u)
  for path in $directories; do
    for root in "" $roots; do
      if [ -d "$root$path" ]; then there=yes; else there=no; fi
      echo "directory $there $root$path"
    done
  done
fi
echo nfs end
""",
    _nfs_server,
)
"""None when the host has no NFS server in its kernel."""

_PATH = re.compile(r"/[A-Za-z0-9_./@:+-]*")


def directory_words(paths: Iterable[str]) -> str:
    """The directories of volumes as the script takes them; one with other characters is left out."""
    return " ".join(path for path in dict.fromkeys(paths) if _PATH.fullmatch(path))
