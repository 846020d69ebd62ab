"""Kernel parameters: set now, and at every boot by a drop-in file of ours.

In /etc/sysctl.d, see sysctl.d(5).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.model.lab import Lab
from clusterlab.model.sysctl import proc_path

from . import record, written
from .base import Change, Difference, Key
from .commands import do
from .host_kind import HostKind, Role
from .observed import Observed
from .scope import Scope, Wants

_ABSENT = "absent"
_WRITTEN = "sysctl-written"  # entries of the record: the value that provision wrote last


@dataclass(frozen=True)
class Parameter:
    """A parameter on a host.

    Its value (None where the kernel has none), our file, the value before provision.

    `written` is the value that provision wrote, also where the file is gone.
    """

    value: str | None
    file: str = ""
    before: str | None = None
    written: str | None = None


class SysctlKind(HostKind[str, Parameter]):
    """Parameters of the inventory, each with a file of its own.

    One that is taken out gets its former value back.
    """

    name = "sysctl"

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, str]]:
        for name, value in {**lab.inventory.sysctl, **lab.inventory.hosts[host].sysctl}.items():
            yield Role(name, "" if proc_path(name).startswith("net/") else "kernel"), _normal(str(value))

    def manual(self, wanted: str) -> str:
        return f"sysctl -w NAME={shlex.quote(wanted)}"

    def questions(self, at: Observed, wanted: Mapping[Key, str] | None) -> Mapping[str, str]:
        names = list(record.entries(at, self.name)) if wanted is None else [key.name for key in wanted]
        return {self.name: _question(at.lab, names)}

    def observe(self, scope: Scope) -> Mapping[Key, Parameter]:
        found = {}
        for at in scope.everywhere:
            before, written = record.entries(at, self.name), record.entries(at, _WRITTEN)
            for line in at.answers.get(self.name, "").splitlines():
                name, value, file = line.split("\t")
                found[Key(at.name, self.name, name)] = Parameter(
                    None if value == _ABSENT else _normal(value),
                    file,
                    _text(before.get(name)),
                    _text(written.get(name)),
                )
        return found

    def differences(self, wanted: str, found: Parameter) -> Sequence[Difference]:
        now = () if found.value == wanted else (Difference("value", wanted, found.value),)
        _, _, at_boot = found.file.partition("=")
        return now if _normal(at_boot) == wanted else (*now, Difference("value at boot", wanted, at_boot.strip()))

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: str, found: Parameter | None) -> Change | None:
        found = found or Parameter(None)
        differences = self.differences(wanted, found)
        if not differences:
            return None
        at = scope.at(key)
        commands = [f"sysctl -w {_assignment(key.name, wanted)}"] if found.value != wanted else []
        commands.append(f"printf '%s\\n' {_assignment(key.name, wanted, spaces=True)} > {path(at.lab, key.name)}")
        return Change(
            key=key,
            action="set",
            reason=f"its {differences[0].name} is {differences[0].found or 'not set'}",
            command=" && ".join(commands),
            carry_out=partial(_set, at, key.name, wanted, found.value),
            differences=tuple(differences),
            blocked=f"{key.host} has no such parameter: /proc/sys/{proc_path(key.name)} does not exist. Is the kernel "
            "module loaded that adds it?"
            if found.value is None
            else "",
        )

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        yield from super().changes(wants, scope)
        wanted = self.wanted(wants)
        for key, found in self.observe(scope).items():
            if key not in wanted and self.owns(scope.name, found):
                yield self.remove(scope, key, found, "the inventory no longer has it")

    def owns(self, lab: str, found: Parameter) -> bool:
        return bool(found.file) or found.before is not None

    def files(self, lab: str, key: Key) -> Sequence[str]:
        return (path(lab, key.name),)

    def remove(self, scope: Scope, key: Key, found: Parameter, reason: str) -> Change:
        """Remove our file, and restore the parameter's former value.

        Unless somebody has changed it since, or another lab wants the value: that one restores the former value then.
        """
        at = scope.at(key)
        _, _, at_boot = found.file.partition("=")
        ours = {_normal(value) for value in (at_boot, found.written or "")} - {""}
        before = found.before if found.value in ours and found.value != _normal(found.before or "") else None
        wanted = record.stored(found.value)
        labs = [lab for lab, value in record.others(at, _WRITTEN).get(key.name, {}).items() if value == wanted]
        if before is not None and labs:
            before, reason = None, f"{reason}; its value is that of {' and '.join(sorted(labs))}, too"
        commands = [] if before is None else [f"sysctl -w {_assignment(key.name, before)}"]
        commands.append(f"rm -f {path(at.lab, key.name)}")
        return Change(
            key=key,
            action="restore",
            reason=reason if before is None else f"{reason}; it was {before} before",
            command=" && ".join(commands),
            carry_out=partial(_restore, at, key.name, before, found),
        )


SYSCTL = SysctlKind()


def path(lab: str, name: str) -> str:
    """The file for one parameter.

    Its name comes late, since the last assignment counts. No lab's name has a dot.
    """
    return f"/etc/sysctl.d/zz-clusterlab-{lab}.{name.replace('/', '-')}.conf"


def files(lab: str) -> str:
    """The pattern of all files of a lab, and of no other lab's."""
    return path(lab, "*")


