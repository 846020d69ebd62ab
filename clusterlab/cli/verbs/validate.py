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
    acting = sum(any(step.do for step in check.steps) for one in lab.plays.values() for check in one.checks)
    if acting and not lab.inventory.actions_allowed:
        out().print(
            f"{acting} checks will be blocked: they stop, restart or drain something, which the inventory does not "
            "allow. To allow it, set `allow_actions: true` there; only what the lab created is changed.",
            highlight=False,
            soft_wrap=True,
        )


@verb({})
def schema(context: Context) -> None:
    """Print the JSON Schema of both files, for editors."""
    from clusterlab.model import json_schema

    print(json.dumps(json_schema(), indent=2))
