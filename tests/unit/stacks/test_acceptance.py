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

CASES = Path(__file__).parent / "acceptance"
NAMES = sorted(path.name for path in CASES.iterdir())


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
