"""Container images from distribution packages.

No registry is needed, and nothing of the packages is configured or run.

A recipe (`recipes/NAME.yml`) names packages; they are unpacked with all they depend on, and the files that
the image needs are taken from there. The layer is written with sorted names and fixed times, so the same
packages give the same image id.
"""

from __future__ import annotations

import fnmatch
import io
import json
import platform
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from clusterlab.errors import ClusterlabError
from clusterlab.model.base import Model
from clusterlab.programs import run_program
from clusterlab.progress import Progress, Task

from .cache import artefact
from .image_archive import ImageArchive, layers_of, read_image_archive, write_image_archive
from .rootfs import run_mmdebstrap

_FORMAT = "1"  # part of the cache key: raise it when the same recipe is to give another image
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_FOLDERS = {
    "dev": 0o755,
    "etc": 0o755,
    "proc": 0o755,
    "root": 0o700,
    "run": 0o755,
    "sys": 0o755,
    "tmp": 0o1777,
    "var": 0o755,
}
_LINKS = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "sbin": "usr/sbin", "var/run": "/run"}
_BUSYBOX = "usr/bin/busybox"


class Recipe(Model):
    """What an image is made of."""

    title: str
    packages: list[str] = Field(description="unpacked with all they depend on")
    keep: list[str] = Field(
        description="shell patterns of the paths to take from the packages, without a leading slash"
    )
    files: dict[str, str] = Field(default_factory=dict, description="files of our own, by path")
    folders: dict[str, str] = Field(default_factory=dict, description="folders by path, with an octal mode")
    links: dict[str, str] = Field(default_factory=dict, description="symbolic links: path to target")
    config: dict[str, Any] = Field(default_factory=dict, description="as in the OCI image configuration")


def load_recipe(name: str) -> Recipe:
    return Recipe.model_validate(yaml.safe_load(_recipe_text(name)))


@dataclass(frozen=True)
class Extras:
    """What an image has besides its recipe.

    A user that it runs as (name and uid), and paths of VOLUME.
    """

    user: str = ""
    uid: int = 0
    volumes: tuple[str, ...] = ()


def built_image(name: str, release: str, progress: Progress, extras: Extras = Extras()) -> ImageArchive:
    """The image of a recipe, built from `release`.

    It is built at the first use and taken from the cache afterwards.
    """
    if extras != Extras():
        return _with_extras(name, release, progress, extras)
    material = (_FORMAT, release, platform.machine(), _recipe_text(name))

    def make(path: Path) -> None:
        with progress.task("images", f"building {name} from Debian {release}'s packages (once)") as task:
            _build(load_recipe(name), release, path, task)

    return read_image_archive(artefact("images", material, f"-{name}.tar", make, progress))


def _with_extras(name: str, release: str, progress: Progress, extras: Extras) -> ImageArchive:
    """The image of a recipe with one layer more.

    Engines that have the recipe's own share all but that.
    """
    base = built_image(name, release, progress)
    material = (_FORMAT, base.config_id, json.dumps(asdict(extras)))

    def make(path: Path) -> None:
        recipe = load_recipe(name)
        config = {**recipe.config, **({"User": extras.user} if extras.user else {})}
        volumes = {**recipe.config.get("Volumes", {}), **{path: {} for path in extras.volumes}}
        layers = [*layers_of(base), extra_layer(recipe, extras)]
        write_image_archive(path, layers, config | ({"Volumes": volumes} if volumes else {}), _architecture())

    return read_image_archive(artefact("images", material, f"-{name}.tar", make, progress))


def extra_layer(recipe: Recipe, extras: Extras) -> bytes:
    """The layer with what an image has besides its recipe, as an uncompressed tar."""
    entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
    if extras.user:
        passwd = f"{extras.user}:x:{extras.uid}:{extras.uid}:{extras.user}:/home/{extras.user}:/bin/sh\n"
        for file, line in (("etc/passwd", passwd), ("etc/group", f"{extras.user}:x:{extras.uid}:\n")):
            content = recipe.files.get(file, "") + line
            entries[file] = _entry(file, tarfile.REGTYPE, 0o644, content=content.encode())
        entries[f"home/{extras.user}"] = _entry(f"home/{extras.user}", tarfile.DIRTYPE, 0o755, owner=extras.uid)
    for path in extras.volumes:
        name = path.strip("/")
        entries[name] = _entry(name, tarfile.DIRTYPE, 0o755, owner=extras.uid)
    return _tar(entries)


