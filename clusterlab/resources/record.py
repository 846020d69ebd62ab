"""What provision added to a host, recorded on that host.

`clusterlab deprovision` can then remove it from anywhere.

A folder per lab below /var/lib/clusterlab, for root alone, with one file for each resource: its name is KIND@NAME, its
content is the state before the first change, as JSON. The first state counts: a second change keeps the file. Another
file names the workstation that made the first of them.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

from clusterlab.remote import Host
from clusterlab.workstation import owner

from .commands import do
from .observed import Observed
from .ownership import this_workstation

SECTION = "record"
"""The section of a host's script that `entries` reads."""


def folder(lab: str) -> str:
    return f"/var/lib/clusterlab/provision/{lab}"


def path(lab: str, kind: str, name: str) -> str:
    """The file of one entry."""
    return f"{folder(lab)}/{_file(kind, name)}"


def owner_path(lab: str) -> str:
    """The file that names the workstation whose record this is.

    Its id, and its name for people.
    """
    return f"{folder(lab)}/owner"


def question(lab: str) -> str:
    """Script that prints each entry in a line: the file's name, and its content."""
    return f'cd {folder(lab)} && for file in *@*; do printf "%s " "$file"; cat "$file"; echo; done'


def entries(at: Observed, kind: str) -> dict[str, object]:
    """The state of each resource of a kind before clusterlab's first change.

    By its name.
    """
    found = {}
    for line in at.answers.get(SECTION, "").splitlines():
        file, _, content = line.partition(" ")
        of_kind, _, name = file.partition("@")
        if of_kind == quote(kind, safe=""):
            found[unquote(name)] = json.loads(content)
    return found


def remember(host: Host, lab: str, kind: str, before: Mapping[str, object]) -> None:
    """Record the states before a change; those that are recorded already stay.

    Raises HostError.
    """
    if not before:
        return
    whose = shlex.quote(f"{this_workstation()} {owner()}")
    lines = ["set -e", "umask 077", f"mkdir -p {folder(lab)}", f"cd {folder(lab)}"]
    lines.append(f"[ -e owner ] || {{ printf %s {whose} > .owner-$$ && mv .owner-$$ owner; }}")
    for name, state in before.items():
        file = shlex.quote(_file(kind, name))
        content = shlex.quote(json.dumps(state, sort_keys=True))
        lines.append(f"[ -e {file} ] || {{ printf %s {content} > .new-$$ && mv .new-$$ {file}; }}")
    do(host, "\n".join(lines), f"record the state of {', '.join(before)}")


def forget(host: Host, lab: str, kind: str, names: Iterable[str]) -> None:
    """Remove the entries of what was taken back, and the folders when they are empty.

    Raises HostError.
    """
    files = shlex.join(path(lab, kind, name) for name in names)
    lines = [
        f"rm -f {files}",
        f"cd {folder(lab)} 2>/dev/null || exit 0",
        'for file in *@*; do [ ! -e "$file" ] || exit 0; done',
        f"cd / && rm -f {owner_path(lab)} && rmdir --ignore-fail-on-non-empty -p {folder(lab)} 2>/dev/null || true",
    ]
    do(host, "\n".join(lines), "update the record")


def _file(kind: str, name: str) -> str:
    return f"{quote(kind, safe='')}@{quote(name, safe='')}"
