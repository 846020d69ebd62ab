"""Image archives: the files that `docker save` makes and `docker load` reads.

An archive of ours is both an OCI image layout and a `docker save` file, and the same input gives the same
bytes, so an image has the same id on every engine and the id is known before any engine has seen it. Formats:
https://github.com/opencontainers/image-spec/blob/main/image-layout.md and
https://github.com/moby/docker-image-spec/blob/main/spec.md (manifest.json).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clusterlab.errors import UsageError

_OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class ImageArchive:
    """An archive with one image, and the ids by which engines know it.

    `config_id` is the id in an engine with its own image store, `manifest_id` the one in an engine that keeps
    images in containerd (the default from engine 29 on); the latter is empty when the archive does not say
    it.
    """

    path: Path
    config_id: str
    manifest_id: str = ""

    @property
    def short_id(self) -> str:
        return self.config_id.removeprefix("sha256:")[:12]

    @property
    def ids(self) -> frozenset[str]:
        """Every id under which an engine may know the image."""
        return frozenset(filter(None, (self.config_id, self.manifest_id)))


def read_image_archive(path: Path) -> ImageArchive:
    """What image is in an archive.

    Raises UsageError when it is none, or has more than one.
    """
    remedy = "create it with: docker save -o FILE IMAGE"
    try:
        with tarfile.open(path) as tar:
            images = json.loads(_member(tar, "manifest.json"))
            if not isinstance(images, list) or len(images) != 1:
                raise UsageError(f"{path} has {len(images)} images, but must have exactly one", remedy=remedy)
            config_id = _digest(_member(tar, images[0]["Config"]))
            listed = json.loads(_member(tar, "index.json")).get("manifests", []) if _has(tar, "index.json") else []
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise UsageError(f"{path} is not an archive made by `docker save`: {error}", remedy=remedy) from error
    return ImageArchive(path, config_id, listed[0]["digest"] if len(listed) == 1 else "")


def layers_of(archive: ImageArchive) -> list[bytes]:
    """The layers of an archive of ours, the lowest first, as uncompressed tars."""
    with tarfile.open(archive.path) as tar:
        (image,) = json.loads(_member(tar, "manifest.json"))
        return [gzip.decompress(_member(tar, name)) for name in image["Layers"]]


def write_image_archive(path: Path, layers: Sequence[bytes], config: Mapping[str, object], architecture: str) -> None:
    """Write the archive of an image.

    Layers are uncompressed tars, `config` is as in OCI's image configuration.
    """
    packed = [gzip.compress(layer, compresslevel=6, mtime=0) for layer in layers]
    image = {
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "clusterlab"} for _ in layers],
    }
    config_blob = _json(image)
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _descriptor(f"{_OCI}.config.v1+json", config_blob),
        "layers": [_descriptor(f"{_OCI}.layer.v1.tar+gzip", layer) for layer in packed],
    }
    manifest_blob = _json(manifest)
    index = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.index.v1+json",
        "manifests": [_descriptor(f"{_OCI}.manifest.v1+json", manifest_blob)],
    }
    saved = [{"Config": _blob(config_blob), "RepoTags": None, "Layers": [_blob(layer) for layer in packed]}]
    members = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json(index),
        "manifest.json": _json(saved),
        **{_blob(content): content for content in (config_blob, manifest_blob, *packed)},
    }
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for folder in ("blobs", "blobs/sha256"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name, content in sorted(members.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _blob(content: bytes) -> str:
    return "blobs/sha256/" + hashlib.sha256(content).hexdigest()


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _has(tar: tarfile.TarFile, name: str) -> bool:
    return name in tar.getnames()


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(f"{name} is not a file")
    return file.read()
