from __future__ import annotations

import subprocess

from invoke.exceptions import Exit

from clusterlab.cli.verb import Call, verb
from clusterlab.pipeline.lock import Unlocked


@verb(
    Unlocked("touches no lab"),
    {
        "vagrant": "also install Vagrant with libvirt, and start libvirt",
        "dry_run": "print the names of the packages that are missing, and install nothing",
    },
)
def setup(call: Call, vagrant: bool = False, dry_run: bool = False) -> None:
    """Install the system packages that machines need (Debian, Ubuntu)."""
    from clusterlab.cli.locations import shipped

    options = [*(["--vagrant"] if vagrant else []), *(["--list"] if dry_run else [])]
    command = ["sh", str(shipped("setup/system.sh")), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdout
        for line in script.stdout:  # through here: a closed pipe would end the script in the middle
            print(line, end="", flush=True)
    raise Exit(code=script.returncode)
