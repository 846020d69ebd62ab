from __future__ import annotations

from pathlib import Path

from clusterlab.cli.verb import INVENTORY, Call, verb
from clusterlab.errors import ClusterlabError
from clusterlab.pipeline.lock import Unlocked


@verb(Unlocked("reads only"), {"inventory": INVENTORY, "to": "the folder to write to"})
def collect(call: Call, inventory: str = "", to: str = "lab-logs") -> None:
    """Collect the machines' logs in a folder, without secrets."""
    from clusterlab.cli.session import session
    from clusterlab.collecting import collecting

    with session(call, inventory) as lab:
        with collecting(Path(to)) as logs:
            lab.machines.collect(logs.folder, lab.progress)
        if not logs.files:
            raise ClusterlabError(
                f"lab {lab.lab.name} has no machines, so no logs", remedy="bring it up: clusterlab up"
            )
        lab.progress.say(lab.lab.name, f"logs are in {to}: {logs}")
