"""Names of kernel parameters."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from clusterlab.model.sysctl import issues, proc_path
from clusterlab.resources import sysctl


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("net.core.somaxconn", "net/core/somaxconn"),
        ("net/core/somaxconn", "net/core/somaxconn"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
    ],
)
def test_the_first_separator_tells_how_names_are_written(name: str, path: str) -> None:
    assert proc_path(name) == path


@pytest.mark.parametrize("name", ["somaxconn", "../etc/passwd", "net.core.x y", "net..core", "net.core.$(id)"])
def test_names_that_are_none_are_found(name: str) -> None:
    [issue] = issues({name: 1})
    assert issue.at == ("sysctl", name)


@pytest.mark.parametrize("value", ["", " 1", "a\nb", "$(id)", "`id`", "'"])
def test_values_that_would_be_more_than_a_value_are_found(value: str) -> None:
    assert list(issues({"net.core.somaxconn": value}))
    assert not list(issues({"net.ipv4.ip_local_port_range": "20000 40000", "net.core.somaxconn": 1}))


def test_no_file_of_another_lab_is_taken_for_ours() -> None:
    assert fnmatchcase(sysctl.path("demo", "net.core.somaxconn"), sysctl.files("demo"))
    assert not fnmatchcase(sysctl.path("demo-2", "net.core.somaxconn"), sysctl.files("demo"))
