"""What the plug-in converges, and which of several results is a statement's; no host is reached."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusterlab import pytest_plugin as plugin
from clusterlab.checks.swarm_managers import SWARM_PLAY, statement
from clusterlab.errors import ClusterlabError
from clusterlab.machines.lab_lock import LabBusy
from clusterlab.machines.state import LabState
from clusterlab.model.lab import Lab
from clusterlab.pipeline.lock import Exclusive, Lock, Unlocked
from clusterlab.pipeline.session import Session
from clusterlab.progress import Progress, Silent
from clusterlab.pytest_plugin import bench as benches
from clusterlab.pytest_plugin.bench import Bench, lab_in_files
from clusterlab.pytest_plugin.own_lab import temporary_lab
from clusterlab.results import Evidence, Outcome, Result

INVENTORY = """\
lab: demo
machines: existing
hosts:
  host1: {address: 192.0.2.11, roles: [docker, swarm_manager]}
  host2: {address: 192.0.2.12, roles: [docker, swarm_manager]}
"""
STACK = "services: {{web: {{image: '{name}/web:1'}}}}\n"
PLAY = """\
title: {name}
stack: {{files: {name}/stack.yml}}
checks:
  - {{title: it is there, command: {{on: host1, run: id}}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    for name in ("shop", "wiki"):
        (tmp_path / "playbooks" / name).mkdir(parents=True)
        (tmp_path / "playbooks" / name / "stack.yml").write_text(STACK.format(name=name))
        (tmp_path / "playbooks" / f"{name}.yml").write_text(PLAY.format(name=name))
    return tmp_path


def bench_in(folder: Path, *, converge: bool) -> Bench:
    lab = lab_in_files(str(folder / "inventory.yml"), str(folder / "playbooks"))
    return Bench(lab, str(folder / "playbooks"), converge=converge)


def test_only_plays_that_tests_need_are_deployed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened(lab: Lab, *_: Any) -> Iterator[Session]:
        yield Session(lab, Silent(), Unlocked("a test"))

    converged: list[Lab] = []

    def pipeline(session: Session) -> Any:
        stage = lambda: converged.append(session.lab)  # noqa: E731
        return SimpleNamespace(up=stage, provision=stage, apply=stage)

    monkeypatch.setattr(benches, "open_session", opened)
    monkeypatch.setattr(benches, "Pipeline", pipeline)
    bench = bench_in(folder, converge=True)
    bench.need("wiki")
    assert bench.session.lab.stacks.keys() == {"shop", "wiki"}
    assert [(list(lab.plays), list(lab.stacks)) for lab in converged] == [(["wiki"], ["wiki"])] * 3


@pytest.mark.parametrize("machines", ["existing", "namespaces"])
def test_for_several_processes_hosts_of_others_are_locked_and_no_others_are_contacted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, machines: str
) -> None:
    inventory = folder / "inventory.yml"
    inventory.write_text(inventory.read_text().replace("existing", machines).replace("192.0.2.", "192.168.98."))
    connected: list[bool] = []

    class Opened(Session):
        @property
        def hosts(self) -> Any:
            connected.append(isinstance(self.lock, Exclusive))

    @contextmanager
    def opened(lab: Lab, progress: Progress, lock: Lock) -> Iterator[Session]:
        yield Opened(lab, progress, lock)

    monkeypatch.setattr(benches, "open_session", opened)
    bench_in(folder, converge=True).hold()
    assert connected == ([True] if machines == "existing" else [])


def test_the_tests_use_the_hosts_that_were_locked_to_converge_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second lock of the same process would be refused."""
    used: list[Session] = []

    @contextmanager
    def opened(lab: Lab, *_: Any) -> Iterator[Session]:
        yield Session(lab, Silent(), Exclusive("pytest"))

    def pipeline(session: Session) -> Any:
        stage = lambda: used.append(session)  # noqa: E731
        return SimpleNamespace(up=stage, provision=stage, apply=stage)

    monkeypatch.setattr(benches, "open_session", opened)
    monkeypatch.setattr(benches, "Pipeline", pipeline)
    bench = bench_in(folder, converge=True)
    bench.need("wiki")
    session = bench.session
    assert [one is session for one in used] == [True] * 3


def test_a_test_that_could_not_have_the_lab_gives_it_free_for_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[Lab] = []

    @contextmanager
    def opened(lab: Lab, *_: Any) -> Iterator[Session]:
        assert not held
        held.append(lab)
        try:
            yield Session(lab, Silent(), Exclusive("pytest"))
        finally:
            held.clear()

    def failing() -> None:
        raise ClusterlabError("host1: it does not answer")

    monkeypatch.setattr(benches, "open_session", opened)
    monkeypatch.setattr(
        benches, "Pipeline", lambda session: SimpleNamespace(up=failing, provision=failing, apply=failing)
    )
    bench = bench_in(folder, converge=True)
    for _ in range(2):
        with pytest.raises(ClusterlabError, match="host1: it does not answer"):
            bench.open()


@pytest.mark.parametrize("exists", ["", "record", "machines"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_temporary_lab_is_removed_whatever_happens_unless_it_existed_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch, exists: str, fails: bool
) -> None:
    inventory = folder / "inventory.yml"
    inventory.write_text(inventory.read_text().replace("existing", "namespaces").replace("192.0.2.", "192.168.98."))
    done: list[str] = []

    @contextmanager
    def opened(lab: Lab, *_: Any) -> Iterator[Any]:
        done.append("locked")
        state = "stopped" if exists == "machines" else "absent"
        machines = SimpleNamespace(
            down=lambda progress: done.append("down"), status=lambda: [SimpleNamespace(state=state)]
        )
        yield SimpleNamespace(lab=lab, machines=machines)
        done.append("free")

    def up() -> None:
        done.append("up")
        if fails:
            raise ClusterlabError("no space left")

    stages = SimpleNamespace(up=up, provision=lambda: None, apply=lambda: None)
    monkeypatch.setattr(benches, "open_session", opened)
    monkeypatch.setattr(benches, "Pipeline", lambda session: stages)
    monkeypatch.setattr(LabState, "read", lambda state: object() if exists == "record" else None)
    lab = lab_in_files(str(inventory), str(folder / "playbooks"))
    with suppress(ClusterlabError), temporary_lab(lab):
        done.append("tests")
    expected = ["locked", *([] if exists else ["up", *([] if fails else ["tests"]), "down"])]
    assert [one for one in done if one != "free"] == expected


@pytest.mark.parametrize(("options", "held"), [({}, False), ({"dist": "no"}, False), ({"dist": "load"}, True)])
def test_whoever_starts_other_processes_holds_the_lab_for_them(options: dict[str, str], held: bool) -> None:
    """With `-n`, and with `--tx` too, which says nothing of a number."""
    done: list[str] = []
    stash = pytest.Stash()
    stash[plugin._BENCH] = cast(Bench, SimpleNamespace(hold=lambda: done.append("held")))
    config = SimpleNamespace(stash=stash, getoption=options.get)
    plugin.pytest_sessionstart(cast(pytest.Session, SimpleNamespace(config=config)))
    assert done == (["held"] if held else [])


@pytest.mark.parametrize(("before", "after"), [(0, 1), (2, 2)])
def test_a_lock_that_was_lost_is_an_error_of_the_run(before: int, after: int) -> None:
    def close() -> None:
        raise LabBusy("host1: the lock of this command expired", remedy="Run the same command again.")

    stash = pytest.Stash()
    stash[plugin._BENCH] = cast(Bench, SimpleNamespace(close=close))
    session = SimpleNamespace(config=SimpleNamespace(stash=stash), exitstatus=before)
    ending = plugin.pytest_sessionfinish(cast(pytest.Session, session))
    next(ending)
    with pytest.raises(pytest.exit.Exception, match="host1: the lock of this command expired") as raised:
        ending.send([])
    assert raised.value.returncode == after


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.BLOCKED])
def test_a_statement_has_its_own_result_and_a_manager_that_is_down_is_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    def run_checks(lab: Lab, *_: Any) -> list[Result]:
        found = Evidence("host2", "docker node ls", statement("host2"), "the Docker engine is not running", holds=False)
        managers = [
            Result(SWARM_PLAY, statement("host1"), "manager", Outcome.PASS),
            Result(SWARM_PLAY, statement("host2"), "manager", outcome, evidence=(found,)),
        ]
        return [
            *managers,
            *(Result(name, play.checks[0].title, "command", Outcome.PASS) for name, play in lab.plays.items()),
        ]

    monkeypatch.setattr(benches, "run_checks", run_checks)
    bench: Any = bench_in(folder, converge=False)
    bench.session = SimpleNamespace(hosts={}, unsupported={})
    play = bench.lab.plays["shop"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = bench.prove("shop", play, play.checks[0])
    assert (result.play, result.check) == ("shop", "it is there")
    said = ["Swarm: host2 manages the Swarm: blocked: the Docker engine is not running"]
    assert [str(one.message) for one in caught] == ([] if outcome is Outcome.PASS else said)
