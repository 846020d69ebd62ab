"""The seed disk: what makes one machine different from the others.

A tar on a small raw disk.

`clusterlab/build/guest/identity.sh` is what reads it, at boot, and in a clone when the disk changes.
"""

from __future__ import annotations

import io
import os
import tarfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

SIZE = 64 * 1024
"""Size of a seed disk in bytes."""
GROWN = 2 * SIZE
"""What a clone's is enlarged to when the clone runs, so that its kernel notices that it is another."""

MTU = 1500
"""Of the card in the LAN, in bytes, where the inventory says nothing else."""

_NAT_ADDRESS, _NAT_GATEWAY, _NAT_DNS = "10.0.2.15/24", "10.0.2.2", "10.0.2.3"  # as QEMU's user network has them


@dataclass(frozen=True)
class Identity:
    """All that two machines of one lab must not have in common, and who may log in."""

    hostname: str
    address: IPv4Interface
    mtu: int
    mac: str
    host_key: str
    host_key_public: str
    authorized_key: str
    hosts: str
    machine_id: str
    engine_id: str
    engine: bool
    """Whether the engine is started at once; elsewhere it starts on the first request."""

    @classmethod
    def fresh(
        cls,
        lab: str,
        host: str,
        address: IPv4Interface,
        addresses: Mapping[str, str],
        host_key: Path,
        authorized_key: str,
        engine: bool,
        mtu: int = MTU,
    ) -> Identity:
        """An identity that no machine had before.

        `addresses` are all hosts of the lab, for /etc/hosts.
        """
        return cls(
            hostname=host,
            address=address,
            mtu=mtu,
            mac=mac_address(lab, host),
            host_key=host_key.read_text(),
            host_key_public=host_key.with_suffix(".pub").read_text(),
            authorized_key=authorized_key,
            hosts=hosts_file(addresses),
            machine_id=uuid.uuid4().hex,
            engine_id=str(uuid.uuid4()),
            engine=engine,
        )


def mac_address(lab: str, host: str) -> str:
    """A locally administered MAC address, always the same for this host of this lab."""
    digest = uuid.uuid5(uuid.NAMESPACE_DNS, f"{host}.{lab}").bytes
    return ":".join(f"{byte:02x}" for byte in (0x52, 0x54, *digest[:4]))


def hosts_file(addresses: Mapping[str, str]) -> str:
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in addresses.items())]
    return "".join(f"{line}\n" for line in lines)


def write_seed(disk: Path, identity: Identity) -> None:
    """Write the seed disk of a machine, for this user alone.

    It holds its private host key.
    """
    _write(disk, _tar(identity))


def write_sealing_seed(disk: Path, identity: Identity) -> None:
    """Write the seed disk of the machine that is to be saved once it is up."""
    _write(disk, _tar(identity, seal=True))


def _tar(identity: Identity, *, seal: bool = False) -> bytes:
    files = {
        "etc/hostname": (f"{identity.hostname}\n", 0o644),
        "etc/hosts": (identity.hosts, 0o644),
        "etc/machine-id": (f"{identity.machine_id}\n", 0o444),
        "etc/resolv.conf": (f"nameserver {_NAT_DNS}\n", 0o644),
        "etc/ssh/ssh_host_ed25519_key": (identity.host_key, 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (identity.host_key_public, 0o644),
        "root/.ssh/authorized_keys": (identity.authorized_key, 0o600),
        "var/lib/docker/engine-id": (identity.engine_id, 0o600),
        "run/clusterlab/network": (_network(identity), 0o644),
        **({"run/clusterlab/engine": ("", 0o644)} if identity.engine else {}),
        **({"run/clusterlab/seal": ("", 0o644)} if seal else {}),
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, (text, mode) in files.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _network(identity: Identity) -> str:
    """Commands for `ip -batch`; the LAN's card comes up last, with its own addresses."""
    commands = (
        "link set lo up",
        f"address replace {_NAT_ADDRESS} dev eth0",
        "link set eth0 up",
        f"route replace default via {_NAT_GATEWAY}",
        "link set eth1 down",
        "address flush dev eth1",
        f"link set eth1 address {identity.mac} mtu {identity.mtu}",
        f"address add {identity.address} broadcast + dev eth1",
        "link set eth1 up",
    )
    return "".join(f"{command}\n" for command in commands)


def _write(disk: Path, content: bytes) -> None:
    if len(content) > SIZE:
        raise ValueError(f"a seed of {len(content)} bytes does not fit in {SIZE}")
    descriptor = os.open(disk, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content.ljust(SIZE, b"\0"))
