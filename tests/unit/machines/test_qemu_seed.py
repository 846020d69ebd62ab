"""The seed disk: a tar that holds one identity, and no two are the same."""

from __future__ import annotations

import tarfile
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from clusterlab.machines.keys import LabKeys
from clusterlab.machines.qemu.seed import SIZE, Identity, mac_address, write_sealing_seed, write_seed


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    keys = LabKeys(tmp_path, "demo")
    addresses = {"gw": "192.168.98.1", "host1": "192.168.98.11"}
    return Identity.fresh(
        "demo", "host1", IPv4Interface("192.168.98.11/24"), addresses, keys.host("host1"), keys.user_public
    )


def contents(disk: Path) -> dict[str, str]:
    with tarfile.open(disk) as tar:
        return {member.name: tar.extractfile(member).read().decode("latin-1") for member in tar}  # type: ignore[union-attr]


def test_it_holds_the_identity(identity: Identity, tmp_path: Path) -> None:
    write_seed(tmp_path / "seed", identity)
    found = contents(tmp_path / "seed")
    assert found["hostname"] == "host1\n"
    assert found["lan"] == f"MAC={identity.mac}\nADDRESS=192.168.98.11/24\n"
    assert found["hosts"] == "127.0.0.1 localhost\n192.168.98.1 gw\n192.168.98.11 host1\n"
    assert found["ssh_host_ed25519_key"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert found["ssh_host_ed25519_key.pub"].startswith("ssh-ed25519 ")
    assert found["machine-id"] == f"{identity.machine_id}\n"
    assert "seal" not in found


def test_the_machine_to_be_saved_is_told_so(identity: Identity, tmp_path: Path) -> None:
    write_sealing_seed(tmp_path / "seed", identity)
    assert "seal" in contents(tmp_path / "seed")


def test_only_its_user_can_read_it(identity: Identity, tmp_path: Path) -> None:
    write_seed(tmp_path / "seed", identity)
    assert (tmp_path / "seed").stat().st_mode & 0o077 == 0
    assert (tmp_path / "seed").stat().st_size == SIZE


def test_two_seeds_of_one_identity_differ(identity: Identity, tmp_path: Path) -> None:
    """The guest takes an identity when the seed's id is new to it."""
    write_seed(tmp_path / "one", identity)
    write_seed(tmp_path / "two", identity)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert one["id"] != two["id"]
    assert one["random"] != two["random"]


def test_mac_addresses_are_local_single_and_the_hosts_own() -> None:
    addresses = {mac_address(lab, host) for lab in ("a", "b") for host in ("gw", "host1", "host2")}
    assert len(addresses) == 6
    assert all(int(address[:2], 16) & 0b11 == 0b10 for address in addresses)
    assert mac_address("a", "gw") == mac_address("a", "gw")
