"""The statements that follow from a stack: of_a_stack/stack.yml, and the exact checks in of_a_stack/expected.yml.

`CLUSTERLAB_REGENERATE=1 pytest FILE` rewrites expected.yml: read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from clusterlab.model.playbook import Play
from clusterlab.model.stack_files import StackFiles
from clusterlab.stacks.load import Loaded, load_stack
from clusterlab.stacks.statements import KEYS, statements, unknown_keys
from clusterlab.stacks.statements.of_play import with_names, with_statements

FOLDER = Path(__file__).parent / "of_a_stack"
PLAY = Play(title="shop", stack=StackFiles(files=["stack.yml"]))


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    found = load_stack([str(FOLDER / "stack.yml")], "shop", {})
    assert not found.problems
    return found


def test_what_follows_from_a_stack(loaded: Loaded) -> None:
    found = [
        {"key": f"{one.key}:{one.service}", "title": one.check.title, one.check.kind: probe, "needs": one.check.needs}
        for one in statements(loaded.valid())
        if one.check.probe is not None and (probe := one.check.probe.model_dump(by_alias=True, exclude_unset=True))
    ]
    text = yaml.safe_dump(found, sort_keys=False, width=150).replace(str(FOLDER.absolute()), "FOLDER")
    expected = FOLDER / "expected.yml"
    if os.environ.get("CLUSTERLAB_REGENERATE"):
        expected.write_text(text)
    assert text == expected.read_text()


def test_every_key_has_a_statement(loaded: Loaded) -> None:
    assert {one.key for one in statements(loaded.valid())} == set(KEYS)


def test_what_the_engine_reads_in_any_case_and_jobs_on_each_node(tmp_path: Path) -> None:
    (tmp_path / "stack.yml").write_text(
        "services:\n"
        "  web: {image: web, ports: [{target: 80, published: 8080, protocol: TCP, mode: Ingress}, "
        "{target: 81, published: 8081, mode: HOST}]}\n"
        "  each: {image: web, deploy: {mode: global-job}}\n"
    )
    found = statements(load_stack([str(tmp_path / "stack.yml")], "shop", {}).valid())
    titles = [one.check.title for one in found if one.key in ("published", "running")]
    assert titles == [
        "1 task of shop_web runs, and does not fail again and again",
        "port 8080 of shop_web answers on every node",
        "port 8081 of shop_web answers on each node with a task",
        "the job shop_each is complete on each node for it",
    ]


@pytest.mark.parametrize("key", KEYS)
def test_statements_are_turned_off_one_by_one(loaded: Loaded, key: str) -> None:
    stack = loaded.valid()
    every = statements(stack)
    assert [one for one in every if one.key != key] == statements(stack, [key])
    first = next(one for one in every if one.key == key)
    without = statements(stack, [f"{key}:{first.service}"])
    assert [one for one in every if (one.key, one.service) != (key, first.service)] == without


def test_files_turn_statements_off(loaded: Loaded) -> None:
    titles = [check.title for check in with_statements(PLAY, loaded).checks]
    off = {one.check.title for one in statements(loaded.valid()) if one.matches({"apart:db", "placed"})}
    assert off
    assert not off & set(titles)
    assert len(titles) == len(set(titles)) == len(statements(loaded.valid())) - len(off)


def test_checks_may_name_what_a_stack_has(loaded: Loaded) -> None:
    external = with_names(PLAY, loaded).external
    assert external.services == [f"shop_{name}" for name in ("proxy", "web", "db", "report", "idle", "agent")]
    assert set(external.networks) == {"public", "shop_front", "shop_back"}
    assert set(external.volumes) == {
        f"shop_{name}" for name in ("pictures", "dump", "plain", "bound", "by_name", "windows")
    }


def test_what_is_turned_off_must_exist(tmp_path: Path) -> None:
    file = tmp_path / "stack.yml"
    file.write_text("services: {web: {image: x}}\nx-clusterlab: {without: [reach, 'names:wbe', 'names:web']}\n")
    found = [(one.line, one.column, one.message, one.remedy) for one in unknown_keys(load_stack([str(file)], "s", {}))]
    assert [(line, message) for line, _, message, _ in found] == [
        (2, "x-clusterlab.without: there is no statement 'reach'"),
        (2, "x-clusterlab.without: the stack has no service 'wbe'"),
    ]
    assert "Did you mean 'reached'" in found[0][3]
