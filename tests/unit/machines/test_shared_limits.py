from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterlab.machines.namespaces import shared_limits as module
from clusterlab.machines.namespaces.shared_limits import Shared, near_limits, shared_limits

FILES = {
    "net/stat/arp_cache": "entries  allocs\n0000000a  00000001\n0000000a  00000001\n",
    "sys/net/ipv4/neigh/default/gc_thresh3": "1024\n",
    "loadavg": "0.10 0.20 0.30 2/345 6789\n",
    "sys/kernel/threads-max": "31000\n",
    "sys/kernel/pid_max": "400\n",
    "sys/fs/file-nr": "1234\t0\t5000\n",
    "sys/fs/inotify/max_user_instances": "3\n",
    "key-users": "    0:    99 98/97 150/1000000 2000/25000000\n  108:     1 1/1 1/200 9/20000\n",
    "sys/net/netfilter/nf_conntrack_count": "7\n",
    "sys/net/netfilter/nf_conntrack_max": "65536\n",
}


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with two processes, which have three inotify instances between them."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    for process, files in {"1": ["anon_inode:inotify", "/dev/null"], "22": ["anon_inode:inotify"] * 2}.items():
        (tmp_path / process / "fd").mkdir(parents=True)
        for number, target in enumerate(files):
            (tmp_path / process / "fd" / str(number)).symlink_to(target)
    os.mkdir(tmp_path / "33")  # one that has ended
    return tmp_path


def test_what_is_used_of_each_limit(proc: Path) -> None:
    assert [one[:3] for one in shared_limits(3, proc)] == [
        ("neighbours", 10, 1024),
        ("threads", 345, 31000),
        ("process ids", 345, 400),
        ("open files", 1234, 5000),
        ("inotify instances", 3, 3),
        ("keys", 150, 1000000),
        ("connections", 7, 65536),
        ("bridge ports", 3, 1023),
    ]
    assert [one.name for one in shared_limits(3, proc) if one.near] == ["process ids", "inotify instances"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("sys/net/netfilter/nf_conntrack_max", "connections"),
        ("key-users", "keys"),
        ("net/stat/arp_cache", "neighbours"),
    ],
)
def test_a_limit_that_the_kernel_does_not_have_is_left_out(file: str, name: str, proc: Path) -> None:
    (proc / file).unlink()
    assert name not in [one.name for one in shared_limits(3, proc)]
    assert len(shared_limits(3, proc)) == 7


def test_what_raises_a_limit_is_named() -> None:
    assert str(Shared("keys", 5, 9, "kernel.keys.root_maxkeys")) == "keys: 5 of 9 (kernel.keys.root_maxkeys)"


def test_a_large_lab_is_told_about_its_bridge(proc: Path) -> None:
    assert "bridge ports" in [one.name for one in shared_limits(900, proc) if one.near]


def test_what_is_nearly_used_up_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Shared("keys", 9, 10, "kernel.keys.root_maxkeys"), Shared("threads", 1, 10, "kernel.threads-max")]
    monkeypatch.setattr(module, "shared_limits", lambda hosts: found)
    assert near_limits(3) == [
        "this kernel has hardly any left of what all hosts share: keys: 9 of 10 (kernel.keys.root_maxkeys)"
    ]
