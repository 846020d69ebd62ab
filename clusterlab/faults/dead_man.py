"""The dead-man switch of a host.

Armed before a fault is injected, it heals the host when nobody else does.

Everything is in /run, so a reboot heals too. A timer of systemd runs the script; without systemd, a process that sleeps
until then. Both count monotonic time, so a fault that sets the clock cannot move it. It is armed twice: first for as
long as the host takes to answer after the injection, then for as long as the fault may last.
"""

from __future__ import annotations

import shlex

FOLDER = "/run/clusterlab/faults"
FIRST_SECONDS = 20.0
"""Until the host has answered over management after the injection."""
MARGIN_SECONDS = 60.0
"""From the end of what a fault may last until the host heals itself."""

_SHELL = r"""
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
id=$1 dir=$2
# arm STAGE SECONDS
arm() {
    if [ -d /run/systemd/system ]; then
        systemd-run --quiet --unit="clusterlab-heal-$id-$1" --collect --on-active="$2" \
            --timer-property=AccuracySec=1s /bin/sh "$dir/heal" || return 1
    else
        setsid sh -c 'echo $$ >"$1/$2.new"; mv "$1/$2.new" "$1/$2"; sleep "$3"; exec sh "$1/heal"' \
            sh "$dir" "dead-man-$1" "$2" </dev/null >/dev/null 2>&1 &
        for pause in 0.01 0.05 0.1 0.5 1 2; do [ ! -s "$dir/dead-man-$1" ] || break; sleep "$pause"; done
        [ -s "$dir/dead-man-$1" ]
    fi
}
disarm() {
    if [ -d /run/systemd/system ]; then
        systemctl stop "clusterlab-heal-$id-$1.timer" 2>/dev/null
    elif [ -s "$dir/dead-man-$1" ]; then
        pid=$(cat "$dir/dead-man-$1")
        if grep -qs "$dir" "/proc/$pid/cmdline"; then kill -s KILL -- "-$pid"; fi
        rm -f "$dir/dead-man-$1"
    fi
    :
}
"""


def folder(fault: str) -> str:
    """The folder of a fault on its hosts."""
    return f"{FOLDER}/{fault}"


def arm(fault: str, description: str, heal: str) -> str:
    """The script that writes what heals a fault, and arms the first switch.

    `description` is JSON.
    """
    script = f"dir={folder(fault)}\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
    script += f"heal() {{\n{heal}\n}}\nheal && : >$dir/healed\n"
    return _script(
        fault,
        f'umask 077; mkdir -p "$dir" && printf %s {shlex.quote(script)} >"$dir/heal" && '
        f'printf %s {shlex.quote(description)} >"$dir/fault.json" && arm 1 {FIRST_SECONDS:g}',
    )


def extend(fault: str, seconds: float) -> str:
    """The script that arms the second switch, and then disarms the first.

    There is always one.
    """
    return _script(fault, f'[ ! -e "$dir/healed" ] && arm 2 {seconds:g} && disarm 1')


def heal(fault: str) -> str:
    """The script that heals a fault and disarms its switches.

    It prints `early` when the host had healed itself.
    """
    return _script(
        fault, '[ -d "$dir" ] || exit 0; [ ! -e "$dir/healed" ] || echo early; sh "$dir/heal" && disarm 1 && disarm 2'
    )


def fired(fault: str) -> str:
    """The script that succeeds when the host has healed itself.

    Or knows nothing of the fault.
    """
    return f"test ! -d {folder(fault)} || test -e {folder(fault)}/healed"


def forget(fault: str) -> str:
    """The script that removes the folder of a fault that is healed."""
    return f"rm -rf {folder(fault)}"


def heal_all(lab: str) -> str:
    """The script that heals every fault of a lab that a host itself knows of.

    It prints the names of their folders.
    """
    heal_one = _script("$fault", 'sh "$dir/heal" && disarm 1 && disarm 2 && rm -rf "$dir"')
    return f"""
for path in {FOLDER}/*/; do
    [ -e "$path/heal" ] || continue
    grep -qs {shlex.quote(f'"lab": "{lab}"')} "$path/fault.json" || continue
    fault=$(basename "$path")
    ( {heal_one}
    ) || exit 1
    echo "$fault"
done
rmdir {FOLDER} 2>/dev/null || :
"""


def list_all(lab: str) -> str:
    """The script that prints the descriptions of a lab's faults that a host knows of, one a line."""
    return f"""
for file in {FOLDER}/*/fault.json; do
    grep -qs {shlex.quote(f'"lab": "{lab}"')} "$file" || continue
    cat "$file"; echo
done
"""


def _script(fault: str, body: str) -> str:
    return f'set -- "{fault}" "{folder(fault)}"{_SHELL}{body}'
