"""Short forms of mounts, ports, options and durations. What they reject is in errors/."""

from __future__ import annotations

import pytest

from clusterlab.model.base import seconds
from clusterlab.model.short_syntax import Mount, PortMapping, parse_mount, parse_options, parse_port


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("data:/data", Mount("volume", "data", "/data")),
        ("data:/data:ro", Mount("volume", "data", "/data", True)),
        ("data:/data:rw", Mount("volume", "data", "/data")),
        ("/srv/x:/data", Mount("bind", "/srv/x", "/data")),
        ("/srv/x:/data:ro", Mount("bind", "/srv/x", "/data", True)),
        ("/data", Mount("anonymous", "", "/data")),
        ("/data:ro", Mount("anonymous", "", "/data", True)),
    ],
)
def test_mounts(text: str, mount: Mount) -> None:
    assert parse_mount(text) == mount


@pytest.mark.parametrize(
    ("text", "port"),
    [
        (80, PortMapping(None, None, 80)),
        ("80", PortMapping(None, None, 80)),
        ("53/udp", PortMapping(None, None, 53, "udp")),
        ("8080:80", PortMapping(None, 8080, 80)),
        ("22:22", PortMapping(None, 22, 22)),
        ("127.0.0.1:8080:80/tcp", PortMapping("127.0.0.1", 8080, 80)),
        ("8080:80/sctp", PortMapping(None, 8080, 80, "sctp")),
    ],
)
def test_ports(text: str | int, port: PortMapping) -> None:
    assert parse_port(text) == port


def test_options() -> None:
    assert parse_options("addr=10.0.0.1,rw,nfsvers=4.2") == {"addr": "10.0.0.1", "rw": "", "nfsvers": "4.2"}
    assert parse_options("") == {}


@pytest.mark.parametrize(
    ("text", "value"), [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("1h", 3600), ("1.5s", 1.5), ("2m", 120)]
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value
