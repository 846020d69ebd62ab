"""Debian's docker-registry for hosts without a way to package sources: unpacked here, once, and copied to a host."""

from __future__ import annotations

import tarfile
from pathlib import Path

from clusterlab.build.cache import artefact
from clusterlab.build.rootfs import run_mmdebstrap
from clusterlab.progress import Silent
from clusterlab.remote import Host

_PROGRAM = "usr/bin/docker-registry"
_STATUS = """

Package: docker-registry
Status: install ok installed
Maintainer: nobody
Architecture: amd64
Version: 0
Description: what tests copied
"""


def install(host: Host, release: str) -> None:
    """Put the program on a host, and have dpkg know it."""
    host.write(f"/{_PROGRAM}", _program(release).read_bytes(), 0o755)
    host.run("mkdir -p /etc/docker/registry && echo 'version: 0.1' > /etc/docker/registry/config.yml", check=True)
    host.run("cat >> /var/lib/dpkg/status", stdin=_STATUS, check=True)


def _program(release: str) -> Path:
    def make(path: Path) -> None:
        unpacked = path.with_name("unpacked.tar")
        with Silent().task("tests", "unpack docker-registry") as task:
            run_mmdebstrap(unpacked, release=release, packages=["docker-registry"], task=task, variant="extract")
        with tarfile.open(unpacked) as tar:
            member = next(one for one in tar if one.name.removeprefix("./") == _PROGRAM)
            program = tar.extractfile(member)
            assert program
            path.write_bytes(program.read())

    return artefact("test-packages", ("docker-registry", release), "-docker-registry", make, Silent())