def _recipe_text(name: str) -> str:
    return files(__package__).joinpath("recipes", f"{name}.yml").read_text(encoding="utf-8")


def _build(recipe: Recipe, release: str, path: Path, task: Task) -> None:
    unpacked = path.with_name("unpacked.tar")
    run_mmdebstrap(unpacked, release=release, packages=recipe.packages, task=task, variant="extract")
    write_image_archive(path, [make_layer(recipe, unpacked)], recipe.config, _architecture())


def _architecture() -> str:
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def make_layer(recipe: Recipe, unpacked: Path) -> bytes:
    """The layer of an image, from the tar of its unpacked packages.

    An uncompressed tar.
    """
    entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
    for name, mode in {**_FOLDERS, **{key: int(value, 8) for key, value in recipe.folders.items()}}.items():
        entries[name] = _entry(name, tarfile.DIRTYPE, mode)
    entries.update(_kept(recipe, unpacked))
    if _BUSYBOX in entries:
        for applet in _applets(entries[_BUSYBOX][1]):
            entries.setdefault(applet, _entry(applet, tarfile.SYMTYPE, target=f"/{_BUSYBOX}"))
    for name, target in {**_LINKS, **recipe.links}.items():
        entries[name] = _entry(name, tarfile.SYMTYPE, target=target)
    for name, text in recipe.files.items():
        entries[name] = _entry(name, tarfile.REGTYPE, 0o644, content=text.encode())
    return _tar(entries)


def _tar(entries: dict[str, tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """An uncompressed tar of entries by path, with the folders above them."""
    for name in list(entries):
        for parent in Path(name).parents[:-1]:
            entries.setdefault(str(parent), _entry(str(parent), tarfile.DIRTYPE, 0o755))
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for _, (info, content) in sorted(entries.items()):
            tar.addfile(info, io.BytesIO(content))
    return output.getvalue()


def _kept(recipe: Recipe, unpacked: Path) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """The files of the packages that the recipe wants.

    Every pattern must find something.
    """
    found: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
    unused = set(recipe.keep)
    with tarfile.open(unpacked) as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            patterns = [pattern for pattern in recipe.keep if fnmatch.fnmatchcase(name, pattern)]
            unused.difference_update(patterns)
            if not patterns or not (member.isfile() or member.issym() or member.islnk()):
                continue
            if member.issym():
                found[name] = _entry(name, tarfile.SYMTYPE, target=member.linkname)
            else:
                file = tar.extractfile(member)
                content = file.read() if file else b""
                found[name] = _entry(name, tarfile.REGTYPE, member.mode, content=content)
    if unused:
        raise ClusterlabError(
            f"recipe {recipe.title!r}: the packages have no {', '.join(sorted(unused))}",
            remedy="choose another release in the inventory (qemu.release), or report this",
        )
    return found


def _entry(
    name: str, kind: bytes, mode: int = 0o777, *, target: str = "", content: bytes = b"", owner: int = 0
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode & 0o7777, target, len(content)
    info.uid = info.gid = owner
    return info, content


def _applets(busybox: bytes) -> list[str]:
    """Where BusyBox's applets belong, as it says itself, below /usr."""
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "busybox"
        program.write_bytes(busybox)
        program.chmod(0o700)
        listed = run_program([str(program), "--list-full"], 30)
    if listed.exit != 0:
        raise ClusterlabError("BusyBox does not list its applets", detail=listed.output)
    return [
        f"usr/{name.removeprefix('usr/')}" for name in listed.stdout.split() if "/" in name and name != "bin/busybox"
    ]
