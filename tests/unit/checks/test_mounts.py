"""Reading /proc/mounts, and which mount holds a path."""

from __future__ import annotations

import pytest

from clusterlab.checks.mounts import mount_of, parse

TEXT = """\
overlay / overlay rw,relatime,lowerdir=/a:/b 0 0
tmpfs /dev tmpfs rw,nosuid,size=65536k,mode=755 0 0
:/shares /data nfs4 rw,relatime,vers=4.2,rsize=262144,hard,proto=tcp,clientaddr=192.168.98.11,addr=192.168.98.1 0 0
tmpfs /cache\\040dir tmpfs rw 0 0
/dev/sda1 /twice ext4 rw 0 0
tmpfs /twice tmpfs ro 0 0
"""


@pytest.mark.parametrize(
    ("path", "held_by", "kind"),
    [
        ("/data", "/data", "nfs4"),
        ("/data/", "/data", "nfs4"),
        ("/data/deep/file", "/data", "nfs4"),
        ("/database", "/", "overlay"),
        ("/cache dir", "/cache dir", "tmpfs"),
        ("/twice", "/twice", "tmpfs"),
        ("/", "/", "overlay"),
    ],
)
def test_the_mount_that_holds_a_path(path: str, held_by: str, kind: str) -> None:
    held = mount_of(path, parse(TEXT))
    assert held is not None
    assert (held.path, held.type) == (held_by, kind)


def test_options_are_as_the_kernel_reports_them() -> None:
    held = mount_of("/data", parse(TEXT))
    assert held is not None
    assert held.source == ":/shares"
    assert {"vers=4.2", "addr=192.168.98.1", "rw"} <= set(held.options)


def test_nothing_mounted_holds_nothing() -> None:
    assert mount_of("/data", []) is None


def test_another_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not a line of /proc/mounts"):
        parse("cat: can't open '/proc/mounts'")
