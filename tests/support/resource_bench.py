"""What tests of resources do with their lab."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from clusterlab.model.instances import instantiated
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.model.source import Document
from clusterlab.model.validate import PlayFile
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean
from clusterlab.plan.graph import carry_out
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.remote.target import Target
from clusterlab.resources.base import Change
from clusterlab.stacks.files_of_play import with_files

FILES = Path(__file__).parents[1] / "engine" / "resources" / "files"
"""What plays of cases name as files."""

_ANONYMOUS = 64  # characters of the name that the engine gives a volume: it goes with its container


class Bench:
    """What a test does with the lab."""

    def __init__(self, hosts: Hosts, inventory: Inventory, targets: Mapping[str, Target]) -> None:
        self.hosts = hosts
        self.inventory = inventory
        self.targets = targets

    def lab(self, play: dict[str, Any] | None = None, **plays: dict[str, Any]) -> Lab:
        """A lab with one play, or with several by name."""
        bodies = plays or {"play": play or {}}
        parsed = {name: _play({"title": name, **body}) for name, body in bodies.items()}
        return Lab(self.inventory, {name: instantiated(one, self.inventory) for name, one in parsed.items()}, Path())

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

    def type(self, changes: list[Change], play: dict[str, Any]) -> None:
        """What a person types to make changes, in order; images are brought by clusterlab, for their archives are here.

        Variables are exported before, as the plan says. What is blocked or needs that is left out.
        """
        plays = self.lab(play).plays.values()
        environments = {
            (kind, name): "".join(f"export {key}={shlex.quote(str(value))}\n" for key, value in one.environment.items())
            for body in plays
            for kind, objects in (("container", body.containers), ("service", body.services))
            for name, one in objects.items()
        }
        files = {("config", name): one.path for body in plays for name, one in body.configs.items()}
        files |= {("secret", name): one.path for body in plays for name, one in body.secrets.items()}
        for change in in_order(changes):
            if change.key.kind == "image":
                change.carry_out()
                continue
            for command in change.commands:
                if file := files.get((change.key.kind, change.key.name)):
                    self._copy(command.host, file)
                self.sh(command.host, environments.get(change.key[1:], "") + command.text)

    def _copy(self, host: str, file: Path) -> None:
        """Bring a file to where commands of that host look for it."""
        text = base64.b64encode(file.read_bytes()).decode()
        self.sh(host, f"echo {text} | base64 -d > {shlex.quote(file.name)}")

    def identities(self) -> dict[str, str]:
        """What must stay the same of each object that a change does not concern."""
        found: dict[str, str] = {}
        for host in ("host1", "host2"):
            api = self.hosts[host].docker
            found |= {f"{host}: container {one['Names'][0][1:]}": one["Id"] for one in api.containers(all=True)}
            named = [one for one in api.volumes()["Volumes"] or [] if len(one["Name"]) < _ANONYMOUS]
            found |= {f"{host}: volume {one['Name']}": one["CreatedAt"] for one in named}
            local = [one for one in api.networks() if one["Scope"] != "swarm"]
            found |= {f"{host}: network {one['Name']}": one["Id"] for one in local}
        api = self.hosts["host1"].docker
        found |= {f"Swarm: network {one['Name']}": one["Id"] for one in api.networks() if one["Scope"] == "swarm"}
        for kind in ("config", "secret"):
            found |= {f"Swarm: {kind} {one['Spec']['Name']}": one["ID"] for one in getattr(api, f"{kind}s")()}
        services: list[Any] = api.services()  # type: ignore[no-untyped-call]
        found |= {f"Swarm: service {one['Spec']['Name']}": f"{one['ID']} {one['Spec']}" for one in services}
        return found

    def emptied(self) -> None:
        """Remove the lab's objects, and what a test created manually; the images stay, to save time."""
        manual = (
            "docker ps -aq --filter name=^hand | xargs -r docker rm -f >&2;"
            "docker volume ls -q --filter name=^hand | xargs -r docker volume rm >&2;"
            "docker network ls -q --filter name=^hand | xargs -r docker network rm >&2"
        )
        for kind in ("service", "config", "secret"):
            self.sh("host1", f"docker {kind} ls -q --filter name=hand | xargs -r docker {kind} rm >&2")
        for host in ("host1", "host2"):
            self.sh(host, manual)
        report = self.carry_out([one for one in clean(self.inventory.lab, self.hosts, True) if one.key.kind != "image"])
        assert report.ok, [one.error.message for one in report.failed] + [one.blocked for one in report.blocked]


def _play(body: dict[str, Any]) -> Play:
    """A play with what its files hold."""
    document = Document(str(FILES / "play.yml"), body)
    file, problems = with_files(PlayFile(str(body["title"]), document, Play.model_validate(body)))
    assert not problems, problems
    return file.play


def in_order(changes: list[Change]) -> list[Change]:
    """Changes as they are made one after the other, without those that are blocked or need one that is."""
    known = {change.key: change for change in changes}
    stopped = {change.key for change in changes if change.blocked}
    ordered = TopologicalSorter({change.key: change.needs & known.keys() for change in changes}).static_order()
    made = []
    for key in ordered:
        if key in stopped or known[key].needs & stopped:
            stopped.add(key)
        else:
            made.append(known[key])
    return made
