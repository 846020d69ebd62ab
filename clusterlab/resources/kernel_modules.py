"""Kernel modules: loaded now, and at every boot; what is built into the kernel is there already."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

from clusterlab.errors import HostError
from clusterlab.remote import Host
from clusterlab.resources.base import Change, Difference, Key

_BUILT_IN = "built in"
_LOADED = "loaded"
_ABSENT = "not loaded"


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


def change(host: Host, names: Sequence[str], lab: str, kernel: str, answer: str) -> Change | None:
    """Load what is missing of `names`, and write the file that loads them at boot."""
    head, _, file = answer.partition("file\n")
    states = {module: state for state, _, module in (line.partition("=") for line in head.splitlines())}
    loadable = [name for name in names if states.get(name) != _BUILT_IN]
    missing = [name for name in loadable if states.get(name) != _LOADED]
    at_boot = [line for line in file.splitlines() if line and not line.startswith("#")]
    differences = [Difference(name, _LOADED, _ABSENT) for name in missing]
    if at_boot != loadable:
        differences.append(Difference(path(lab), loadable, at_boot))
    if not differences:
        return None
    because = [f"{', '.join(missing)} not loaded"] if missing else []
    because += ["the boot would not load the same"] if at_boot != loadable else []
    return Change(
        key=Key(host.name, "modules", " ".join(missing or loadable or ["at boot"])),
        action="load",
        reason="; ".join(because),
        command=_by_hand(missing, loadable, path(lab)),
        carry_out=partial(_load, host, missing, loadable, lab, kernel),
        differences=tuple(differences),
    )


def _by_hand(missing: Sequence[str], loadable: Sequence[str], file: str) -> str:
    load = f"modprobe -a {' '.join(missing)} && " if missing else ""
    return load + (rf"printf '%s\n' {' '.join(loadable)} > {file}" if loadable else f"rm -f {file}")


def _load(host: Host, missing: Sequence[str], loadable: Sequence[str], lab: str, kernel: str) -> None:
    failed = {name: said for name in missing if (said := _modprobe(host, name))}
    # What cannot be loaded now must not make every boot complain.
    at_boot = [name for name in loadable if name not in failed]
    if at_boot:
        text = "\n".join([f"# Written by clusterlab for the lab {lab}.", *at_boot, ""])
        host.write(path(lab), text.encode())
    else:
        host.run(["rm", "-f", path(lab)], check=True)
    if failed:
        raise HostError(
            host.name,
            f"kernel {kernel} has no module {', '.join(failed)}, or could not load it",
            remedy="Install the kernel's other modules (on Ubuntu linux-modules-extra-$(uname -r)) or boot the newest "
            "installed kernel: modules of a kernel that an upgrade replaced are gone.",
            detail="\n".join(failed.values()),
        )


def _modprobe(host: Host, name: str) -> str:
    """What modprobe says against loading `name`; empty when it is loaded."""
    completed = host.run(["modprobe", name], timeout=60)
    return "" if completed.ok else completed.output or f"modprobe {name}: exit code {completed.exit}"
