"""Paths in what an engine reports."""

from __future__ import annotations

import pytest

from clusterlab.checks.report_path import NoSuchPath, at, steps

REPORT = {
    "Options": {"type": "nfs", "o": "addr=gw"},
    "Labels": None,
    "IPAM": {"Config": [{"Subnet": "10.0.1.0/24"}]},
    "Containers": {"4f": {"Name": "web", "IPv4Address": ""}, "5a": {"Name": "db", "IPv4Address": "10.0.1.2/24"}},
    "Config": {"Labels": {"org.example.a": "1"}},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Options.type", "nfs"),
        ("Options", {"type": "nfs", "o": "addr=gw"}),
        ("Labels", None),
        ("IPAM.Config.0.Subnet", "10.0.1.0/24"),
        ("IPAM.Config.*.Subnet", ["10.0.1.0/24"]),
        ("Containers.*.Name", ["web", "db"]),
        (["Config", "Labels", "org.example.a"], "1"),
        (["IPAM", "Config", 0, "Subnet"], "10.0.1.0/24"),
    ],
)
def test_found(path: str | list[str | int], value: object) -> None:
    assert at(REPORT, steps(path)) == value


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("Options.device", "Options has no device: it has o, type"),
        ("Nothing", "the report has no Nothing"),
        ("Labels.a", "Labels is null: it has no a"),
        ("Labels.*", "Labels is null: it has no items"),
        ("Options.type.x", 'Options.type is "nfs": it has no x'),
        ("IPAM.Config.1", "IPAM.Config has no item 1: it has 1"),
        ("Containers.*.MacAddress", "has no MacAddress"),
    ],
)
def test_what_is_missing_is_said(path: str, message: str) -> None:
    with pytest.raises(NoSuchPath) as error:
        at(REPORT, steps(path))
    assert message in str(error.value)
