"""Stacks and what must come of them: each a folder of files below cases/.

`case.yml` may name the files, the stack and the environment. `expected.txt` has every error and all advice, as they are
shown; `sent.yml`, of a stack that loads, the specs that would be sent to the engine. A new case is a new folder;
`CLUSTERLAB_REGENERATE=1 pytest FILE` writes both files: read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.stacks import Loaded, Stack, load_stack, stack_specs
from clusterlab.stacks.advice import advise

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in CASES.iterdir())


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    folder = CASES / name
    monkeypatch.chdir(folder)
    case = yaml.safe_load((folder / "case.yml").read_text()) if (folder / "case.yml").exists() else {}
    environment = {"HOME": "/home/lab", **case.get("env", {})}
    return load_stack(case.get("files", ["stack.yml"]), case.get("stack", "st"), environment)


def shown(loaded: Loaded) -> str:
    advice = (f"{one.file}:{one.line}: [{one.key}] {one.message}\n" for one in advise(loaded))
    return "".join([*(f"{problem}\n" for problem in loaded.problems), *advice])


def sent(stack: Stack, folder: Path) -> dict[str, Any]:
    specs = stack_specs(stack)
    by_kind = {kind: dict(getattr(specs, kind)) for kind in ("services", "networks", "configs", "secrets")}
    text = yaml.safe_dump({kind: found for kind, found in by_kind.items() if found}, width=1000)
    result: dict[str, Any] = yaml.safe_load(
        text.replace(str(folder), "<folder>").replace(str(folder.parent), "<parent>")
    )
    return result


@pytest.mark.parametrize("name", NAMES)
def test_errors_and_advice(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(name, monkeypatch)
    expected = CASES / name / "expected.txt"
    if os.environ.get("CLUSTERLAB_REGENERATE"):
        expected.write_text(shown(loaded))
    assert shown(loaded) == expected.read_text()
    assert all(problem.line > 0 for problem in loaded.problems)


@pytest.mark.parametrize("name", NAMES)
def test_specs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(name, monkeypatch)
    expected = CASES / name / "sent.yml"
    if loaded.stack is None:
        assert not expected.exists()
        return
    found = sent(loaded.stack, CASES / name)
    if os.environ.get("CLUSTERLAB_REGENERATE"):
        expected.write_text(yaml.safe_dump(found, width=110))
    assert found == yaml.safe_load(expected.read_text())


@pytest.mark.parametrize("name", NAMES)
def test_nothing_secret_is_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(name, monkeypatch)
    texts = [shown(loaded), repr(loaded), repr(loaded.stack), *(repr(advice) for advice in advise(loaded))]
    if loaded.stack:
        texts.append(repr(stack_specs(loaded.stack)))
    assert not [text for text in texts if "hunter2" in text]
