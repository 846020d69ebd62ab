"""Containers of the connectivity test that do not join the Swarm's network in time, once and always."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from clusterlab.capabilities import ALL_CAPABILITIES
from clusterlab.checks import run_checks
from clusterlab.checks.newcomer import Newcomer
from clusterlab.checks.places import Places
from clusterlab.connectivity.names import NETWORK, PLAY, probe
from clusterlab.connectivity.play import Options, with_test
from clusterlab.connectivity.removal import removal
from clusterlab.model import Lab
from clusterlab.plan.apply import apply
from clusterlab.plan.graph import carry_out
from clusterlab.plan.report import Report
from clusterlab.progress import Silent
from clusterlab.resources.base import Change, Key
from clusterlab.resources.removal import remove_container
from clusterlab.results import Outcome
from tests.support.late_swarm import LATE, REFUSED, Moment
from tests.support.swarm_bench import NODES, Bench, broken

pytestmark = [pytest.mark.engine, pytest.mark.long]
TRIES = 12
MINE = Key("host2", "container", probe("host2"))
NO_MANAGER = "iptables -{} OUTPUT -p tcp -d 10.75.0.11 --dport 2377 -j DROP"
DEAF = "iptables -{} INPUT -p tcp -s 10.75.0.11 --sport 2377 -j DROP"
ADDRESS = "docker inspect -f '{{(index .NetworkSettings.Networks \"%s\").IPAddress}}' %s"


@pytest.fixture(scope="module")
def standing(bench: Bench) -> Iterator[Lab]:
    """What the property ping needs stands on all nodes."""
    lab = with_test(bench.up.lab, Options(properties=["ping"]))
    assert applied(bench, lab).ok
    yield lab
    assert carry_out(removal(lab, bench.up.hosts), Silent()).ok


@pytest.fixture(scope="module")
def moment(bench: Bench, standing: Lab) -> Moment:
    return Moment(bench.run)


def planned(bench: Bench, lab: Lab) -> list[Change]:
    return apply(lab, bench.up.hosts, unsupported=bench.up.machines.unsupported())


def applied(bench: Bench, lab: Lab) -> Report:
    return carry_out(planned(bench, lab), Silent())


def test_a_start_that_missed_the_swarm_s_answer_is_repeated_and_said(
    bench: Bench, standing: Lab, moment: Moment
) -> None:
    for _ in range(TRIES):
        remove_container(bench.up.hosts["host2"], MINE.name)
        hit, report = moment.hit(partial(carry_out, planned(bench, standing), Silent()))
        assert report.ok, report.failed
        assert [one.change.key for one in report.done] == [MINE]
        if hit:
            (note,) = report.notes()
            assert note.startswith(f"{MINE}: succeeded at attempt 2; the one before: host2: cannot start container")
            assert LATE in note
            results = run_checks(standing, bench.up.hosts, ALL_CAPABILITIES, lambda result: None, Silent())
            assert {one.outcome for one in results} == {Outcome.PASS}, results
            return
    pytest.fail("the manager was never frozen at the right moment")


def test_a_new_name_that_missed_the_swarm_s_answer_is_joined_again_and_said(bench: Bench, standing: Lab) -> None:
    places = Places(standing, standing.plays[PLAY], bench.up.hosts)
    newcomer = Newcomer(places.container(probe("host2")), places, NETWORK)
    newcomer.start()
    try:
        with deaf_until_it_fails(bench):
            address = newcomer.rename("late")
        assert address == bench.run("host2", ADDRESS % (NETWORK, newcomer.name))
        assert address not in [bench.run(host, ADDRESS % (NETWORK, probe(host))) for host in NODES]
        assert "succeeded at attempt" in newcomer.notes[-1]
    finally:
        remove_container(bench.up.hosts["host2"], newcomer.name)


@contextmanager
def deaf_until_it_fails(bench: Bench) -> Iterator[None]:
    """The worker hears nothing from the manager until its engine says that a container could not join in time."""
    count = f"journalctl -u docker -o cat | grep -c -i -e '{LATE}' -e '{REFUSED}' || true"
    failed = f"[ $({count}) -gt {bench.run('host2', count)} ]"
    heal = f"n=0; until {failed} || [ $n -gt 600 ]; do sleep 0.2; n=$((n+1)); done; {DEAF.format('D')}"
    healing = threading.Thread(target=bench.run, args=("host2", heal))
    bench.run("host2", DEAF.format("I"))
    healing.start()
    try:
        yield
    finally:
        healing.join()


def test_a_node_whose_containers_never_join_in_time_fails_by_name(bench: Bench, standing: Lab) -> None:
    remove_container(bench.up.hosts["host2"], MINE.name)
    with broken(bench, "host2", NO_MANAGER.format("I"), NO_MANAGER.format("D")):
        report = applied(bench, standing)
        results = run_checks(standing, bench.up.hosts, ALL_CAPABILITIES, lambda result: None, Silent())
    assert [one.change.key for one in report.failed] == [MINE]
    assert "attach" in report.failed[0].error.message
    assert Outcome.PASS not in {one.outcome for one in results}
    assert applied(bench, standing).ok