def _question(lab: str, names: Sequence[str]) -> str:
    """Script that prints the values of names, and the assignments of our files.

    For each name and each file of the lab.
    """
    paths = " ".join(shlex.quote(f"{name}\t{proc_path(name)}") for name in names)
    return f"""
show() {{
    value={_ABSENT}
    [ -e "/proc/sys/$2" ] && value=$(tr '\\t\\n' '  ' < "/proc/sys/$2")
    printf '%s\\t%s\\t%s\\n' "$1" "$value" "$3"
}}
in_file() {{ cat {files(lab)} | tr '\\t' ' ' | awk -F ' *= *' -v name="$1" '$1 == name' | tail -n 1; }}
in_proc() {{ case ${{1#"${{1%%[./]*}}"}} in .*) echo "$1" | tr ./ /. ;; *) echo "$1" ;; esac; }}
for pair in {paths}; do
    name=${{pair%%	*}}
    show "$name" "${{pair#*	}}" "$(in_file "$name")"
done
for file in {files(lab)}; do
    [ -e "$file" ] || continue
    line=$(grep -v '^#' "$file" | head -n 1)
    name=$(echo "${{line%%=*}}" | tr -d ' ')
    case " {" ".join(names)} " in *" $name "*) continue ;; esac
    show "$name" "$(in_proc "$name")" "$line"
done
"""


def _text(entry: object) -> str | None:
    return None if entry is None else str(entry)


def _normal(value: str) -> str:
    """A value as it is compared: the kernel separates numbers by tabs."""
    return " ".join(value.split())


def _assignment(name: str, value: str, spaces: bool = False) -> str:
    return shlex.quote(f"{name} = {value}" if spaces else f"{name}={value}")


def _set(at: Observed, name: str, value: str, before: str | None) -> None:
    doing = f"set {name}"
    record.remember(at.host, at.lab, SYSCTL.name, {name: before})
    record.forget(at.host, at.lab, _WRITTEN, [name])
    record.remember(at.host, at.lab, _WRITTEN, {name: value})
    if before != value:
        do(at.host, _write(name, value), doing)
    text = f"# Written by clusterlab for the lab {at.lab}.\n{name} = {value}\n"
    do(at.host, "mkdir -p /etc/sysctl.d", doing)
    written.write(at.host, at.lab, path(at.lab, name), text.encode())


def _restore(at: Observed, name: str, before: str | None, found: Parameter) -> None:
    """Write the former value, unless it is None, then remove our file.

    It shows what remains to be done after a failure.
    """
    doing = f"restore {name}"
    if before is not None:
        do(at.host, _write(name, before), doing)
    do(at.host, f"rm -f {path(at.lab, name)}", doing)
    written.forget(at.host, at.lab, [path(at.lab, name)])
    if found.before is not None and found.written is not None:
        record.hand_over(at.host, at.lab, SYSCTL.name, name, found.written, found.before)
    record.forget(at.host, at.lab, _WRITTEN, [name])
    record.forget(at.host, at.lab, SYSCTL.name, [name])


def _write(name: str, value: str) -> str:
    """Command that sets a parameter without sysctl(8), which minimal systems lack."""
    return f"printf %s {shlex.quote(value)} > /proc/sys/{proc_path(name)}"
