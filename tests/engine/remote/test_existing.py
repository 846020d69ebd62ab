"""`machines: existing`, with real servers and the user's own configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterlab.errors import HostError, Several
from clusterlab.machines.existing import user_ssh
from clusterlab.machines.existing.machines import ExistingMachines
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.progress import Silent
from tests.support.sshd import Sshd, free_port, server

pytestmark = pytest.mark.engine


class Spoken(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, subject: str, text: str) -> None:
        self.lines.append(f"{subject}: {text}")


def machines(hosts: dict[str, object]) -> ExistingMachines:
    return ExistingMachines(Lab(Inventory.model_validate({"lab": "old", "machines": "existing", "hosts": hosts})))


def by_ssh(sshd: Sshd, **more: object) -> dict[str, object]:
    ssh = {"address": "127.0.0.1", "port": sshd.port, "key": str(sshd.user_key), "known_hosts": str(sshd.known_hosts())}
    return {"user": "root", **ssh, **more}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's SSH configuration, empty at first."""
    file = tmp_path / "config"
    file.write_text("")
    monkeypatch.setattr(user_ssh, "USER_CONFIG", file)
    return file


def test_inventory_alone(sshd: Sshd, tmp_path: Path, config: Path) -> None:
    lab = machines({"host1": {"address": "192.168.98.11", "ssh": by_ssh(sshd)}})
    lab.up(Silent())
    assert [(status.host, status.state) for status in lab.status()] == [("host1", "running")]
    target = lab.targets()["host1"]
    assert not target.become
    assert target.known_hosts == (tmp_path / "sshd" / "known_hosts",)
    assert target.engine == "/var/run/docker.sock"
    other = machines({"host1": {"address": "192.168.98.11", "ssh": by_ssh(sshd, docker_socket="/run/other.sock")}})
    assert other.targets()["host1"].engine == "/run/other.sock"


def test_users_configuration(sshd: Sshd, tmp_path: Path, config: Path) -> None:
    with server(tmp_path / "jump") as jump:
        config.write_text(
            f"Host host1\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User root\n  IdentityFile {sshd.user_key}\n"
            f"  UserKnownHostsFile {sshd.known_hosts(name='my-alias')}\n  HostKeyAlias my-alias\n  ProxyJump gate\n"
            f"Host gate\n  HostName 127.0.0.1\n  Port {jump.port}\n  User root\n  IdentityFile {jump.user_key}\n"
            f"  UserKnownHostsFile {jump.known_hosts()}\n"
        )
        machines({"host1": {"address": "192.168.98.11"}}).up(Silent())
        assert "Accepted publickey" in (jump.folder / "log").read_text()


def test_strict_although_the_user_is_not(sshd: Sshd, tmp_path: Path, config: Path) -> None:
    config.write_text(f"Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile {tmp_path}/mine\n")
    (tmp_path / "mine").write_text("")
    lab = machines({"host1": {"address": "127.0.0.1", "ssh": {"user": "root", "port": sshd.port}}})
    with pytest.raises(HostError, match="host key is unknown") as raised:
        lab.up(Silent())
    assert f"ssh -p {sshd.port} root@127.0.0.1 exit" in raised.value.remedy
    assert (tmp_path / "mine").read_text() == ""


def test_up_tells_every_problem(sshd: Sshd, tmp_path: Path, config: Path) -> None:
    dead = free_port()
    lab = machines(
        {
            "a": {"address": "192.168.98.1", "ssh": by_ssh(sshd)},
            "b": {"address": "192.168.98.2", "ssh": by_ssh(sshd, port=dead)},
            "c": {"address": "192.168.98.3", "ssh": by_ssh(sshd, key="/nowhere")},
        }
    )
    with pytest.raises(Several) as raised:
        lab.up(Silent())
    assert [error.message.split(":")[0] for error in raised.value.errors] == ["b", "c"]
    assert [(status.host, status.state) for status in lab.status()] == [
        ("a", "running"),
        ("b", "unreachable"),
        ("c", "unreachable"),
    ]


def test_down_destroys_nothing(sshd: Sshd, tmp_path: Path, config: Path) -> None:
    lab = machines({"host1": {"address": "192.168.98.11", "ssh": by_ssh(sshd)}})
    lab.down(Spoken())
    assert "nothing on them was changed" in lab.kind.down
    assert lab.status()[0].state == "running"


def test_collect_goes_on_without_what_is_missing(sshd: Sshd, tmp_path: Path, config: Path) -> None:
    lab = machines(
        {
            "a": {"address": "192.168.98.1", "ssh": by_ssh(sshd)},
            "b": {"address": "192.168.98.2", "ssh": by_ssh(sshd, port=free_port())},
        }
    )
    progress = Spoken()
    lab.collect(tmp_path / "logs", progress)
    assert (tmp_path / "logs" / "a" / "kernel.log").exists()
    assert any(line.startswith("b: not collected: b: ") for line in progress.lines)


def test_the_kernel_is_asked(sshd: Sshd, tmp_path: Path, config: Path) -> None:
    lab = machines({"host1": {"address": "192.168.98.11", "ssh": by_ssh(sshd)}})
    release = os.uname().release
    has_nfs = "\tnfs\n" in Path("/proc/filesystems").read_text().replace("nodev", "")
    if has_nfs:
        assert lab.unsupported().has("host1", "nfs")
    elif not Path(f"/lib/modules/{release}").exists():
        assert lab.unsupported().reason("host1", "nfs").startswith(f"kernel {release} has it neither")
