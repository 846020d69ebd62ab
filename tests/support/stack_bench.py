"""A stack in a folder, deployed by clusterlab or by Docker's own client on real engines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from clusterlab.capabilities import Capabilities
from clusterlab.checks import run_checks
from clusterlab.model.lab import Lab
from clusterlab.model.playbook import Play
from clusterlab.model.stack_files import StackFiles
from clusterlab.plan.apply import apply
from clusterlab.progress import Silent
from clusterlab.resources.base import Change
from clusterlab.resources.deploying import AS_USUAL, Deploying
from clusterlab.results import Result
from clusterlab.stacks import load_stack
from clusterlab.stacks.statements import KEYS
from clusterlab.stacks.statements.of_play import with_names, with_statements

from .resource_bench import Bench

SHOP = """
services:
  web:
    image: tools/shell:1
    command: sleep 1000
    hostname: "web-{{.Task.Slot}}"
    environment: {GREETING: "hello there", EMPTY: }
    labels: {tier: front}
    stop_grace_period: 1s
    stop_signal: SIGKILL
    healthcheck: {test: "true", interval: 1s, retries: 2}
    extra_hosts: ["far:10.1.2.3"]
    dns: 10.1.2.4
    cap_add: [NET_ADMIN]
    sysctls: {net.core.somaxconn: 512}
    ulimits: {nofile: {soft: 1000, hard: 2000}}
    init: true
    ports: ["8088:80", {target: 81, published: 8089, mode: host}]
    networks: {back: {aliases: [shopfront]}, default: }
    volumes: ["data:/data", {type: tmpfs, target: /scratch, tmpfs: {size: 1000000}}]
    configs: [{source: page, target: /page, mode: 0440}]
    secrets: [token]
    logging: {driver: json-file, options: {max-size: 1m}}
    deploy:
      replicas: 1
      labels: {shown: "yes"}
      update_config: {parallelism: 2, order: stop-first, monitor: 1s}
      rollback_config: {parallelism: 0}
      restart_policy: {condition: on-failure, delay: 1s, max_attempts: 3}
      resources: {limits: {cpus: "0.5", memory: 64M, pids: 50}, reservations: {memory: 8M}}
      placement: {constraints: [node.hostname == host1], preferences: [spread: node.labels.zone]}
  each:
    image: tools/shell:1
    command: ["sleep", "1000"]
    stop_grace_period: 1s
    read_only: true
    deploy: {mode: global, endpoint_mode: dnsrr}
  agent:
    image: tools/shell:1
    command: sleep 1000
    stop_grace_period: 1s
    networks: [host]
    volumes: ["/etc:/host/etc:ro"]
    deploy: {mode: global, placement: {constraints: [node.role == manager]}}
networks:
  host: {external: true, name: host}
  back: {internal: true, attachable: true}
volumes:
  data: {labels: {kept: "yes"}}
configs:
  page: {file: ./page.html, labels: {of: shop}}
secrets:
  token: {file: ./token.txt, name: "token_${REV:-1}"}
"""
EMPTY_VALUES = """
services:
  web:
    image: tools/shell:1
    labels: [com.example.plain]
    environment: ["NOTHING="]
    networks: [sealed]
    volumes: ["kept:/kept"]
    logging: {driver: json-file, options: {tag: ""}}
    deploy: {replicas: 0, labels: {com.example.plain: }}
networks:
  sealed: {driver_opts: {encrypted: ""}, labels: [com.example.plain]}
volumes:
  kept: {driver_opts: {type: tmpfs, device: tmpfs, o: ""}, labels: [com.example.plain]}
"""
SMALL = """
services:
  web:
    image: tools/shell:1
    command: sleep 1000
    stop_grace_period: 1s
    environment: {MODE: "one"}
    deploy: {replicas: 1, update_config: {monitor: 1s}}
"""


def quiet(result: Result) -> None:
    """Results are compared when all are there."""


class Shop:
    """A stack in a folder, and the lab that it is deployed on."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.folder = folder
        self.write(SHOP)
        (folder / "page.html").write_text("<h1>hello</h1>\n")
        (folder / "token.txt").write_text("not-a-real-token\n")

    def write(self, text: str) -> None:
        (self.folder / "stack.yml").write_text(text)

    def lab(self, **environment: str) -> Lab:
        file = str(self.folder / "stack.yml")
        play = Play(title="the shop", stack=StackFiles(files=[file], name="shop"))
        loaded = load_stack([file], "shop", {"HOME": "/root", **environment})
        loaded.valid()
        return Lab(self.bench.inventory, {"shop": play}, Path(), stacks={"shop": loaded})

    def plan(self, how: Deploying = AS_USUAL, **environment: str) -> list[Change]:
        return apply(self.lab(**environment), self.bench.hosts, deploying=how)

    def deploy(self, how: Deploying = AS_USUAL, **environment: str) -> None:
        report = self.bench.carry_out(self.plan(how, **environment))
        assert report.ok, [one.error.message for one in report.failed] + [one.blocked for one in report.blocked]

    def deploy_with_docker(self) -> None:
        """What Docker's own client makes of the same files on the manager."""
        for file in self.folder.iterdir():
            self.bench.hosts["host1"].write(f"/root/{file.name}", file.read_bytes())
        self.bench.sh("host1", "cd /root && docker stack deploy --resolve-image never -c stack.yml shop 2>&1")

    def spec(self, service: str) -> Any:
        """The spec of a service as the engine reports it, without ids and labels of clusterlab's own."""
        text = self.bench.sh("host1", f"docker service inspect {service}")
        (found,) = json.loads(text)
        spec = found["Spec"]
        spec["Labels"] = {key: value for key, value in spec["Labels"].items() if "clusterlab" not in key}
        for network in spec["TaskTemplate"]["Networks"]:
            network["Target"] = "(id)"
        for kind in ("Secret", "Config"):
            for one in spec["TaskTemplate"]["ContainerSpec"].get(f"{kind}s", []):
                one[f"{kind}ID"] = "(id)"
        return spec

    def states(self, *keys: str, within: float = 30) -> list[Result]:
        """What comes of the statements of some keys that follow from the stack; of all but those that need IPVS."""
        lab = self.lab()
        loaded = lab.stacks["shop"]
        without = set(KEYS) - set(keys) if keys else {"virtual"}
        play = with_statements(with_names(lab.plays["shop"], loaded), loaded, without)
        checks = [check.model_copy(update={"within": within}) for check in play.checks]
        derived = replace(lab, plays={"shop": play.model_copy(update={"checks": checks})})
        return run_checks(derived, self.bench.hosts, Capabilities(), quiet, Silent())

    def tasks(self) -> str:
        return self.bench.sh("host1", "docker stack ps -q --no-trunc --filter desired-state=running shop | sort")


def told(changes: list[Change]) -> list[str]:
    return [f"{one.action} {one.key}" + (" (blocked)" if one.blocked else "") for one in changes]
