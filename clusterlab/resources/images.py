"""Images: the same one on every host, under a tag of this lab.

Whatever it comes from.

The tag `clusterlab/LAB/NAME:...` marks an image as ours, for images cannot be labelled without becoming other
images. It ends with the image's short id, so that it never means two images; for one that the hosts pull,
whose id is not known beforehand, with a hash of the reference. A pulled image that was on the host before also
gets a tag `...-found`: `clean` then leaves it there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import docker

from clusterlab.build.image_archive import ImageArchive
from clusterlab.errors import HostError
from clusterlab.progress import Progress
from clusterlab.remote import Host

from .base import Change, Difference, Key
from .engine_calls import engine, shell
from .kind import ResourceKind
from .observed import Observed, service_of
from .report import Report
from .scope import Scope, Wants
from .wanted_images import WantedImage, image_hosts, is_ours_tag

_CHUNK = 256 * 1024
_FOUND = "-found"
_USERS = ("service", "stack service", "container")


@dataclass(frozen=True)
class FoundImage:
    """A tagged image on a host; in containerd an image's id is its manifest's digest."""

    tag: str
    id: str
    in_containerd: bool


@dataclass(frozen=True)
class _Resolved:
    """Which image a reference means: its digest in the registry and its id on a host.

    Empty as long as unknown.
    """

    digest: str = ""
    id: str = ""


class ImageKind(ResourceKind[WantedImage, FoundImage]):
    """Images on each host that needs them."""

    name = "image"
    listings = frozenset({"images", "containers"})
    reports = (Report("image", lambda engine, name: engine.inspect_image(name)),)  # type: ignore[no-untyped-call]

    def wanted(self, wants: Wants) -> Mapping[Key, WantedImage]:
        return {
            Key(host, self.name, name): wants.images[name]
            for name, hosts in image_hosts(wants.lab).items()
            for host in hosts
            if name in wants.images
        }

    def manual(self, wanted: WantedImage) -> str:
        if wanted.archive:
            return _load_command(wanted, wanted.archive, wanted.archive.config_id)
        return _pull_command(wanted, wanted.reference)

    def file(self, wanted: WantedImage) -> Path | None:
        return wanted.archive.path if wanted.archive else None

    def observe(self, scope: Scope) -> Mapping[Key, FoundImage]:
        return {
            Key(at.name, self.name, tag): FoundImage(tag, image_id, at.containerd_images)
            for at in scope.everywhere
            for tag, image_id in at.images.items()
        }

    def differences(self, wanted: WantedImage, found: FoundImage) -> Sequence[Difference]:
        archive = wanted.archive
        if archive is None or found.id in archive.ids:
            return ()
        if found.in_containerd and not archive.manifest_id:  # the engine gives it an id of its own
            return ()
        return (Difference("id", archive.config_id, found.id),)

    def change(
        self, wants: Wants, scope: Scope, key: Key, wanted: WantedImage, found: FoundImage | None
    ) -> Change | None:
        at = scope.at(key)
        if wanted.tag in at.images:  # hosts know it by its tag, the plays by its name
            found = FoundImage(wanted.tag, at.images[wanted.tag], at.containerd_images)
        if wanted.archive:
            return self._load(scope, key, wanted, wanted.archive, found)
        return self._pull(wants, scope, key, wanted, found)

    def _load(
        self, scope: Scope, key: Key, wanted: WantedImage, archive: ImageArchive, found: FoundImage | None
    ) -> Change | None:
        differing = tuple(self.differences(wanted, found)) if found else ()
        if found and not differing:
            return None
        at = scope.at(key)
        return Change(
            key=key,
            action="replace" if found else "create",
            reason="its tag is on another image" if found else "it does not exist",
            command=_load_command(wanted, archive, expected_id(at, wanted)),
            carry_out=partial(_load, at.host, wanted, archive, scope.progress),
            differences=differing,
        )

    def _pull(
        self, wants: Wants, scope: Scope, key: Key, wanted: WantedImage, found: FoundImage | None
    ) -> Change | None:
        """The first host that has it says which image it is.

        If none has, the first resolves it, the others wait.
        """
        hosts = [host for host in image_hosts(wants.lab)[wanted.name] if host in scope.observed]
        having = [scope.observed[host] for host in hosts if wanted.tag in scope.observed[host].images]
        known = _resolved_on(having[0], wanted) if having else _Resolved()
        if found and found.id == known.id:
            return None
        at, first = scope.at(key), scope.observed[hosts[0]]
        waits = not having and at is not first
        return Change(
            key=key,
            action="replace" if found else "create",
            reason=f"another image than on {having[0].name}" if found else "it does not exist",
            command=_pull_command(wanted, known.digest or wanted.reference),
            carry_out=partial(_pull, at.host, wanted, known, first.host if waits else None, scope.progress),
            differences=(Difference("id", known.id, found.id),) if found else (),
            needs=frozenset({Key(first.name, self.name, wanted.name)} if waits else ()),
        )

    def owns(self, lab: str, found: FoundImage) -> bool:
        return is_ours_tag(lab, found.tag)

    def remove(self, scope: Scope, key: Key, found: FoundImage, reason: str) -> Change:
        """Take our tag off an image; one that something else uses keeps its other names."""
        at = scope.at(key)
        # The tasks of a stack have no label of the lab; they end with their service.
        ending = {one.name for one in scope.pending if one.kind == "stack service"}
        users = sorted(
            name
            for name, one in at.containers.items()
            if one["ImageID"] == found.id and not at.owns(one) and service_of(one) not in ending
        )
        # The mark goes last: without it, our tag would say that the image was pulled for us.
        marked = {Key(at.name, self.name, found.tag.removesuffix(_FOUND))} if found.tag.endswith(_FOUND) else set()
        other = any(image == found.id for name, image in at.images.items() if name != found.tag)
        return Change(
            key=key,
            action="remove",
            reason=reason,
            command=shell(["docker", "rmi", found.tag]),
            carry_out=partial(_remove, at, found),
            needs=frozenset(one for one in scope.pending if one.kind in _USERS) | marked,
            blocked=f"container {', '.join(users)} on {at.name}, which clusterlab did not create, uses it"
            if users and not other
            else "",
        )


def expected_id(at: Observed, image: WantedImage) -> str:
    """The id by which an engine will know an image.

    "" when that is known only once the engine has it.
    """
    if image.archive is None:
        return ""
    return (image.archive.manifest_id if at.containerd_images else "") or image.archive.config_id


def coming_id(wants: Wants, scope: Scope, at: Observed, name: str) -> str:
    """The id that an image has on the host once the pending changes are made.

    "" when that is known only then.
    """
    image = wants.images[name]
    pending = Key(at.name, ImageKind.name, name) in scope.pending
    return ("" if pending else at.images.get(image.tag, "")) or expected_id(at, image)


def _resolved_on(at: Observed, image: WantedImage) -> _Resolved:
    image_id = at.images[image.tag]
    return _Resolved(next(iter(at.image_digests.get(image_id, ())), ""), image_id)


def _load_command(image: WantedImage, archive: ImageArchive, image_id: str) -> str:
    return shell(["docker", "load", "--input", archive.path.name], ["docker", "tag", image_id, image.tag])


def _pull_command(image: WantedImage, source: str) -> str:
    return shell(["docker", "pull", source], ["docker", "tag", source, image.tag])


def _load(host: Host, image: WantedImage, archive: ImageArchive, progress: Progress) -> None:
    with progress.task(host.name, f"load image {image.name}") as task, engine(host, f"load image {image.name}") as api:
        size = archive.path.stat().st_size

        def chunks() -> Iterator[bytes]:
            sent = 0
            with archive.path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
                    sent += len(chunk)
                    task.update(f"{sent / 1e6:.1f} of {size / 1e6:.1f} MB")

        printed = _followed(host, f"load image {image.name}", api.load_image(chunks()))
        loaded = next((one for one in sorted(archive.ids) if _has(api, one)), "") or _loaded_name(printed)
        if not loaded:
            raise HostError(host.name, f"image {image.name} was loaded and does not exist", detail=printed)
        repo, _, tag = image.tag.rpartition(":")
        api.tag(loaded, repo, tag, force=True)


def _loaded_name(printed: str) -> str:
    match = re.search(r"Loaded image(?: ID)?: (\S+)", printed)
    return match[1] if match else ""


def _pull(host: Host, image: WantedImage, known: _Resolved, first: Host | None, progress: Progress) -> None:
    """Pull by digest, so that no name but ours remains.

    An image that was there before gets a mark that keeps it.

    `first` is the host that pulled it before, and knows which image the reference meant then.
    """
    doing = f"pull image {image.reference}"
    remedy = f"{host.name} must reach the registry; without one use `build:` or `archive:` in the inventory's images."
    with progress.task(host.name, doing), engine(host, doing, remedy=remedy) as api:
        if first is not None:
            known = _known_to(first, image)
        digest = known.digest or _resolved(api, image.reference)
        was_there = _has(api, digest)
        if not was_there:
            _followed(host, doing, api.pull(digest, stream=True, decode=True), remedy)
        found = str(api.inspect_image(digest)["Id"])
        if known.id and found != known.id:
            raise HostError(
                host.name,
                f"image {image.name} is {found} here and {known.id} on the first host",
                remedy="The engines differ in architecture or in how they keep images: use the same engine everywhere.",
            )
        repo, _, tag = image.tag.rpartition(":")
        if was_there:  # first: our tag alone would say that the image was pulled for us, and may go with it
            api.tag(found, repo, tag + _FOUND, force=True)
        api.tag(found, repo, tag, force=True)


def _known_to(host: Host, image: WantedImage) -> _Resolved:
    """Which image a host has under our tag."""
    with engine(host, f"inspect image {image.name}") as api:
        found = api.inspect_image(image.tag)
    return _Resolved(next(iter(found.get("RepoDigests") or ()), ""), str(found["Id"]))


def _resolved(api: Any, reference: str) -> str:
    """A reference by digest, as the registry has it now."""
    if "@" in reference:
        return reference
    folder, slash, last = reference.rpartition("/")
    digest = api.inspect_distribution(reference)["Descriptor"]["digest"]
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}"


def _followed(host: Host, doing: str, stream: Any, remedy: str = "") -> str:
    """Read an engine's progress to its end.

    Raises HostError when it reports an error there.
    """
    printed: list[str] = []
    for line in stream:
        if "error" in line:
            raise HostError(host.name, f"cannot {doing}: {line['error']}", remedy=remedy)
        printed.append(str(line.get("stream") or line.get("status") or ""))
    return "".join(printed)


def _has(api: Any, image: str) -> bool:
    try:
        api.inspect_image(image)
    except docker.errors.ImageNotFound:
        return False
    return True


def _remove(at: Observed, found: FoundImage) -> None:
    """Remove a tag of ours; of an image that was pulled for us, its digest goes, too."""
    tag = found.tag
    pulled_for_us = ":pull-" in tag and not tag.endswith(_FOUND) and tag + _FOUND not in at.images
    with engine(at.host, f"remove image {tag}") as api:
        try:
            api.remove_image(tag)
            if pulled_for_us and not api.inspect_image(found.id).get("RepoTags"):
                api.remove_image(found.id)
        except docker.errors.ImageNotFound:
            return


IMAGE = ImageKind()
