"""Statements about what tasks have in their file systems.

Volumes, directories of the nodes, secrets and configs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clusterlab.model.addresses import is_ip
from clusterlab.model.short_syntax import parse_options
from clusterlab.stacks.service_specs import plain, value
from clusterlab.stacks.stack import FileObject, FileReference, Mount, Service, Stack, Volume

from .statement import Statement, statement

_NFS = ("nfs", "nfs4")
# What the kernel shows as it was written; it shows others in another way, or what the server made of them.
_SHOWN = ("soft", "hard", "softerr", "noatime", "nodev", "nosuid", "noexec", "nodiratime", "vers", "timeo", "retrans",
          "proto", "sec", "nconnect", "addr")  # fmt: skip
_PASSWORDS = ("cifs", "smb3")
"""Types whose options may have a password."""
_MODE = 0o444


def mounted(stack: Stack, service: Service) -> Iterator[Statement]:
    """Volumes are mounted in each task as their options say.

    Those on NFS are one directory.
    """
    name = stack.scoped(service.name)
    for mount in service.volumes:
        probe = _probe(stack, mount)
        if probe:
            title = f"{mount.target} in {name} is {_what(stack, mount)}, mounted as the file says"
            path = {"service": name, "path": mount.target}
            yield statement("mounted", service.name, title, "task_mount", path | probe)


def binds(stack: Stack, service: Service) -> Iterator[Statement]:
    """Directories of the nodes are there, on the file systems that they should be on.

    Those of volumes that bind one, too.
    """
    name = stack.scoped(service.name)
    for mount in service.volumes:
        source = mount.source if mount.type == "bind" else _bound(stack, mount)
        if source and "{{" not in source + mount.target:
            title = f"{source} of the nodes is there, and is {mount.target} in {name}"
            probe = {"service": name, "source": source, "path": mount.target}
            yield statement("binds", service.name, title, "bind_source", probe)


def files(stack: Stack, service: Service) -> Iterator[Statement]:
    """Secrets and configs are in each task with owner, mode and content."""
    references = [("secret", stack.secrets, one) for one in service.secrets]
    references += [("config", stack.configs, one) for one in service.configs]
    for kind, objects, reference in references:
        path = _path(kind, reference)
        if "{{" in path:
            continue
        name = stack.scoped(service.name)
        mode = _MODE if reference.mode is None else reference.mode.value
        probe: dict[str, Any] = {"service": name, "path": path, "mode": f"{mode:04o}"}
        probe |= {"uid": int(reference.uid or 0)} if (reference.uid or "0").isdigit() else {}
        probe |= {"gid": int(reference.gid or 0)} if (reference.gid or "0").isdigit() else {}
        probe |= _content(stack, objects[reference.source])
        title = f"{path} in {name} is the {kind} {reference.source}, with its owner, mode and content"
        if "content" not in probe:
            title = f"{path} in {name} is the {kind} {reference.source}, with its owner and mode"
        yield statement("files", service.name, title, "task_file", probe)


def _path(kind: str, reference: FileReference) -> str:
    target = reference.target or reference.source
    return target if target.startswith("/") else f"/run/secrets/{target}" if kind == "secret" else f"/{target}"


def _content(stack: Stack, each: FileObject) -> dict[str, Any]:
    """The file with the same content, where the engine changes nothing in it."""
    if each.external or each.file is None or value(each.template_driver) or value(each.driver):
        return {}
    return {"content": str((stack.folder / each.file.value).absolute())}


def _probe(stack: Stack, mount: Mount) -> dict[str, Any]:
    """What the kernel should show of a mount; empty where the file does not say it."""
    if mount.type == "tmpfs":
        size = {"options": [f"size={mount.size // 1024}k"]} if mount.size and mount.size % 4096 == 0 else {}
        return {"type": ["tmpfs"], **size}
    volume = stack.volumes.get(mount.source) if mount.type == "volume" else None
    options = plain(volume.driver_opts or {}) if volume and not volume.external else {}
    if not volume or value(volume.driver) not in (None, "", "local") or not options.get("type"):
        return {}
    if any("{{" in text for text in options.values()) or mount.subpath:
        return {}
    type_, device = options["type"], options.get("device", "")
    given = parse_options(options.get("o", ""))
    access = "ro" if mount.read_only or "ro" in given else "rw"
    created = _created(stack.scoped(volume), options)
    if type_ in _NFS:
        source = {"source": device} if device else {}
        return {"type": list(_NFS), **source, "options": [access, *_nfs(given)], **created, "same": True}
    if type_ == "tmpfs":
        return {"type": ["tmpfs"], "options": [access, *_tmpfs(given)], **created}
    if type_ == "none":  # a bind: the kernel shows what is below it
        return {"options": [access], **created}
    return {"type": [type_], **({"source": device} if device else {}), "options": [access], **created}


def _created(name: str, options: dict[str, str]) -> dict[str, Any]:
    """With what an engine created the volume: it keeps that when the file changes.

    What the kernel shows does not tell: the directory of a bind, or a server that the file names.
    """
    if "{{" in name:
        return {}
    compared = {key: options.get(key, "") for key in ("type", "device", "o")} | options
    if compared["type"] in _PASSWORDS:
        del compared["o"]
    return {"volume": name, "driver_opts": compared}


def _bound(stack: Stack, mount: Mount) -> str:
    """The directory of the nodes that a volume is; empty for other volumes."""
    probe = _probe(stack, mount) if mount.type == "volume" else {}
    options = probe.get("driver_opts", {})
    bind = {"bind", "rbind"} & parse_options(options.get("o", "")).keys()
    return str(options["device"]) if options.get("type") == "none" and bind else ""


def _nfs(given: dict[str, str]) -> list[str]:
    """Options of an NFS mount as the kernel shows them."""
    options = {("vers" if key == "nfsvers" else key): text for key, text in given.items()}
    if options.get("vers") == "4":  # the newest that both know is shown
        del options["vers"]
    if not is_ip(options.get("addr", "")):
        options.pop("addr", None)
    return [f"{key}={text}" if text else key for key, text in options.items() if key in _SHOWN]


def _tmpfs(given: dict[str, str]) -> list[str]:
    """The size of a tmpfs as the kernel shows it, in KiB.

    Where it is not in whole pages, it is not compared.
    """
    units = {"k": 1, "m": 1 << 10, "g": 1 << 20}
    size = given.get("size", "").lower()
    if size and size[:-1].isdigit() and size[-1] in units and (kib := int(size[:-1]) * units[size[-1]]) % 4 == 0:
        return [f"size={kib}k"]
    return []


def _what(stack: Stack, mount: Mount) -> str:
    if mount.type == "tmpfs":
        return "a tmpfs"
    volume: Volume = stack.volumes[mount.source]
    options = plain(volume.driver_opts or {})
    return f"the volume {stack.scoped(volume)} ({options['type']} {options.get('device', '')})".replace(" )", ")")
