"""The thirty stacks of acceptance/: what loads, what is said of it, and what is sent to the engine.

`expect.yml` names what must come of a stack, `sent.yml` what Docker's own client (28.2.2) sends for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.stacks import Loaded, load_stack, stack_specs
from clusterlab.stacks.advice import advise
from clusterlab.stacks.advice.on_lab import NodeFacts, advise_on_lab
from clusterlab.stacks.at_plan import Existing, refused_at_plan
from clusterlab.stacks.constraints import Node
from clusterlab.stacks.stack import FileObject

CASES = Path(__file__).parent / "acceptance"
NAMES = sorted(path.name for path in CASES.iterdir())

_PATHS = frozenset({"/", "/etc/localtime", "/var/lib/docker/containers", "/var/log", "/var/run/docker.sock"})
DEFAULT_LAB = [
    NodeFacts(Node("id1", "host1", "192.168.98.11", "manager"), paths=_PATHS),
    NodeFacts(Node("id2", "host2", "192.168.98.12"), paths=_PATHS),
]


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CASES / name / "expect.yml").read_text())
    return found


LOADING = [name for name in NAMES if expected(name)["loads"]]


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    monkeypatch.chdir(CASES / name)
    case = expected(name)
    return load_stack(case.get("files", ["stack.yml"]), case["stack"], {"HOME": "/home/lab", **case.get("env", {})})


def test_there_are_all_of_them() -> None:
    assert (len(NAMES), len(LOADING)) == (30, 22)


@pytest.mark.parametrize("name", LOADING)
def test_the_specs_are_those_of_docker(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = stack_specs(load(name, monkeypatch).valid())
    kinds = {kind: dict(getattr(specs, kind)) for kind in ("services", "networks", "configs", "secrets")}
    text = yaml.safe_dump({kind: found for kind, found in kinds.items() if found}, width=1000)
    text = text.replace(str(CASES / name), "<folder>").replace(f"{CASES}/", "<folder>/../")
    sent = yaml.safe_load(text)
    assert sent == yaml.safe_load((CASES / name / "sent.yml").read_text())


@pytest.mark.parametrize("name", LOADING)
def test_advice(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {one.key for one in advise(load(name, monkeypatch))}
    assert found == set(expected(name).get("advice") or [])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LOADING])
def test_errors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = expected(name)
    problems = load(name, monkeypatch).problems
    wanted = [case["error"], *case.get("also", [])]
    assert len(problems) == len(wanted), [str(one) for one in problems]
    for one in wanted:
        assert any(
            one["contains"] in f"{problem.message} {problem.remedy}" and problem.line == one["line"]
            for problem in problems
        ), one


@pytest.mark.parametrize("name", LOADING)
def test_what_a_plan_for_the_default_lab_adds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {one.key for one in advise_on_lab(load(name, monkeypatch).valid(), DEFAULT_LAB)}
    assert found == set(expected(name).get("on_lab") or [])


@pytest.mark.parametrize("name", LOADING)
def test_what_services_networks_configs_and_secrets_there_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, case = load(name, monkeypatch).valid(), expected(name)
    networks = {}
    for key in stack.used_networks():
        one = stack.network(key)
        networks[stack.scoped_network(key)] = (
            "external" if one.external else one.driver.value if one.driver else "overlay"
        )
    assert len(stack.services) == case["services"]
    assert networks == case["networks"]
    used = {one.source for service in stack.services.values() for one in (*service.configs, *service.secrets)}
    for kind in ("configs", "secrets"):
        objects: dict[str, FileObject] = dict(getattr(stack, kind))
        found = {stack.scoped(one): _from(one) for key, one in objects.items() if key in used or not one.external}
        assert found == case[kind]


@pytest.mark.parametrize("name", LOADING)
def test_a_plan_is_refused_where_external_objects_are_missing_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, case = load(name, monkeypatch).valid(), expected(name)
    exists = {kind: case.get("exists", {}).get(kind, []) for kind in ("networks", "configs", "secrets")}
    there = Existing(
        dict.fromkeys(exists["networks"], "swarm"), dict.fromkeys(exists["configs"]), dict.fromkeys(exists["secrets"])
    )
    assert list(refused_at_plan(stack, there)) == []
    missing = [name for names in exists.values() for name in names]
    assert len(list(refused_at_plan(stack, Existing()))) == len(missing)


def _from(one: FileObject) -> str:
    """Where the content of a config or secret comes from, as `expect.yml` has it."""
    return "external" if one.external else one.driver.value if one.driver else "file"
