"""A container on one host of a lab, for tests of what is asked of its engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clusterlab.remote import Host, Hosts

if TYPE_CHECKING:
    from tests.support.labs import EngineLab

IMAGE = "clusterlab-remote-test"
CONTAINER = "clusterlab-remote-test"
_IMPORT = f"""
set -e; cd "$(mktemp -d)"; mkdir bin; cp /bin/busybox bin/
for name in sh sleep cat echo wc head tail id; do ln -s busybox bin/$name; done
tar -c . | docker import - {IMAGE}; rm -r "$PWD"
"""


@contextmanager
def host_with_container(engine_lab: EngineLab) -> Iterator[Host]:
    """host1 with a container that runs, and connections of its own."""
    with Hosts(engine_lab.machines.targets()) as hosts:
        host = hosts["host1"]
        host.run(_IMPORT, check=True)
        host.docker.create_container(IMAGE, ["sleep", "3600"], name=CONTAINER, stop_signal="SIGKILL")
        try:
            host.docker.start(CONTAINER)
            yield host
        finally:
            host.docker.remove_container(CONTAINER, force=True)
            host.docker.remove_image(IMAGE)
