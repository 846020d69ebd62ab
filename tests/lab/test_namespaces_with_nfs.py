"""A lab in namespaces on a kernel that has NFS: in a virtual machine, for the kernel of the computer may have none.

Everything is as on a computer of its own: the packages that clusterlab needs, its cache, the command line.
"""

from __future__ import annotations

import functools
import http.server
import json
import subprocess
import sys
import tarfile
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clusterlab.build.cache import cache_folder
from clusterlab.build.container_image import built_image
from clusterlab.build.rootfs import machine_rootfs
from clusterlab.machines.qemu.lab import QemuMachines
from clusterlab.progress import Silent
from clusterlab.remote import Completed, Host, Hosts
from tests.support.check_cases import PLAYBOOKS

ROOT = PLAYBOOKS.parent
THIS_COMPUTER = "10.0.2.2"  # as a machine sees it: "User mode networking" in QEMU's manual
SERVERS = "pgrep -c '^nfsd$' || :"
NETWORKS = "lsns --noheadings --type net --output NS | sort"


@dataclass(frozen=True)
class Inner:
    """A machine on which clusterlab is used, with the example of a lab in namespaces."""

    host: Host

    def sh(self, command: str, timeout: float = 60.0) -> str:
        return self.host.run(command, check=True, timeout=timeout).stdout.strip()

    def clusterlab(self, verb: str, *words: str, code: int = 0) -> Completed:
        argv = ["env", "-C", "/opt/inner", "PYTHONPATH=/opt/inner/packages", "python3", "-m", "clusterlab"]
        done = self.host.run([*argv, verb, "-i", "inventory/namespaces.yml", *words], timeout=600.0)
        print(f"$ clusterlab {verb} {' '.join(words)}\n{done.output}")
        assert done.exit == code
        return done

    def outcomes(self, verb: str, code: int = 0) -> dict[str, str]:
        """The outcome of every statement of the play on NFS."""
        self.clusterlab(verb, "volumes/nfs", "--json", "/opt/inner/said.json", code=code)
        document: dict[str, Any] = json.loads(self.host.read("/opt/inner/said.json"))
        return {result["check"]: result["outcome"] for result in document["results"]}

    def on(self, name: str, command: str) -> Completed:
        return self.clusterlab("ssh", name, "--", command)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over HTTP on loopback; gives the address that a machine reaches it at."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{THIS_COMPUTER}:{server.server_port}"
        finally:
            server.shutdown()


def packages_for(python: str, folder: Path) -> None:
    """What clusterlab depends on, for the Python of a machine."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in (17, 28, 34)]
    choice = ["--only-binary=:all:", f"--python-version={python}", *platforms]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, *choice, *wanted], check=True
    )


@pytest.fixture(scope="module")
def inner(machines: QemuMachines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inner]:
    folder = tmp_path_factory.mktemp("inner")
    cached = [machine_rootfs("trixie", Silent()), built_image("busybox", "trixie", Silent()).path]
    with Hosts(machines.targets()) as hosts, served(folder) as address:
        host = hosts["gw"]
        host.run("systemctl stop nfs-server", check=True)
        packages_for(host.run("python3 -V", check=True).stdout.split()[1].rpartition(".")[0], folder / "packages")
        with tarfile.open(folder / "all.tar", "w") as everything:
            everything.add(folder / "packages", "opt/inner/packages")
            for part in ("clusterlab", "playbooks", "inventory"):
                everything.add(ROOT / part, f"opt/inner/{part}")
            for file in cached:
                everything.add(file, Path("root/.cache/clusterlab", file.relative_to(cache_folder())))
        host.run(f"curl -sf {address}/all.tar | tar -xC / --no-same-owner", check=True, timeout=600.0)
        inner = Inner(host)
        yield inner
        inner.clusterlab("down")
        inner.sh("rm -rf /opt/inner /root/.cache/clusterlab")


def test_volumes_on_nfs_work_in_namespaces_too(inner: Inner) -> None:
    before = inner.sh(NETWORKS)
    assert inner.sh(SERVERS) == "0"
    assert set(inner.outcomes("run").values()) == {"pass"}
    assert inner.sh(SERVERS) != "0"
    assert "no changes" in inner.clusterlab("apply", "volumes/nfs").output
    inner.clusterlab("down")
    assert inner.sh(SERVERS) == "0"
    assert inner.sh(NETWORKS) == before


def test_a_server_that_was_stopped_is_found(inner: Inner) -> None:
    assert set(inner.outcomes("run").values()) == {"pass"}
    inner.on("gw", "systemctl stop nfs-server")
    assert inner.sh(SERVERS) == "0"
    found = inner.outcomes("check", code=1)
    assert found["what one container writes the other reads, and no appended line is lost"] == "fail"
    assert "pass" in found.values()  # what does not need the server
    inner.clusterlab("provision")
    assert set(inner.outcomes("check").values()) == {"pass"}


def test_a_server_ends_with_its_host(inner: Inner) -> None:
    """The kernel's threads are nobody's children: they would go on, and keep the network of the host that is gone."""
    inner.clusterlab("up")
    inner.clusterlab("provision")
    assert inner.sh(SERVERS) != "0"
    inner.sh("kill -9 $(cat /root/.local/state/clusterlab/labs/spaces/hosts/gw/pid)")
    inner.sh(f"for second in 1 2 3 4 5; do [ $({SERVERS}) = 0 ] && exit; sleep 1; done; exit 1")
    inner.clusterlab("up")
    assert set(inner.outcomes("run").values()) == {"pass"}
