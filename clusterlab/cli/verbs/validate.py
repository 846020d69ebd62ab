from __future__ import annotations

import json

from invoke import Context

from clusterlab.cli.verb import INVENTORY, PLAY, PLAYBOOKS, out, verb


@verb({"play": PLAY, "inventory": INVENTORY, "playbooks": PLAYBOOKS}, lists=("play",))
def validate(context: Context, play: list[str], inventory: str = "", playbooks: str = "playbooks") -> None:
    """Check the inventory and the playbooks without touching a host."""
    from pathlib import Path

    from clusterlab.cli.session import inventory_path
    from clusterlab.model import load_lab

    path = inventory_path(inventory)
    lab = load_lab(path, play, Path(playbooks))
    checks = sum(len(one.checks) for one in lab.plays.values())
    out().print(f"{path} and {len(lab.plays)} plays with {checks} checks are valid.", highlight=False)


@verb({})
def schema(context: Context) -> None:
    """Print the JSON Schema of both files, for editors."""
    from clusterlab.model import json_schema

    print(json.dumps(json_schema(), indent=2))
