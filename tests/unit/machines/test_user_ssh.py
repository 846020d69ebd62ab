"""What becomes of the inventory's `ssh:` and the user's SSH configuration; OpenSSH is asked, no host is."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.errors import UsageError
from clusterlab.machines.existing import user_ssh
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.remote import Target


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "config"
    file.write_text("")
    monkeypatch.setattr(user_ssh, "USER_CONFIG", file)
    return file


def target(ssh: dict[str, object] | None = None, lab_ssh: dict[str, object] | None = None) -> Target:
    host = {"address": "192.168.98.11", "ssh": ssh or {}}
    data = {"lab": "old", "machines": "existing", "hosts": {"host1": host}, "ssh": lab_ssh or {}}
    return user_ssh.target_of(Lab(Inventory.model_validate(data)), "host1")


def test_nothing_said(config: Path) -> None:
    found = target()
    assert (found.name, found.address, found.port, found.key, found.jump) == ("host1", "192.168.98.11", 22, None, None)
    assert Path.home() / ".ssh" / "known_hosts" in found.known_hosts
    assert Path("/etc/ssh/ssh_known_hosts") in found.known_hosts


def test_configuration_for_the_name(config: Path) -> None:
    config.write_text("Host host1\n  HostName box.example.org\n  User bob\n  Port 2222\n  IdentityFile /k/bob\n")
    found = target()
    assert (found.address, found.user, found.port, found.key) == ("box.example.org", "bob", 2222, Path("/k/bob"))
    assert found.become


def test_configuration_for_the_address(config: Path) -> None:
    config.write_text("Host 192.168.98.*\n  User carol\n")
    assert target().user == "carol"


def test_inventory_comes_first(config: Path) -> None:
    config.write_text("Host 192.168.98.*\n  User bob\n  Port 2222\n  IdentityFile /k/bob\n  ProxyJump gate\n")
    found = target({"user": "root", "key": "/keys/root"}, {"user": "eve", "port": 2200, "jump": "me@other:22"})
    assert (found.user, found.port, found.key) == ("root", 2200, Path("/keys/root"))
    assert found.jump
    assert (found.jump.address, found.jump.user, found.jump.port) == ("other", "me", 22)
    assert not found.become


@pytest.mark.parametrize("said", [True, False])
def test_become_as_said(config: Path, said: bool) -> None:
    for user in ("root", "bob"):
        assert target({"user": user, "become": said}).become is said


def test_lab_wide_become_can_be_taken_back(config: Path) -> None:
    assert target({"become": False, "user": "bob"}, {"become": True}).become is False


def test_two_jump_hosts(config: Path) -> None:
    config.write_text("Host 192.168.98.*\n  ProxyJump one@gate1:2201,gate2\nHost gate2\n  User two\n")
    found = target()
    assert found.jump
    assert (found.jump.address, found.jump.user) == ("gate2", "two")
    assert found.jump.jump
    assert (found.jump.jump.address, found.jump.jump.user, found.jump.jump.port) == ("gate1", "one", 2201)


@pytest.mark.parametrize(
    ("hop", "parts"),
    [
        ("host", (None, "host", None)),
        ("me@host", ("me", "host", None)),
        ("me@host:22", ("me", "host", 22)),
        ("[fe80::1]:22", (None, "fe80::1", 22)),
        ("[fe80::1]", (None, "fe80::1", None)),
        ("ssh://me@host:22", ("me", "host", 22)),
    ],
)
def test_parts_of_a_hop(hop: str, parts: tuple[str | None, str, int | None]) -> None:
    assert user_ssh._parts(hop) == parts


def test_jump_host_for_all(config: Path) -> None:
    config.write_text("Host gate\n  ProxyJump none\nHost *\n  ProxyJump gate\n")
    found = target()
    assert found.jump
    assert (found.jump.address, found.jump.jump) == ("gate", None)


def test_circle(config: Path) -> None:
    config.write_text("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    with pytest.raises(UsageError, match="in circles"):
        target({"jump": "a"})


def test_proxy_command_is_named(config: Path) -> None:
    config.write_text("Host *\n  ProxyCommand nc %h %p\n")
    with pytest.raises(UsageError, match="ProxyCommand"):
        target()


def test_broken_configuration(config: Path) -> None:
    config.write_text("Hots *\n")
    with pytest.raises(UsageError, match="cannot be read") as raised:
        target()
    assert "Hots" in raised.value.detail or "hots" in raised.value.detail


def test_trust_hint(config: Path) -> None:
    assert target({"user": "bob", "port": 2222}).trust_hint.endswith("ssh -p 2222 bob@192.168.98.11 exit")
    assert "UserKnownHostsFile=/my/known" in target({"known_hosts": "/my/known"}).trust_hint
