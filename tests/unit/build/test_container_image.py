"""Layers and archives of container images, without an engine and without packages."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

import clusterlab.build
from clusterlab.build.container_image import Extras, Recipe, extra_layer, load_recipe, make_layer
from clusterlab.build.image_archive import layers_of, read_image_archive, write_image_archive
from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model.inventory import RECIPES

RECIPE_NAMES = sorted(path.stem for path in (Path(clusterlab.build.__file__).parent / "recipes").iterdir())


def packages(path: Path, files: dict[str, bytes], mtime: int = 0) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size, info.mode, info.mtime, info.uid = len(content), 0o755, mtime, 1000
            tar.addfile(info, io.BytesIO(content))
    return path


def members(layer: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        return {member.name: member for member in tar}


def test_the_inventory_offers_exactly_the_recipes_that_there_are() -> None:
    assert set(RECIPE_NAMES) == set(RECIPES)


@pytest.mark.parametrize("name", RECIPE_NAMES)
def test_every_recipe_is_valid(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.packages
    assert recipe.config["Cmd"]


def test_a_layer_depends_on_what_is_in_it_alone(tmp_path: Path) -> None:
    recipe = Recipe(title="t", packages=["p"], keep=["usr/bin/*"], files={"etc/x": "hello\n"}, links={"a": "b"})
    one = make_layer(recipe, packages(tmp_path / "1.tar", {"usr/bin/p": b"p", "usr/bin/a": b"a", "usr/doc/d": b""}, 5))
    two = make_layer(recipe, packages(tmp_path / "2.tar", {"usr/bin/a": b"a", "usr/bin/p": b"p"}, 9))
    assert one == two
    found = members(one)
    assert list(found) == sorted(found)
    assert {"usr", "usr/bin", "usr/bin/a", "usr/bin/p", "etc/x", "a", "bin", "tmp"} <= set(found)
    assert "usr/doc/d" not in found
    assert {(one.mtime, one.uid, one.gid) for one in found.values()} == {(0, 0, 0)}
    assert found["usr/bin/p"].mode == 0o755
    assert found["tmp"].mode == 0o1777
    assert found["bin"].linkname == "usr/bin"


def test_a_recipe_that_keeps_what_the_packages_do_not_have_is_an_error(tmp_path: Path) -> None:
    recipe = Recipe(title="t", packages=["p"], keep=["usr/bin/*", "usr/lib/libgone.so*"])
    with pytest.raises(ClusterlabError, match=r"the packages have no usr/lib/libgone\.so\*"):
        make_layer(recipe, packages(tmp_path / "1.tar", {"usr/bin/p": b"p"}))


def test_an_archive_is_the_same_whenever_it_is_written_and_knows_its_ids(tmp_path: Path) -> None:
    for name in ("1.tar", "2.tar"):
        write_image_archive(tmp_path / name, [b"layer"], {"Cmd": ["x"]}, "amd64")
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()
    archive = read_image_archive(tmp_path / "1.tar")
    with tarfile.open(tmp_path / "1.tar") as tar:
        index = json.loads(tar.extractfile("index.json").read())  # type: ignore[union-attr]
        saved = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]
    assert archive.manifest_id == index["manifests"][0]["digest"]
    assert archive.config_id == "sha256:" + saved[0]["Config"].rpartition("/")[2]
    assert archive.ids == {archive.config_id, archive.manifest_id}
    write_image_archive(tmp_path / "3.tar", [b"other"], {"Cmd": ["x"]}, "amd64")
    assert read_image_archive(tmp_path / "3.tar").config_id != archive.config_id


def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no tar")
    with pytest.raises(UsageError, match="is not an archive made by `docker save`"):
        read_image_archive(tmp_path / "x.tar")
    packages(tmp_path / "y.tar", {"file": b""})
    with pytest.raises(UsageError, match="is not an archive made by `docker save`"):
        read_image_archive(tmp_path / "y.tar")
    two = [{"Config": "a", "RepoTags": [], "Layers": []}] * 2
    with tarfile.open(tmp_path / "z.tar", "w") as tar:
        text = json.dumps(two).encode()
        info = tarfile.TarInfo("manifest.json")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    with pytest.raises(UsageError, match="has 2 images"):
        read_image_archive(tmp_path / "z.tar")


def test_extras_are_a_layer_of_their_own_with_the_users_files() -> None:
    recipe = Recipe(title="t", packages=["p"], keep=["*"], files={"etc/passwd": "root:x:0:0::/root:/bin/sh\n"})
    layer = extra_layer(recipe, Extras("elo", 1000, ("/var/lib/store",)))
    assert layer == extra_layer(recipe, Extras("elo", 1000, ("/var/lib/store",)))
    found = members(layer)
    assert {name: one.uid for name, one in found.items() if one.uid} == {"home/elo": 1000, "var/lib/store": 1000}
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        passwd = tar.extractfile("etc/passwd").read().decode()  # type: ignore[union-attr]
    assert passwd == "root:x:0:0::/root:/bin/sh\nelo:x:1000:1000:elo:/home/elo:/bin/sh\n"
    assert members(extra_layer(recipe, Extras(volumes=("/data",))))["data"].uid == 0


def test_layers_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_image_archive(tmp_path / "1.tar", [b"lower", b"upper"], {"User": "elo"}, "amd64")
    assert layers_of(read_image_archive(tmp_path / "1.tar")) == [b"lower", b"upper"]
