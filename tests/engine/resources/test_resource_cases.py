"""Resources as data: each document of cases/*.yml is a play, what happens to it, and what must then be planned.

title:  what is shown
by_hand_before: {HOST: shell command}   done before the play is applied; then the play is not expected to be made
play:   the play that stands; its files are those of files/
then:   the play that is wanted afterwards (default: the same)
by_hand: {HOST: shell command}          done between the two
allow_data_loss: whether the second apply may lose data
untyped: that no command makes these changes, so that none is shown
expect: [{key, action, differences, reason, blocked, flag}]   every change that the second plan has, in any order;
        reason and blocked are parts of the text, differences the names of all
found:  {HOST: {shell command: output}} afterwards
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.model.base import Model
from clusterlab.model.playbook import Config, Container, Network, Secret, Service, Volume
from clusterlab.resources.base import Change
from tests.support.resource_bench import Bench, in_order

pytestmark = pytest.mark.engine
_KEYS = {"title", "by_hand_before", "play", "then", "by_hand", "allow_data_loss", "untyped", "expect", "found"}


def _cases() -> Iterator[Any]:
    for file in sorted(Path(__file__).parent.joinpath("cases").glob("*.yml")):
        for case in yaml.safe_load_all(file.read_text()):
            assert set(case) <= _KEYS, f"{file}: {set(case) - _KEYS}"
            yield pytest.param(case, id=f"{file.stem}: {case['title']}")


def _options(kind: str) -> set[str]:
    """The options of a kind that some case changes in the play, or manually (then its differences name them)."""
    found = set()
    for parameter in _cases():
        (case,) = parameter.values
        before, after = (play.get(kind) or {} for play in (case["play"], case.get("then", case["play"])))
        for name in before.keys() & after.keys():
            one, other = before[name] or {}, after[name] or {}
            found |= {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
        singular = kind.removesuffix("s")
        expected = [change for change in case["expect"] if f": {singular} " in change["key"]]
        found |= {name.split(".")[0] for change in expected for name in change.get("differences", [])}
    return found


@pytest.mark.parametrize(
    ("kind", "model", "alike"),
    [
        ("volumes", Volume, {"driver"}),  # engines here have none but `local`
        ("networks", Network, set()),
        ("containers", Container, set()),
        ("configs", Config, set()),
        ("secrets", Secret, set()),
        ("services", Service, set()),
    ],
)
def test_every_option_has_a_case(kind: str, model: type[Model], alike: set[str]) -> None:
    assert model.model_fields.keys() - _options(kind) == alike


@pytest.mark.parametrize("typed", [False, True], ids=["carried out", "typed"])
@pytest.mark.parametrize("case", list(_cases()))
def test_case(bench: Bench, case: dict[str, Any], typed: bool) -> None:
    """The commands that are shown have the effect of the changes, and no more."""
    how = {"allow_data_loss": case.get("allow_data_loss", False)}
    then = case.get("then", case["play"])
    for host, command in case.get("by_hand_before", {}).items():
        bench.sh(host, command)
    if "by_hand_before" not in case:
        bench.made(case["play"])
        assert [str(one.key) for one in bench.plan(case["play"])] == []
    for host, command in case.get("by_hand", {}).items():
        bench.sh(host, command)

    before = bench.identities()
    changes = bench.plan(then, **how)
    _compare(changes, case["expect"])
    if typed and case.get("untyped"):
        assert [one.command for one in changes if one.key.kind != "image"] == [""] * len(case["expect"])
        return
    if typed:
        bench.type(changes, then)
    else:
        assert [one.error.message for one in bench.carry_out(changes).failed] == []

    kept_back = {change.key for change in changes} - {change.key for change in in_order(changes)}
    left = {one.key: one.reason for one in bench.plan(then, **how)}
    assert left.keys() == kept_back, left
    after, concerned = bench.identities(), {str(change.key) for change in changes}
    concerned |= {str(change.key._replace(host=change.where)) for change in changes if change.where}
    assert {one for one in before if before[one] != after.get(one) and not _is_task(one)} <= concerned
    for host, answers in case.get("found", {}).items():
        for command, output in answers.items():
            assert bench.sh(host, command) == str(output)


def _is_task(identity: str) -> bool:
    """Whether a container is one that the Swarm named: SERVICE.NUMBER.ID."""
    return " container " in identity and identity.count(".") >= 2


def _compare(changes: list[Change], expected: list[dict[str, Any]]) -> None:
    found = {str(one.key): one for one in changes if one.key.kind != "image"}
    assert sorted(found) == sorted(one["key"] for one in expected)
    for one in expected:
        change = found[one["key"]]
        assert change.action == one["action"]
        assert sorted(d.name for d in change.differences) == sorted(one.get("differences", []))
        assert one.get("reason", "") in change.reason
        assert one.get("blocked", "") in change.blocked
        assert bool(change.blocked) == ("blocked" in one)
        assert change.flag == one.get("flag", "")
