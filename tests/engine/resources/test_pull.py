"""Images that hosts pull: the same on all of them, known by our name alone, and gone with the lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.build.container_image import built_image
from clusterlab.model.inventory import Image
from clusterlab.model.lab import Lab
from clusterlab.plan.apply import apply
from clusterlab.plan.clean import clean, left_over
from clusterlab.progress import Silent
from clusterlab.resources.base import Change
from tests.support import registry
from tests.support.resource_bench import Bench

pytestmark = pytest.mark.engine

HOSTS = ("host1", "host2")
REFERENCE = "localhost:5000/tools/shell:1"
SERVE = """
mkdir -p /srv/registry && cd /srv/registry && tar -x -f /root/image.tar
setsid python3 /root/registry.py . 5000 > /root/registry.log 2>&1 < /dev/null &
echo $! > /root/registry.pid
until curl -sf -o /dev/null http://localhost:5000/v2/; do sleep 0.05; done
"""
IMAGES = "docker images -a --format '{{.Repository}}:{{.Tag}}'"


@pytest.fixture
def pulls(bench: Bench) -> Iterator[Bench]:
    """The bench without images, and on both hosts a registry that has one."""
    archive = built_image("busybox", bench.inventory.release, Silent())
    for name in HOSTS:
        bench.hosts[name].write("/root/image.tar", archive.path.read_bytes())
        bench.hosts[name].write("/root/registry.py", Path(registry.__file__).read_bytes())
        bench.sh(name, SERVE)
    bench.carry_out(clean(bench.inventory.lab, bench.hosts, True))
    yield bench
    for name in HOSTS:
        bench.sh(name, f"kill $(cat /root/registry.pid); docker rmi -f {REFERENCE} >&2; rm -r /srv/registry")
    bench.carry_out(clean(bench.inventory.lab, bench.hosts, True))


def wanted(bench: Bench) -> Lab:
    """A container of the image on each host."""
    lab = bench.lab({"containers": {f"c{n}": {"host": f"host{n}", "image": "tool"} for n in (1, 2)}})
    images = {"tool": Image.model_validate({"pull": REFERENCE})}
    return Lab(lab.inventory.model_copy(update={"images": images}), lab.plays, Path())


def images(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [(change.key.host, change.action, change.reason) for change in changes if change.key.kind == "image"]


def test_it_is_pulled_once_and_gone_with_the_lab(pulls: Bench) -> None:
    lab = wanted(pulls)
    changes = apply(lab, pulls.hosts)
    assert images(changes) == [(host, "create", "it does not exist") for host in HOSTS]
    report = pulls.carry_out(changes)
    assert report.ok, [(one.error.message, one.error.detail) for one in report.failed]
    assert apply(lab, pulls.hosts) == []
    tags = {pulls.sh(host, IMAGES) for host in HOSTS}
    assert len(tags) == 1
    assert f"clusterlab/{pulls.inventory.lab}/tool:pull-" in tags.pop()
    assert pulls.carry_out(clean(lab.name, pulls.hosts, True)).ok
    assert left_over(lab.name, pulls.hosts) == []
    assert {pulls.sh(host, IMAGES) for host in HOSTS} == {""}


def test_one_that_somebody_pulled_before_stays(pulls: Bench) -> None:
    lab = wanted(pulls)
    pulls.sh("host1", f"docker pull {REFERENCE}")
    assert pulls.carry_out(apply(lab, pulls.hosts)).ok
    assert apply(lab, pulls.hosts) == []
    assert pulls.carry_out(clean(lab.name, pulls.hosts, True)).ok
    assert left_over(lab.name, pulls.hosts) == []
    assert pulls.sh("host1", IMAGES) == REFERENCE
    assert pulls.sh("host2", IMAGES) == ""


def test_another_one_under_its_tag_is_found_and_replaced(pulls: Bench) -> None:
    lab = wanted(pulls)
    assert pulls.carry_out(apply(lab, pulls.hosts)).ok
    tag = pulls.sh("host2", f"{IMAGES} | grep ^clusterlab/")
    pulls.sh("host2", f"tar -c /root/registry.py | docker import - {tag}")
    changes = apply(lab, pulls.hosts)
    assert images(changes) == [("host2", "replace", "another image than on host1")]
    assert pulls.carry_out(changes).ok
    assert apply(lab, pulls.hosts) == []


def test_a_registry_that_fails_half_way_is_named(pulls: Bench) -> None:
    """Without its blobs it still has a manifest: the engine tells of what is missing only while it pulls."""
    pulls.sh("host1", "cd /srv/registry/blobs/sha256 && ls -S | head -n 1 | xargs rm")
    report = pulls.carry_out(apply(wanted(pulls), pulls.hosts))
    assert [str(one.change.key) for one in report.failed] == ["host1: image tool"]
    assert f"cannot pull image {REFERENCE}" in report.failed[0].error.message
