from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from clusterlab.cli.verb import INVENTORY, JSON, Call, out, verb
from clusterlab.pipeline.lock import Unlocked


@verb(Unlocked("reads only"), {"inventory": INVENTORY, "json": JSON})
def status(call: Call, inventory: str = "", json: str = "") -> None:
    """Show the state of each machine, and how it is reached."""
    from clusterlab.cli.session import session
    from clusterlab.reports.summary import write_json
    from clusterlab.reports.terminal import show_status

    with session(call, inventory) as lab:
        statuses = lab.machines.status()
        document = {"lab": lab.lab.name, "verb": "status", "hosts": [asdict(one) for one in statuses]}
    if json:
        write_json(Path(json), document)
    if json != "-":
        show_status(out(), statuses)
