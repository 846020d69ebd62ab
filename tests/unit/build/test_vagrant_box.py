"""The box as Vagrant wants it: its members, and a catalog with version and checksum."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from pathlib import Path

import pytest

from clusterlab.build.vagrant_box import Box, _bytes, _catalog, _pack


@pytest.fixture
def box(tmp_path: Path) -> Box:
    (tmp_path / "making").mkdir()
    image = tmp_path / "making" / "box.img"
    image.write_bytes(b"QFI\xfb")
    box = Box(tmp_path, "trixie")
    _pack(box.file, image, "8500M")
    return box


def test_members(box: Box) -> None:
    with tarfile.open(box.file) as tar:
        assert tar.getnames() == ["metadata.json", "Vagrantfile", "box.img"]
        metadata = tar.extractfile("metadata.json")
        assert metadata is not None
        # gigabytes, rounded up: less than the image has is refused
        assert json.load(metadata) == {"provider": "libvirt", "format": "qcow2", "virtual_size": 9}


def test_catalog(box: Box) -> None:
    box.catalog.write_text(_catalog(box, Path("/final/place of it")))
    document = json.loads(box.catalog.read_text())
    assert document["name"] == box.name == "clusterlab/trixie"
    (version,) = document["versions"]
    assert version["version"] == box.version
    assert re.fullmatch(r"\d{8}\.\d{6}\.0", box.version)
    assert version["providers"] == [
        {
            "name": "libvirt",
            "url": "file:///final/place%20of%20it/libvirt.box",
            "checksum_type": "sha256",
            "checksum": hashlib.sha256(box.file.read_bytes()).hexdigest(),
        }
    ]


@pytest.mark.parametrize(("size", "number"), [("512M", 536870912), ("8G", 8589934592)])
def test_sizes(size: str, number: int) -> None:
    assert _bytes(size) == number
