"""What provision added to a host, recorded on that host.

`clusterlab deprovision` can then remove it from anywhere.

A folder per lab below /var/lib/clusterlab, for root alone, with one file for each resource: its name is KIND@NAME, its
content is the state before the first change, as JSON. The first state counts: a second change keeps the file. Another
file names the workstation that made the first of them.

Several labs may use the same thing of a host, such as a package or a registry. Each then has an entry of it, all with
the state before the first of them, and the last lab restores that.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from urllib.parse import quote, unquote

from clusterlab.errors import HostError
from clusterlab.remote import Host
from clusterlab.workstation import owner

from .commands import do
from .observed import Observed
from .ownership import this_workstation

SECTION = "record"
"""The section of a host's script that `entries` reads."""
OTHERS = "records of others"
"""The section that `others` reads."""
WRITTEN = "written file"
"""The kind of entries that hold what provision wrote, and not what was there before: see written.py."""
_FOLDER = "/var/lib/clusterlab/provision"


def folder(lab: str) -> str:
    return f"{_FOLDER}/{lab}"


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


def question_of_others(lab: str) -> str:
    """Script that prints the entries of all other labs, as `question` does, with LAB/ before each."""
    show = 'printf "%s " "$file"; cat "$file"; echo'
    return f"cd {_FOLDER} && for file in */*@*; do case $file in {lab}/*|\\*/*) ;; *) {show} ;; esac; done"


def others(at: Observed, kind: str) -> dict[str, dict[str, str]]:
    """What other labs have recorded of a kind: by the name of the resource, each lab's content, as `stored` has it."""
    return _others(at.answers.get(OTHERS, ""), kind)


def _others(answer: str, kind: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in answer.splitlines():
        where, _, content = line.partition(" ")
        lab, _, file = where.partition("/")
        of_kind, _, name = file.partition("@")
        if of_kind == quote(kind, safe=""):
            found.setdefault(unquote(name), {})[lab] = content
    return found


def undamaged(contents: Mapping[str, str]) -> dict[str, object]:
    """The states in the entries of other labs, without those that cannot be read."""
    states: dict[str, object] = {}
    for lab, content in contents.items():
        with suppress(ValueError):
            states[lab] = json.loads(content)
    return states


def stored(state: object) -> str:
    """A state as an entry has it."""
    return json.dumps(state, sort_keys=True)


def entries(at: Observed, kind: str) -> dict[str, object]:
    """The state of each resource of a kind before clusterlab's first change.

    By its name. Raises HostError when an entry cannot be read.
    """
    found: dict[str, object] = {}
    for line in at.answers.get(SECTION, "").splitlines():
        file, _, content = line.partition(" ")
        of_kind, _, name = file.partition("@")
        if of_kind == quote(kind, safe=""):
            try:
                found[unquote(name)] = json.loads(content)
            except ValueError as error:
                file = f"{folder(at.lab)}/{file}"
                was = f"what provision wrote into {unquote(name)}"
                then = "then takes that file for unchanged: save what you have added to it"
                if kind != WRITTEN:
                    was, then = f"what {kind} {unquote(name)} was before provision", "then leaves that as it is"
                raise HostError(
                    at.name,
                    f"{was} is recorded in {file}, which is damaged",
                    remedy=f"Remove it: `clusterlab ssh {at.name} -- rm {shlex.quote(file)}`. `clusterlab deprovision` "
                    f"{then}.",
                ) from error
    return found


def remember(host: Host, lab: str, kind: str, before: Mapping[str, object], *, shared: bool = False) -> None:
    """Record the states before a change; those that are recorded already stay.

    Of what is `shared`, the state that another lab has recorded counts, if it can be read. Raises HostError.
    """
    if not before:
        return
    if shared:
        ask = f"[ ! -d {_FOLDER} ] || {{ {question_of_others(lab)}; }}"
        recorded = _others(do(host, ask, "read the records of other labs").stdout, kind)
        before = {name: next(iter(undamaged(recorded.get(name, {})).values()), state) for name, state in before.items()}
    lines = _begin(lab)
    for name, state in before.items():
        file = shlex.quote(_file(kind, name))
        content = shlex.quote(stored(state))
        lines.append(f"[ -e {file} ] || {{ printf %s {content} > .new-$$; sync .new-$$; mv .new-$$ {file}; }}")
    do(host, "\n".join(lines), f"record the state of {', '.join(before)}")


def replace(host: Host, lab: str, kind: str, states: Mapping[str, object]) -> None:
    """Record what counts from now on, also for other labs that have an entry of the same name.

    Raises HostError.
    """
    lines = _begin(lab)
    for name, state in states.items():
        mine, all_labs = shlex.quote(path(lab, kind, name)), f"{_FOLDER}/*/{shlex.quote(_file(kind, name))}"
        new, content = '"${one%/*}/.new-$$"', shlex.quote(stored(state))
        lines += [
            f'for one in {mine} {all_labs}; do [ "$one" = {mine} ] || [ -e "$one" ] || continue',
            f'printf %s {content} > {new}; sync {new}; mv {new} "$one"',
            "done",
        ]
    do(host, "\n".join(lines), f"record the state of {', '.join(states)}")


def hand_over(host: Host, lab: str, kind: str, name: str, written: object, before: object) -> None:
    """Have labs that found what this one has written restore what was there before it.

    Raises HostError.
    """
    file, new = shlex.quote(_file(kind, name)), '"${one%/*}/.new-$$"'
    lines = [
        f"cd {_FOLDER} || exit",
        f'for one in */{file}; do [ "$one" != {lab}/{file} ] && [ -e "$one" ] || continue',
        f'[ "$(cat "$one")" != {shlex.quote(stored(written))} ] || '
        f'{{ printf %s {shlex.quote(stored(before))} > {new} && sync {new} && mv {new} "$one"; }}',
        "done",
    ]
    do(host, "\n".join(lines), "update the records of other labs")


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


def _begin(lab: str) -> list[str]:
    """The first lines of a script that records something: the folder exists then, with the name of its owner."""
    whose = shlex.quote(f"{this_workstation()} {owner()}")
    return [
        "set -e",
        "umask 077",
        f"mkdir -p {folder(lab)}",
        f"cd {folder(lab)}",
        f"[ -e owner ] || {{ printf %s {whose} > .owner-$$ && sync .owner-$$ && mv .owner-$$ owner; }}",
    ]


def _file(kind: str, name: str) -> str:
    return f"{quote(kind, safe='')}@{quote(name, safe='')}"
