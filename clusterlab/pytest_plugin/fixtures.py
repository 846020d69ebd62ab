"""The fixtures.

What a test changes through them is undone when it ends, and that is proven.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeVar

import pytest

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model import Lab
from clusterlab.model.base import seconds
from clusterlab.remote import Host

from . import bench_of, has_bench
from .asking import Check
from .bench import Bench
from .fault_handles import Faults
from .handles import Changes, ContainerInTest, Containers
from .swarm_handles import Services, StackInTest, Stacks, service_in_test

T = TypeVar("T")


def _scope(fixture_name: str, config: pytest.Config) -> Literal["session", "module"]:
    """How long a lab lasts: as the run that it was named for; otherwise modules have labs of their own."""
    return "session" if has_bench(config) else "module"


@pytest.fixture(scope=_scope)
def clusterlab(request: pytest.FixtureRequest) -> Bench:
    """The open lab of this test run; other fixtures are more convenient.

    Modules with labs of their own define a fixture of this name, which yields `temporary_lab(...)`.
    """
    bench = bench_of(request.config)
    bench.open()
    return bench


@pytest.fixture(scope=_scope)
def lab(clusterlab: Bench) -> Lab:
    """The inventory and the plays."""
    return clusterlab.lab


class HostsByRole:
    """The hosts of the lab.

    `hosts()` are all, `hosts("docker")` those with a role, `hosts["host1"]` is one.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __call__(self, *roles: str) -> list[Host]:
        return [self._bench.hosts[name] for name in self._bench.lab.expand(roles or ("all",))]

    def __getitem__(self, name: str) -> Host:
        if name not in self._bench.lab.inventory.hosts:
            known = ", ".join(self._bench.lab.inventory.hosts)
            raise UsageError(f"the lab has no host {name!r}", remedy=f"Hosts of this lab: {known}.")
        return self._bench.hosts[name]


@pytest.fixture(scope=_scope)
def hosts(clusterlab: Bench) -> HostsByRole:
    """The hosts, by role or name.

    Each is also a fixture of its own name, with _ for dashes.
    """
    return HostsByRole(clusterlab)


@pytest.fixture
def _changes(clusterlab: Bench) -> Iterator[Changes]:
    """What a test changes, and restoring it.

    A test whose changes could not be undone is an error.
    """
    changes = Changes(clusterlab)
    yield changes
    failed = changes.restore()
    if failed:
        raise ClusterlabError(f"not restored after the test: {'; '.join(failed)}")


@pytest.fixture
def container(clusterlab: Bench, _changes: Changes) -> Containers:
    """`container("web")`.

    A container of a play, to run commands in, and to stop, kill or recreate for the test.
    """
    return lambda name: ContainerInTest(clusterlab, _changes, name)


@pytest.fixture
def service(clusterlab: Bench, _changes: Changes) -> Services:
    """`service("api")`: a service of a play, to inspect, scale or kill a task of.

    For the test only.
    """
    return lambda name: service_in_test(clusterlab, _changes, name)


@pytest.fixture
def stack(clusterlab: Bench, _changes: Changes) -> Stacks:
    """`stack("shop")`: a stack of a play, to prove again, and to inspect, scale or run commands in its services.

    For the test only.
    """
    return lambda name: StackInTest(clusterlab, _changes, name)


@pytest.fixture
def fault(_changes: Changes) -> Faults:
    """`fault("isolate", host="host2")`: break the lab, proven, until the test ends; healed then, proven too."""
    return Faults(_changes)


@pytest.fixture
def check(clusterlab: Bench) -> Check:
    """`check("http", on="host2", url=..., status=200, within="10s")`.

    Any kind of check, as in a play.
    """
    return Check(clusterlab)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """`eventually(function, within="10s")`.

    Call it until it raises no AssertionError; returns what it returns.
    """
    return _eventually


def _eventually(function: Callable[[], T], within: str | float = "10s") -> T:
    deadline = time.monotonic() + float(str(seconds(within)))
    pause = 0.05
    while True:
        try:
            return function()
        except AssertionError as failed:
            if time.monotonic() >= deadline:
                failed.add_note(f"still failing after {within}")
                raise
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(2 * pause, 1.0)


def of_hosts(names: Iterable[str]) -> object:
    """A plug-in with a fixture for each host."""
    return type("HostFixtures", (), {name.replace("-", "_"): _host_fixture(name) for name in names})()


def _host_fixture(name: str) -> object:
    def host(self: object, hosts: HostsByRole) -> Host:
        return hosts[name]

    host.__doc__ = f"The host {name}."
    return pytest.fixture(scope="session", name=name.replace("-", "_"))(host)
