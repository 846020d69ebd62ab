"""Hosts of an Ansible inventory.

A file in INI or YAML, with the variables that say how a host is reached.

Dynamic inventories are programs: `ansible-inventory -i FILE --list --yaml > hosts.yml` makes a file of them. See
https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html.
"""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from clusterlab.errors import UsageError
from clusterlab.model.addresses import is_ipv4

from .found import Found, FoundHost, host_name

_SSH = {"ansible_user": "user", "ansible_port": "port", "ansible_ssh_private_key_file": "key"}
_RANGE = re.compile(r"\[(\d+):(\d+)\]")
Groups = dict[str, dict[str, dict[str, str]]]
"""By group: its hosts with their variables."""


def read(path: Path, lab: str) -> Found:
    """The hosts of a file, with roles by the names of their groups.

    Raises UsageError.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"{path} cannot be read: {reason}", remedy="Name an Ansible inventory in INI or YAML."
        ) from error
    groups = _yaml(text, path) if path.suffix in (".yml", ".yaml") else _ini(text, path)
    variables: dict[str, dict[str, str]] = {}
    memberships: dict[str, list[str]] = {}
    for group, members in groups.items():
        for name, own in members.items():
            variables.setdefault(name, {}).update(own)
            memberships.setdefault(name, []).append(group)
    if not variables:
        raise UsageError(f"{path}: there are no hosts in it", remedy="Name an Ansible inventory in INI or YAML.")
    hosts: list[FoundHost] = []
    for name, own in variables.items():
        target = own.get("ansible_host", name)
        ssh = [(key, own[ansible]) for ansible, key in _SSH.items() if ansible in own]
        address = target if is_ipv4(target) else _resolved(name, target, path)
        ssh += [("address", target)] if target != address else []
        known = host_name(name, {host.name for host in hosts})
        groups_of = memberships[name]
        notes = f"groups: {', '.join(groups_of)}"
        hosts.append(FoundHost(known, address, _roles(groups_of), ssh=tuple(ssh), notes=notes))
    return Found(lab, f"the Ansible inventory {path}", tuple(hosts))


def _roles(groups: list[str]) -> tuple[str, ...]:
    """Roles by the words in the groups' names.

    A host that no group says more about is a Docker host.
    """
    words = {word for group in groups for word in re.split(r"[^a-z0-9]+", group.lower())}
    if words & {"nfs", "nas", "storage"}:
        return ("nfs_server",)
    if words & {"manager", "managers", "master", "masters"}:
        return ("docker", "swarm_manager")
    if words & {"worker", "workers"}:
        return ("docker", "swarm_worker")
    return ("docker",)


def _resolved(name: str, target: str, path: Path) -> str:
    try:
        return socket.gethostbyname(target)
    except OSError as error:
        raise UsageError(
            f"{path}: the address of {name} is not known: {target} cannot be resolved",
            remedy=f"Give it as ansible_host=ADDRESS at {name}.",
        ) from error


def _ini(text: str, path: Path) -> Groups:
    groups: Groups = {}
    shared: dict[str, dict[str, str]] = {}
    children: dict[str, list[str]] = {}
    group, part = "ungrouped", ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition(" #")[0].strip()
        if not line or line[0] in "#;":
            continue
        if header := re.fullmatch(r"\[([^\]:]+)(?::(\w+))?\]", line):
            group, part = header[1], header[2] or ""
            continue
        try:
            first, *words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"{path}:{number}:1: {error}") from error
        if part == "children":
            children.setdefault(group, []).append(first)
        elif part == "vars":
            key, _, value = line.partition("=")
            shared.setdefault(group, {})[key.strip()] = value.strip()
        else:
            own = dict(word.split("=", 1) for word in words if "=" in word)
            groups.setdefault(group, {}).update({name: dict(own) for name in _expanded(first)})
    for parent, names in children.items():
        groups.setdefault(parent, {}).update({h: dict(v) for name in names for h, v in groups.get(name, {}).items()})
    everywhere = shared.get("all", {})
    return {
        name: {host: {**everywhere, **shared.get(name, {}), **own} for host, own in members.items()}
        for name, members in groups.items()
    }


def _expanded(pattern: str) -> Iterator[str]:
    """web[01:03] as web01, web02, web03."""
    found = _RANGE.search(pattern)
    if not found:
        yield pattern
        return
    for number in range(int(found[1]), int(found[2]) + 1):
        yield from _expanded(f"{pattern[: found.start()]}{number:0{len(found[1])}}{pattern[found.end() :]}")


def _yaml(text: str, path: Path) -> Groups:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not valid YAML: {error}") from error
    groups: Groups = {}
    if isinstance(document, Mapping):
        for name, group in document.items():
            _group(str(name), group, {}, groups, path)
    return groups


def _group(name: str, group: Any, shared: Mapping[str, str], groups: Groups, path: Path) -> dict[str, dict[str, str]]:
    """Add a group and its children; returns all hosts of it."""
    if not isinstance(group, Mapping):
        return {}
    here = {**shared, **_texts(_mapping(group, "vars", name, path))}
    members = {
        host: {**here, **_texts(own if isinstance(own, Mapping) else {})}
        for pattern, own in _mapping(group, "hosts", name, path).items()
        for host in _expanded(str(pattern))
    }
    for child, content in _mapping(group, "children", name, path).items():
        members.update(_group(str(child), content, here, groups, path))
    if members and name != "all":
        groups[name] = members
    elif members:
        known = {host for others in groups.values() for host in others}
        groups["ungrouped"] = {host: own for host, own in members.items() if host not in known}
    return members


def _mapping(group: Mapping[str, Any], key: str, name: str, path: Path) -> Mapping[Any, Any]:
    content = group.get(key) or {}
    if not isinstance(content, Mapping):
        raise UsageError(
            f"{path}: {name}.{key} is not a mapping", remedy=f"Write {key} as names, each followed by a colon."
        )
    return content


def _texts(variables: Mapping[Any, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in variables.items()}
