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
        "demo", "host1", IPv4Interface("192.168.98.11/24"), addresses, keys.host("host1"), keys.user_public, engine=True
    )


def contents(disk: Path) -> dict[str, str]:
    with tarfile.open(disk) as tar:
        return {member.name: tar.extractfile(member).read().decode("latin-1") for member in tar}  # type: ignore[union-attr]


def test_it_holds_the_identity(identity: Identity, tmp_path: Path) -> None:
    write_seed(tmp_path / "seed", identity)
    found = contents(tmp_path / "seed")
    assert found["etc/hostname"] == "host1\n"
    assert found["etc/hosts"] == "127.0.0.1 localhost\n192.168.98.1 gw\n192.168.98.11 host1\n"
    assert found["etc/ssh/ssh_host_ed25519_key"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert found["etc/ssh/ssh_host_ed25519_key.pub"].startswith("ssh-ed25519 ")
    assert found["etc/machine-id"] == f"{identity.machine_id}\n"
    assert found["var/lib/docker/engine-id"] == identity.engine_id
    assert "run/clusterlab/engine" in found
    assert "run/clusterlab/seal" not in found


def test_the_lans_card_comes_up_last_with_its_own_addresses(identity: Identity, tmp_path: Path) -> None:
    write_seed(tmp_path / "seed", identity)
    assert contents(tmp_path / "seed")["run/clusterlab/network"].splitlines()[-4:] == [
        "address flush dev eth1",
        f"link set eth1 address {identity.mac} mtu 1500",
        "address add 192.168.98.11/24 broadcast + dev eth1",
        "link set eth1 up",
    ]


def test_secrets_are_for_root_alone(identity: Identity, tmp_path: Path) -> None:
    write_seed(tmp_path / "seed", identity)
    with tarfile.open(tmp_path / "seed") as tar:
        assert tar.getmember("etc/ssh/ssh_host_ed25519_key").mode == 0o600
        assert tar.getmember("root/.ssh/authorized_keys").mode == 0o600


def test_the_machine_to_be_saved_is_told_so(identity: Identity, tmp_path: Path) -> None:
    write_sealing_seed(tmp_path / "seed", identity)
    assert "run/clusterlab/seal" in contents(tmp_path / "seed")


def test_only_its_user_can_read_it(identity: Identity, tmp_path: Path) -> None:
    write_seed(tmp_path / "seed", identity)
    assert (tmp_path / "seed").stat().st_mode & 0o077 == 0
    assert (tmp_path / "seed").stat().st_size == SIZE


def test_mac_addresses_are_local_single_and_the_hosts_own() -> None:
    addresses = {mac_address(lab, host) for lab in ("a", "b") for host in ("gw", "host1", "host2")}
    assert len(addresses) == 6
    assert all(int(address[:2], 16) & 0b11 == 0b10 for address in addresses)
    assert mac_address("a", "gw") == mac_address("a", "gw")
