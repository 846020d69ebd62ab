"""The pytest plug-in.

Statements of plays as test items, and hosts, containers and services as fixtures.

pytest loads it in every environment that has clusterlab, so it imports nothing of it before an inventory is named.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .bench import Bench

_BENCH: pytest.StashKey[Bench] = pytest.StashKey()
MARKER = "clusterlab(*plays): the plays that the test needs on the hosts, with --clusterlab-run"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("clusterlab", "clusters")
    group.addoption(
        "--clusterlab", metavar="INVENTORY", help="the inventory: a file, or the name of one below inventory/"
    )
    group.addoption(
        "--clusterlab-playbooks", metavar="FOLDER", default="playbooks", help="the folder with the plays (playbooks)"
    )
    group.addoption(
        "--clusterlab-run",
        action="store_true",
        help="bring the lab up and converge it before the first test, as `clusterlab run` does",
    )
    group.addoption(
        "--clusterlab-strict", action="store_true", help="fail when a statement is unsupported, instead of skipping it"
    )
    parser.addini("clusterlab", "the inventory, where --clusterlab is not given", default="")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from . import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    inventory = config.getoption("--clusterlab") or config.getini("clusterlab")
    if not inventory:
        return
    from clusterlab.errors import ClusterlabError

    from . import fixtures
    from .bench import Bench, lab_in_files
    from .own_kinds import add_kinds

    playbooks = config.getoption("--clusterlab-playbooks")

    try:
        add_kinds(kind for kinds in config.hook.pytest_clusterlab_kinds() for kind in kinds)
        bench = Bench(
            lab_in_files(inventory, playbooks),
            playbooks,
            converge=config.getoption("--clusterlab-run"),
            strict=config.getoption("--clusterlab-strict"),
            worker=hasattr(config, "workerinput"),
        )
    except ClusterlabError as error:
        raise pytest.UsageError(f"{error.message}\n{error.remedy}".rstrip()) from error
    config.stash[_BENCH] = bench
    if not config.pluginmanager.is_registered(fixtures):
        config.pluginmanager.register(fixtures, "clusterlab-fixtures")
    config.pluginmanager.register(fixtures.of_hosts(bench.lab.inventory.hosts), "clusterlab-hosts")


def has_bench(config: pytest.Config) -> bool:
    """Whether an inventory was named, so that all tests of this run share a lab."""
    return _BENCH in config.stash


def bench_of(config: pytest.Config) -> Bench:
    """The lab of this test run. Raises UsageError when no inventory was named."""
    if not has_bench(config):
        from clusterlab.errors import UsageError

        remedy = "Run pytest with --clusterlab INVENTORY, or define a fixture `clusterlab` with a lab of its own."
        raise UsageError("these tests have no lab", remedy=remedy)
    return config.stash[_BENCH]


def pytest_sessionstart(session: pytest.Session) -> None:
    """With pytest-xdist, the starting process keeps other commands off the lab.

    It does so for all the processes that it starts.
    """
    config = session.config
    if _BENCH not in config.stash or config.getoption("dist", "no") == "no":  # `-n`, or `--dist` with `--tx`
        return
    from clusterlab.errors import ClusterlabError

    from .bench import as_text

    try:
        config.stash[_BENCH].hold()
    except ClusterlabError as error:
        pytest.exit(as_text(error), returncode=pytest.ExitCode.TESTS_FAILED)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Give the lab free once all others have ended their work.

    Whoever took over hosts whose lock had expired may have changed what the tests saw: then the run fails.
    """
    answers = yield
    if _BENCH not in session.config.stash:
        return answers
    from clusterlab.errors import ClusterlabError

    from .bench import as_text

    try:
        session.config.stash[_BENCH].close()
    except ClusterlabError as error:
        pytest.exit(as_text(error), returncode=session.exitstatus or pytest.ExitCode.TESTS_FAILED)
    return answers


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A play, when it lies in the folder with the plays; one with `by_default: false` only where it is named."""
    if file_path.suffix != ".yml" or _BENCH not in parent.config.stash:
        return None
    from .statements import PlayFile

    bench = bench_of(parent.config)
    play = bench.play_of(file_path)
    named = any(Path(word.partition("::")[0]).absolute() == file_path for word in parent.config.args)
    if not play or not (named or bench.lab.plays[play].by_default):
        return None
    return PlayFile.from_parent(parent, path=file_path, play_name=play)


def pytest_collection_finish(session: pytest.Session) -> None:
    """The plays that the lab must have.

    Those of all selected statements, and those that tests name.
    """
    if _BENCH not in session.config.stash:
        return
    from .statements import Statement

    bench = session.config.stash[_BENCH]
    for item in session.items:
        if isinstance(item, Statement):
            bench.need(item.play_name)
        for mark in item.iter_markers("clusterlab"):
            for name in mark.args:
                bench.need(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """In several processes, what changes something on the lab runs alone there."""
    if _BENCH not in item.config.stash:
        return (yield)
    from .statements import Statement

    changes = item.changes if isinstance(item, Statement) else "_changes" in getattr(item, "fixturenames", ())
    with item.config.stash[_BENCH].turn(alone=changes):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """At the failure of a test that uses the lab, the logs of that moment are sections of its report."""
    report = yield
    if report.failed and report.when != "teardown" and "clusterlab" in getattr(item, "fixturenames", ()):
        from .failure_logs import failure_logs

        for title, text in failure_logs(item, call).items():
            report.sections.append((f"Captured stdout: {title} {report.when}", text))
            item.add_report_section(report.when, f"stdout: {title}", text)  # JUnit takes what the teardown reports
    return report
