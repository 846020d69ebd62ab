"""Configs and secrets that services use: in the API with their ids, in commands and differences by their names.

Source: cli/command/service/update.go and opts/config.go of docker/cli.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clusterlab.errors import HostError
from clusterlab.stacks.service_specs import Ids, Spec

from .engine_calls import flags

KINDS = ("config", "secret")


def ids_by_name(api: Any, host: str, kinds: Iterable[str]) -> Ids:
    """The ids of all configs or secrets of a Swarm.

    What is returned raises HostError for one that does not exist.
    """
    known = {(kind, one["Spec"]["Name"]): str(one["ID"]) for kind in kinds for one in getattr(api, f"{kind}s")()}

    def id_of(kind: str, name: str) -> str:
        if (kind, name) not in known:
            raise HostError(host, f"the {kind} {name} does not exist", remedy="Run the same command again.")
        return known[kind, name]

    return id_of


def used(container: Mapping[str, Any], kind: str) -> list[Spec]:
    """The references of a ContainerSpec to configs or secrets."""
    found: list[Spec] = container.get(f"{kind.capitalize()}s") or []
    return found


def with_ids(container: Mapping[str, Any], ids: Ids) -> Spec:
    """A ContainerSpec that names configs and secrets, with their ids."""
    spec = dict(container)
    for kind in KINDS:
        name, of_id = f"{kind.capitalize()}Name", f"{kind.capitalize()}ID"
        if references := used(container, kind):
            spec[f"{kind.capitalize()}s"] = [{**one, of_id: ids(kind, one[name])} for one in references]
    credentials = _credentials(container)
    if credentials.get("Config"):
        config = ids("config", credentials["Config"])
        spec["Privileges"] = {**container["Privileges"], "CredentialSpec": {**credentials, "Config": config}}
    return spec


def privileges(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Spec | None:
    """The Privileges of a service with one ContainerSpec that should have the credentials of another.

    What else they say was set by others, and stays.
    """
    before: Spec | None = found.get("Privileges")
    own = _credentials(wanted)
    if not own and not _credentials(found):
        return before
    return {**(before or {}), "CredentialSpec": own or None}


def credential_spec(container: Mapping[str, Any]) -> str:
    """The credentials of a ContainerSpec as commands write them; "" for none."""
    config = next((one["ConfigName"] for one in used(container, "config") if one.get("Runtime") is not None), "")
    if config:
        return f"config://{config}"
    credentials = _credentials(container)
    return next((f"{key.lower()}://{credentials[key]}" for key in ("File", "Registry") if credentials.get(key)), "")


def isolation(container: Mapping[str, Any]) -> str:
    """How containers are isolated; "" for the engine's own way."""
    found = str(container.get("Isolation") or "")
    return "" if found == "default" else found


def references(container: Mapping[str, Any], kind: str) -> list[str]:
    """What a ContainerSpec mounts of configs or secrets, as commands write it."""
    mounted = (one for one in used(container, kind) if one.get("File"))
    return sorted(_text(one[f"{kind.capitalize()}Name"], one["File"]) for one in mounted)


def create_flags(container: Mapping[str, Any]) -> list[str]:
    """The options that create a service with a ContainerSpec."""
    words = [word for kind in KINDS for word in flags(f"--{kind}", references(container, kind))]
    words += ["--isolation", isolation(container)] if isolation(container) else []
    return words + (["--credential-spec", credential_spec(container)] if credential_spec(container) else [])


def update_flags(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The options that change what differs between two ContainerSpecs.

    What is removed of a name is all that a service uses of it.
    """
    words: list[str] = []
    for kind in KINDS:
        ours, theirs = (_by_name(references(one, kind)) for one in (wanted, found))
        words += flags(f"--{kind}-rm", [name for name, texts in theirs.items() if texts != ours.get(name)])
        added = [text for name, texts in ours.items() if texts != theirs.get(name) for text in texts]
        words += flags(f"--{kind}-add", added)
    if isolation(wanted) != isolation(found):
        words += ["--isolation", isolation(wanted) or "default"]
    if credential_spec(wanted) != credential_spec(found):
        words += ["--credential-spec", credential_spec(wanted)]
    return words


def _credentials(container: Mapping[str, Any]) -> Spec:
    found = (container.get("Privileges") or {}).get("CredentialSpec") or {}
    return {key: value for key, value in found.items() if value}


def _text(name: str, file: Mapping[str, Any]) -> str:
    mode = f"mode=0{file.get('Mode') or 0:o}"
    return f"source={name},target={file['Name']},uid={file.get('UID')},gid={file.get('GID')},{mode}"


def _by_name(texts: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        found.setdefault(text.partition(",")[0].removeprefix("source="), []).append(text)
    return found
