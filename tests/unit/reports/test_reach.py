"""Who reaches whom: from the links in evidence to the table and the picture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from clusterlab.model import load_lab
from clusterlab.nightly.nightly_run import read_nightly_run
from clusterlab.reports.drawn import DrawnService
from clusterlab.reports.html import page
from clusterlab.reports.picture import draw, picture_of
from clusterlab.reports.reach import links, matrix
from clusterlab.results import Evidence, Link, Outcome, Result
from tests.support.sample import PICTURE, RESULTS, nightly_run

REACHED = Link("alpha", "beta", "ping", True, True, "2 of 2 packets came back")
LOST = replace(REACHED, seen=False, found="timed out")


def result(*found: Link, outcome: Outcome = Outcome.PASS, holds: bool = True) -> Result:
    evidence = Evidence("alpha on host1", "x", "w", "f", holds=holds, links=found)
    return Result("p", "c", "k", outcome, evidence=(evidence,))


def test_a_link_that_is_not_as_wanted_or_unknown_differs() -> None:
    apart = Link("gw", "beta", "ping", False, False)
    assert not any(link.differs for link in (REACHED, apart))
    assert all(link.differs for link in (LOST, replace(apart, seen=True), replace(REACHED, seen=None)))


def test_the_first_failure_of_what_is_flaky_does_not_count() -> None:
    first, second = result(LOST, holds=False), result(REACHED)
    flaky = replace(first, outcome=Outcome.FLAKY, evidence=(*first.evidence, *second.evidence))
    assert links([flaky]) == [REACHED]
    assert links([replace(flaky, outcome=Outcome.FAIL)]) == [LOST, REACHED]


def test_a_packet_too_long_for_the_way_does_not_keep_apart() -> None:
    found = [REACHED, replace(LOST, how="1423 bytes", wanted=False)]
    assert matrix(found).targets == ["beta (ping)", "beta (1423 bytes)"]
    assert [arc.verdict for arc in draw(PICTURE, found).arcs] == ["good"]


def test_the_matrix_shows_the_difference_where_any_is() -> None:
    for found in ([REACHED, LOST], [LOST, REACHED]):
        cell = matrix(found).cell("alpha", "beta (ping)")
        assert cell is not None
        assert cell.differs
    assert matrix([REACHED]).cell("beta", "alpha (ping)") is None


def test_a_run_that_was_kept_without_links_is_readable(tmp_path: Path) -> None:
    """Earlier versions wrote none; the table of who reaches whom is then left out."""
    document = nightly_run().document()
    for one in document["results"]:
        for evidence in one["evidence"]:
            del evidence["links"]
    file = tmp_path / "results.json"
    file.write_text(json.dumps(document))
    read = read_nightly_run(file)
    assert links(read.results) == []
    assert "from \\ to" not in page(read)
    assert "from \\ to" in page(nightly_run())


def test_everything_is_drawn_inside_the_picture() -> None:
    drawing = draw(PICTURE, links(RESULTS))
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


@pytest.mark.parametrize("target", ["hello", "service hello"])
def test_the_way_to_a_service_ends_at_it(target: str) -> None:
    drawing = draw(PICTURE, [replace(LOST, source="host1", target=target)])
    height = next(row.y for row in drawing.rows if row.name == "service hello")
    (arc,) = drawing.arcs
    assert arc.verdict == "bad"
    assert arc.path.split(",")[-1] in (str(height + 3), str(height - 3))


def test_a_container_comes_before_a_service_of_its_name() -> None:
    (arc,) = draw(PICTURE, [REACHED]).arcs
    (other,) = draw(PICTURE, [replace(REACHED, target="service beta")]).arcs
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
