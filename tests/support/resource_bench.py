"""What tests of resources do with their lab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.plan.graph import carry_out
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.remote.target import Target
from clusterlab.resources.base import Change


class Bench:
    """What a test does with the lab."""

    def __init__(self, hosts: Hosts, inventory: Inventory, targets: Mapping[str, Target]) -> None:
        self.hosts = hosts
        self.inventory = inventory
        self.targets = targets

    def lab(self, play: dict[str, Any] | None = None, **plays: dict[str, Any]) -> Lab:
        """A lab with one play, or with several by name."""
        bodies = plays or {"play": play or {}}
        parsed = {name: Play.model_validate({"title": name, **body}) for name, body in bodies.items()}
        return Lab(self.inventory, parsed, Path())

    def plan(self, play: dict[str, Any], **how: Any) -> list[Change]:
        return apply(self.lab(play), self.hosts, **how)

    def carry_out(self, changes: list[Change]) -> Report:
        return carry_out(changes, Silent())

    def made(self, play: dict[str, Any], **how: Any) -> None:
        """Bring the lab to a play, which must work."""
        report = self.carry_out(self.plan(play, **how))
        assert report.ok, [one.error.message for one in report.failed] + [one.blocked for one in report.blocked]

    def sh(self, host: str, command: str) -> str:
        completed = self.hosts[host].run(command)
        assert completed.ok, completed.output
        return completed.stdout.strip()

    def type(self, change: Change, exported: str = "") -> None:
        """What a person types to make a change, after what exports the values of variables."""
        for command in change.commands:
            self.sh(command.host, exported + command.text)

    def emptied(self) -> None:
        """Remove the lab's objects, and what a test made by hand; the images stay, to save time."""
        by_hand = (
            "docker ps -aq --filter name=^hand | xargs -r docker rm -f >&2;"
            "docker volume ls -q --filter name=^hand | xargs -r docker volume rm >&2;"
            "docker network ls -q --filter name=^hand | xargs -r docker network rm >&2"
        )
        self.sh("host1", "docker service ls -q --filter name=hand | xargs -r docker service rm >&2")
        for host in ("host1", "host2"):
            self.sh(host, by_hand)
        report = self.carry_out([one for one in clean(self.inventory.lab, self.hosts, True) if one.key.kind != "image"])
        assert report.ok, [one.error.message for one in report.failed] + [one.blocked for one in report.blocked]
