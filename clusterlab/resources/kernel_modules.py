"""Kernel modules: loaded now, and at every boot.

What is built into the kernel needs neither.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.errors import HostError
from clusterlab.model.lab import Lab
from clusterlab.remote import Host

from . import written
from .base import Change, Difference, Key
from .commands import do
from .host_kind import HostKind, Role, by_host, pending_on, system_of
from .observed import Observed
from .roles import roles
from .scope import Scope, Wants

_BUILT_IN = "built in"
_LOADED = "loaded"
_ABSENT = "not loaded"


@dataclass(frozen=True)
class Module:
    """A module on a host.

    Built in, loaded or not loaded, and whether the lab's file has it loaded at boot.
    """

    state: str
    at_boot: bool


class ModuleKind(HostKind[str, Module]):
    """Modules that roles need.

    A host's file for the boot has all of them, so they are one change.
    """

    name = "module"

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, str]]:
        has = roles(lab, host)
        modules = [Role("overlay")] if has.docker else []
        modules += [Role("nfs", "nfs")] if has.mounts_nfs else []
        modules += [Role("nfsd", "nfs")] if has.nfs_server else []
        modules += [Role("vxlan"), Role("ip_vs", "ipvs")] if has.in_swarm else []
        modules += [Role("iscsi_tcp", "iscsi")] if has.logs_in else []
        yield from ((module, module.name) for module in modules)

    def manual(self, wanted: str) -> str:
        return f"modprobe {wanted}"

    def questions(self, at: Observed, wanted: Mapping[Key, str] | None) -> Mapping[str, str]:
        names = [] if wanted is None else [key.name for key in wanted]
        return {self.name: question(names, at.lab)} if names or wanted is None else {}

    def observe(self, scope: Scope) -> Mapping[Key, Module]:
        found = {}
        for at in scope.everywhere:
            states, at_boot = _parsed(at)
            for name in dict.fromkeys([*states, *at_boot]):
                found[Key(at.name, self.name, name)] = Module(states.get(name, ""), name in at_boot)
        return found

    def differences(self, wanted: str, found: Module) -> Sequence[Difference]:
        if found.state == _BUILT_IN:
            return ()
        now = () if found.state == _LOADED else (Difference(wanted, _LOADED, _ABSENT),)
        return now if found.at_boot else (*now, Difference(f"{wanted} at boot", _LOADED, _ABSENT))

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: str, found: Module | None) -> Change | None:
        return _change(scope.at(key), [wanted])

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        for at, here in by_host(self.wanted(wants), scope):
            change = _change(at, list(here))
            if change:
                yield change

    def owns(self, lab: str, found: Module) -> bool:
        return found.at_boot

    def files(self, lab: str, key: Key) -> Sequence[str]:
        return (path(lab),)

    def rest(self, key: Key, found: Module) -> str:
        return "loaded until the next boot: others may use it by now"

    def remove(self, scope: Scope, key: Key, found: Module, reason: str) -> Change | None:
        if pending_on(scope, key.host, "modules"):
            return None
        at = scope.at(key)
        return Change(
            key=Key(key.host, "modules", path(at.lab)),
            action="remove",
            reason=reason,
            command=f"rm -f {path(at.lab)}",
            carry_out=partial(_remove_file, at.host, at.lab),
        )


MODULE = ModuleKind()


def path(lab: str) -> str:
    """The file that makes the boot load the lab's modules, see modules-load.d(5)."""
    return f"/etc/modules-load.d/clusterlab-{lab}.conf"


def question(names: Sequence[str], lab: str) -> str:
    """Script that prints each module's state, then the lab's file."""
    # Only a module that was loaded has an initstate; a built-in one without parameters shows only what it registers.
    return rf"""
for module in {shlex.join(names)}; do
    if [ -e "/sys/module/$module/initstate" ]; then echo "{_LOADED}=$module"
    elif [ -d "/sys/module/$module" ] || grep -q "/$module\.ko$" "/lib/modules/$(uname -r)/modules.builtin" ||
        cut -f 2 /proc/filesystems | grep -qxF -e "$module"; then echo "{_BUILT_IN}=$module"
    else echo "{_ABSENT}=$module"; fi
done
echo file
cat {shlex.quote(path(lab))}
"""


def _parsed(at: Observed) -> tuple[dict[str, str], list[str]]:
    """Each module's state, and the lines of the lab's file."""
    states, _, file = at.answers.get(MODULE.name, "").partition("file\n")
    at_boot = [line for line in file.splitlines() if line and not line.startswith("#")]
    return {module: state for state, _, module in (line.partition("=") for line in states.splitlines())}, at_boot


def _change(at: Observed, names: Sequence[str]) -> Change | None:
    """Load what is missing of `names`, and write the file that loads them at boot."""
    states, at_boot = _parsed(at)
    lab = at.lab
    loadable = [name for name in names if states.get(name) != _BUILT_IN]
    missing = [name for name in loadable if states.get(name) != _LOADED]
    differences = [Difference(name, _LOADED, _ABSENT) for name in missing]
    if at_boot != loadable:
        differences.append(Difference(path(lab), loadable, at_boot))
    if not differences:
        return None
    because = [f"{', '.join(missing)} not loaded"] if missing else []
    because += ["the boot would not load the same"] if at_boot != loadable else []
    return Change(
        key=Key(at.name, "modules", " ".join(missing or loadable or ["at boot"])),
        action="load",
        reason="; ".join(because),
        command=_command(missing, loadable, path(lab)),
        carry_out=partial(_load, at.host, missing, loadable, lab, system_of(at).kernel),
        differences=tuple(differences),
    )


def _command(missing: Sequence[str], loadable: Sequence[str], file: str) -> str:
    load = f"modprobe -a {' '.join(missing)} && " if missing else ""
    return load + (rf"printf '%s\n' {' '.join(loadable)} > {file}" if loadable else f"rm -f {file}")


def _load(host: Host, missing: Sequence[str], loadable: Sequence[str], lab: str, kernel: str) -> None:
    failed = {name: said for name in missing if (said := _modprobe(host, name))}
    # What cannot be loaded now must not make every boot complain.
    at_boot = [name for name in loadable if name not in failed]
    if at_boot:
        text = "\n".join([f"# Written by clusterlab for the lab {lab}.", *at_boot, ""])
        written.write(host, lab, path(lab), text.encode())
    else:
        _remove_file(host, lab)
    if failed:
        raise HostError(
            host.name,
            f"kernel {kernel} has no module {', '.join(failed)}, or could not load it",
            remedy="Install the kernel's other modules (on Ubuntu linux-modules-extra-$(uname -r)) or boot the newest "
            "installed kernel: modules of a kernel that an upgrade replaced are gone.",
            detail="\n".join(failed.values()),
        )


def _remove_file(host: Host, lab: str) -> None:
    do(host, f"rm -f {path(lab)}", f"remove {path(lab)}")
    written.forget(host, lab, [path(lab)])


def _modprobe(host: Host, name: str) -> str:
    """Why modprobe could not load `name`; empty when it is loaded."""
    completed = host.run(["modprobe", name], timeout=60)
    return "" if completed.ok else completed.output or f"modprobe {name}: exit code {completed.exit}"
