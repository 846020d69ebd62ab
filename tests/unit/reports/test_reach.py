"""Links are read from the words of the checks' evidence: these tests fail when those words change."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.checks.kinds import http, ping, port, shared_file
from clusterlab.checks.kinds.http import HttpProbe
from clusterlab.checks.kinds.ping import PingProbe
from clusterlab.checks.kinds.port import PortProbe
from clusterlab.model import load_lab
from clusterlab.model.checks import Address, PublishedPort
from clusterlab.reports.night import DrawnService
from clusterlab.reports.picture import draw, picture_of
from clusterlab.reports.reach import Link, links, matrix
from clusterlab.results import Evidence, Outcome, Result
from tests.support.sample import PICTURE, RESULTS

NAMES = {host.address: host.name for host in PICTURE.hosts}


def one(wanted: str, *, holds: bool = True, outcome: Outcome | None = None, output: str = "") -> list[Link]:
    evidence = Evidence("alpha on host1", "x", wanted, "found", output, holds)
    result = Result("p", "c", "k", outcome or (Outcome.PASS if holds else Outcome.FAIL), evidence=(evidence,))
    return links([result], NAMES)


@pytest.mark.parametrize(
    ("words", "end", "how"),
    [
        (ping.KIND.summary(PingProbe(on=["host1"], to="beta")), "beta", "ping"),
        (ping.KIND.summary(PingProbe(on=["host1"], to="beta", size=1400)), "beta", "1400 bytes"),
        (ping.KIND.summary(PingProbe(on=["h"], to=Address(container="beta", network="net"))), "beta", "ping"),
        (port.KIND.summary(PortProbe(on=["h"], to="192.168.98.12", port=80)), "host2", "port 80"),
        (port.KIND.summary(PortProbe(on=["h"], to=Address(container="b", network="n"), port=1)), "b", "port 1"),
        (
            port.KIND.summary(PortProbe(on=["h"], to="host1", port=PublishedPort(container="web", published=80))),
            "host1",
            "port published for port 80 of web",
        ),
        (ping.KIND.summary(PingProbe(on=["h"], to=Address(service="web", network="n"))), "service web", "ping"),
        (http.expectation(HttpProbe(on=["h"], url="http://192.168.98.11/")), "host1", "http 80"),
        (http.KIND.summary(HttpProbe(on=["h"], url="https://web:8443/x")), "web", "http 8443"),
    ],
)
def test_the_words_of_each_probe_are_understood(words: str, end: str, how: str) -> None:
    (link,) = one(words)
    assert (link.start, link.end, link.how, link.wanted, link.seen) == ("alpha", end, how, True, True)
    (apart,) = one(f"must not be: {words}")
    assert (apart.wanted, apart.seen, apart.differs) == (False, False, False)
    (control,) = one(f"control: {words}")
    assert (control.wanted, control.seen) == (True, True)


def test_what_fails_differs_and_what_could_not_be_asked_is_unknown() -> None:
    words = "beta answers 2 of 2 pings"
    assert [link.seen for link in one(words, holds=False)] == [False]
    assert [link.seen for link in one(f"must not be: {words}", holds=False)] == [True]
    assert [link.seen for link in one(words, holds=False, outcome=Outcome.ERROR)] == [None]
    assert all(link.differs for link in one(words, holds=False, outcome=Outcome.ERROR))


def test_a_shared_file_tells_of_every_pair() -> None:
    table = shared_file.matrix(["a", "b"], {("a", "b"): "no such file", ("b", "a"): "ok"})
    found = one("what each place writes, every other reads", output=table, holds=False)
    assert [(link.start, link.end, link.seen) for link in found] == [("a", "b", False), ("b", "a", True)]


def test_a_packet_too_long_for_the_way_does_not_keep_apart() -> None:
    long = f"must not be: {ping.KIND.summary(PingProbe(on=['h'], to='beta', size=1423))}"
    found = one("beta answers 2 of 2 pings") + one(long)
    assert matrix(found).targets == ["beta (ping)", "beta (1423 bytes)"]
    assert [arc.verdict for arc in draw(PICTURE, found).arcs] == ["good"]


def test_other_evidence_tells_of_no_link() -> None:
    assert one("exit code 0") == []


def test_the_matrix_shows_the_difference_where_any_is() -> None:
    good, bad = one("beta answers 2 of 2 pings"), one("beta answers 2 of 2 pings", holds=False)
    for found in (good + bad, bad + good):
        cell = matrix(found).cell("alpha", "beta (ping)")
        assert cell is not None
        assert cell.differs
    assert matrix(good).cell("beta", "alpha (ping)") is None


def test_everything_is_drawn_inside_the_picture() -> None:
    drawing = draw(PICTURE, links(RESULTS, NAMES))
    assert [row.name for row in drawing.rows] == [
        "gw", "host1", "apphost1", "alpha", "web", "host2", "apphost2", "beta",
        "the Swarm", "service hello", "service beta",
    ]  # fmt: skip
    assert all(0 < row.y < drawing.height for row in drawing.rows)
    assert all(0 < arc.mark_x < drawing.width for arc in drawing.arcs)
    nfs = next(line for line in drawing.lines if line.name == "nfs_gw")
    assert (nfs.anchor, len(nfs.dots)) == (drawing.rows[0].y, 3)
    assert "alpha → beta" in drawing.summary
    assert "3 hosts with 5 containers, 2 services, 2 networks and volumes" in drawing.summary


@pytest.mark.parametrize("target", ["hello", Address(service="hello", network="shared_net")])
def test_the_way_to_a_service_ends_at_it(target: str | Address) -> None:
    found = one(ping.KIND.summary(PingProbe(on=["h"], to=target)), holds=False)
    drawing = draw(PICTURE, found)
    height = next(row.y for row in drawing.rows if row.name == "service hello")
    (arc,) = drawing.arcs
    assert arc.verdict == "bad"
    assert arc.path.split(",")[-1] in (str(height + 3), str(height - 3))


def test_a_container_comes_before_a_service_of_its_name() -> None:
    (arc,) = draw(PICTURE, one("beta answers 2 of 2 pings")).arcs
    (other,) = draw(PICTURE, one("service beta answers 2 of 2 pings")).arcs
    assert arc.path != other.path


HOSTS = "hosts:\n  host1: {address: 192.168.98.11, roles: [docker, swarm_manager]}\n"
PLAY = """\
title: a service
networks: {over: {driver: overlay}}
volumes: {share: {}}
services:
  many: {image: web, networks: [over], volumes: ["share:/data"], deploy: {replicas: 3}}
  all: {image: web, networks: [over], deploy: {mode: global}}
"""


def test_a_lab_with_services(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_text("lab: demo\nmachines: qemu\nimages: {web: {build: nginx}}\n" + HOSTS)
    (tmp_path / "play.yml").write_text(PLAY)
    picture = picture_of(load_lab(tmp_path / "lab.yml", ["play"], tmp_path))
    assert picture.services == [
        DrawnService("many", "web", "3", ["over", "share"]),
        DrawnService("all", "web", "one per node", ["over"]),
    ]
    assert [len(line.dots) for line in draw(picture, []).lines] == [2, 1]
