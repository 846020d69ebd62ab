from __future__ import annotations

import subprocess

from invoke.exceptions import Exit

from clusterlab.cli.verb import INVENTORY, Call, verb
from clusterlab.pipeline.lock import Unlocked


@verb(
    Unlocked("a shell is its user's own business"),
    {"inventory": INVENTORY, "host": "the host", "command": "the command for its shell, as with ssh itself"},
)
def ssh(call: Call, host: str = "", command: str = "", inventory: str = "") -> None:
    """Open a shell on a host, or run a command there and end with its exit code."""
    from clusterlab.cli.session import session
    from clusterlab.errors import UsageError
    from clusterlab.remote import ssh_argv

    with session(call, inventory) as lab:
        known = list(lab.lab.inventory.hosts)
        if host not in known:
            problem = f"the lab has no host {host!r}" if host else "a host is required"
            raise UsageError(problem, remedy=f"Hosts of this lab: {', '.join(known)}.")
        target = lab.machines.targets()[host]
    raise Exit(code=subprocess.call(ssh_argv(target, [command] if command else [])))


@verb(Unlocked("reads only"), {"inventory": INVENTORY})
def ssh_config(call: Call, inventory: str = "") -> None:
    """Print an OpenSSH configuration for ssh, scp, rsync and Ansible."""
    from clusterlab.cli.session import session
    from clusterlab.remote import ssh_config as text

    with session(call, inventory) as lab:
        targets = lab.machines.targets()
    print(text(targets), end="")
