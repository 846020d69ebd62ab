"""Kernel parameters get their former values back."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.resources import record, sysctl
from clusterlab.resources.base import Change, Key
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope
from clusterlab.resources.sysctl import SYSCTL, Parameter
from tests.support.rooted import Rooted

PARAMETER = "vm.swappiness"


@pytest.fixture
def host(tmp_path: Path) -> Rooted:
    return Rooted(tmp_path / "root")


def scope_of(at: Observed) -> Scope:
    return Scope("demo", {at.name: at})


def taken_back(at: Observed, found: Parameter) -> Change:
    return SYSCTL.remove(scope_of(at), Key(at.name, SYSCTL.name, PARAMETER), found, "why")


def observed_parameter(host: Rooted) -> tuple[Observed, Parameter]:
    at = host.observed({SYSCTL.name: host.run(sysctl._question("demo", [PARAMETER])).stdout})
    return at, SYSCTL.observe(scope_of(at))[Key("host1", SYSCTL.name, PARAMETER)]


@pytest.mark.parametrize("file_is_there", [True, False])
def test_a_parameter_gets_its_former_value_back_without_sysctl(host: Rooted, file_is_there: bool) -> None:
    value, file = host.root / "proc/sys/vm/swappiness", host.root / sysctl.path("demo", PARAMETER).lstrip("/")
    value.write_text("60\n")
    host.program("sysctl", "exit 127")
    sysctl._set(host.observed(), PARAMETER, "10", "60")
    sysctl._set(host.observed(), PARAMETER, "20", "10")
    assert value.read_text() == "20"
    if not file_is_there:
        file.unlink()
    taken_back(*observed_parameter(host)).carry_out()
    assert value.read_text() == "60"
    assert not file.exists()
    assert not (host.root / "var/lib/clusterlab").exists()


@pytest.mark.parametrize("file_is_there", [True, False])
def test_a_parameter_that_somebody_changed_since_keeps_its_value(host: Rooted, file_is_there: bool) -> None:
    value, file = host.root / "proc/sys/vm/swappiness", host.root / sysctl.path("demo", PARAMETER).lstrip("/")
    value.write_text("60\n")
    sysctl._set(host.observed(), PARAMETER, "10", "60")
    value.write_text("30\n")
    if not file_is_there:
        file.unlink()
    taken_back(*observed_parameter(host)).carry_out()
    assert value.read_text() == "30\n"
    assert not file.exists()


@pytest.mark.parametrize(("first", "values"), [("ada", ["20", "60"]), ("bob", ["10", "60"])])
@pytest.mark.parametrize("wanted", ["20", "10"])
def test_the_last_of_two_labs_restores_what_was_there_before_the_first(
    host: Rooted, first: str, values: list[str], wanted: str
) -> None:
    value = host.root / "proc/sys/vm/swappiness"
    value.write_text("60")

    def at(lab: str) -> Observed:
        scripts = {record.SECTION: record.question(lab), record.OTHERS: record.question_of_others(lab)}
        scripts[SYSCTL.name] = sysctl._question(lab, [PARAMETER])
        return Observed(lab, host, {}, {name: host.run(text).stdout for name, text in scripts.items()})

    sysctl._set(at("ada"), PARAMETER, "10", "60")
    sysctl._set(at("bob"), PARAMETER, wanted, "10")
    seen = []
    for lab in (first, {"ada": "bob", "bob": "ada"}[first]):
        now = at(lab)
        key = Key("host1", SYSCTL.name, PARAMETER)
        SYSCTL.remove(scope_of(now), key, SYSCTL.observe(scope_of(now))[key], "why").carry_out()
        seen.append(value.read_text())
    assert seen == (values if wanted == "20" else ["10", "60"])
    assert not (host.root / "var/lib/clusterlab").exists()


def test_the_file_stays_when_the_former_value_cannot_be_written(host: Rooted) -> None:
    value, file = host.root / "proc/sys/vm/swappiness", host.root / sysctl.path("demo", PARAMETER).lstrip("/")
    value.write_text("60\n")
    sysctl._set(host.observed(), PARAMETER, "10", "60")
    change = taken_back(*observed_parameter(host))
    value.unlink()
    value.mkdir()
    with pytest.raises(ClusterlabError, match="cannot restore"):
        change.carry_out()
    assert file.exists()
