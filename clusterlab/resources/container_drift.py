"""How a container differs from what is wanted, and the least change for it.

Options come from what the engine keeps on disk, for listings leave them out. A container whose labels say the
same spec was created as wanted, so what is looked at then is what can change afterwards: its image's tag,
networks, limits, restart policy, state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import LABEL_PLAY, LABEL_SPEC, Difference
from .compare import differences, environment_differences, same, variables
from .container_body import WantedContainer
from .labels import own_labels
from .observed import Json, Observed, attached, labels_of
from .stored import Stored

_LIMITS = (
    "BlkioWeight", "CpuPeriod", "CpuQuota", "CpuShares", "CpusetCpus", "CpusetMems", "KernelMemory", "Memory",
    "MemoryReservation", "MemorySwap", "NanoCpus", "PidsLimit",
)  # fmt: skip
"""What `docker update` can set; plays have no limits, so somebody else set those that exist."""
_NAMES = {
    "Cmd": "command", "Entrypoint": "entrypoint", "User": "user", "WorkingDir": "working_dir", "Hostname": "hostname",
    "StopSignal": "stop_signal", "StopTimeout": "stop_grace_period", "Healthcheck": "healthcheck",
    "NetworkMode": "network_mode", "Binds": "volumes", "VolumesFrom": "volumes_from", "Tmpfs": "tmpfs",
    "PortBindings": "ports", "ReadonlyRootfs": "read_only", "Init": "init", "CapAdd": "cap_add", "CapDrop": "cap_drop",
    "ExtraHosts": "extra_hosts",
}  # fmt: skip
"""The API's names of what is compared as a whole, and the play's."""
_HOST_OPTIONS = (
    "NetworkMode", "Binds", "VolumesFrom", "Tmpfs", "PortBindings", "ReadonlyRootfs", "Init", "CapAdd", "CapDrop",
    "ExtraHosts",
)  # fmt: skip
_CONFIG_OPTIONS = ("Cmd", "Entrypoint", "User", "WorkingDir", "Hostname", "StopSignal", "StopTimeout", "Healthcheck")


def fixed_differences(wanted: WantedContainer, listed: Json, stored: Stored, image_id: str) -> list[Difference]:
    """What only another container in its place can change.

    `image_id` is the wanted tag's on the host, or empty.
    """
    labels = labels_of(listed)
    made_so = labels.get(LABEL_SPEC) == wanted.labels[LABEL_SPEC]
    found = [] if made_so else _creation_differences(wanted, listed, stored)
    if not made_so and not found:
        found.append(Difference("spec", wanted.labels[LABEL_SPEC], labels.get(LABEL_SPEC)))
    if image_id and listed["ImageID"] != image_id and all(one.name != "image" for one in found):
        found.append(Difference("image", image_id, listed["ImageID"]))
    found += differences("", {"play": wanted.labels[LABEL_PLAY]}, {"play": labels.get(LABEL_PLAY)})
    limits = {key: stored.host_config.get(key) for key in _LIMITS}
    found += differences("limits", {}, {key: value for key, value in limits.items() if not same(None, value)})
    return found + _mount_differences(wanted, listed)


def policy_differences(wanted: WantedContainer, stored: Stored) -> list[Difference]:
    """The restart policy, which can be changed in place."""
    if not stored.host_config:
        return []
    found = (stored.host_config.get("RestartPolicy") or {}).get("Name") or "no"
    return differences("", {"restart": wanted.host_config["RestartPolicy"]["Name"]}, {"restart": found})


def network_differences(
    wanted: WantedContainer, listed: Json, stored: Stored, at: Observed
) -> dict[str, list[Difference]]:
    """By network: that the connection is missing, unwanted, or differs."""
    live = attached(listed)
    kept = (stored.config.get("NetworkSettings") or {}).get("Networks") or {}
    names = list(wanted.networks) or [wanted.host_config["NetworkMode"]]
    found: dict[str, list[Difference]] = {}
    for name in dict.fromkeys([*names, *live]):
        is_to_be, is_there = name in names, name in live
        found[name] = differences("networks", {name: _connected(is_to_be)}, {name: _connected(is_there)})
        if name in wanted.networks and is_there:
            found[name] = _endpoint_differences(wanted, name, listed, kept.get(name), at)
    return {name: differing for name, differing in found.items() if differing}


def _connected(is_so: bool) -> str:
    return "connected" if is_so else "not connected"


def _endpoint_differences(
    wanted: WantedContainer, name: str, listed: Json, kept: Json | None, at: Observed
) -> list[Difference]:
    live, attachment = attached(listed)[name], wanted.networks[name]
    found: list[Difference] = []
    network = at.networks.get(name)
    if network and live.get("NetworkID") not in ("", None, network["Id"]):
        found.append(Difference(f"networks.{name}", network["Id"], live["NetworkID"]))
    address = (live.get("IPAMConfig") or {}).get("IPv4Address")
    if attachment.ipv4_address or (name in at.networks and at.networks[name].get("Scope") != "swarm"):
        # the Swarm writes the address that it chose there, too
        wants = {"ipv4_address": attachment.ipv4_address}
        found += differences(f"networks.{name}", wants, {"ipv4_address": address})
    if kept is not None:
        aliases = {"aliases": sorted(_own_aliases(kept, listed["Id"]))}
        found += differences(f"networks.{name}", {"aliases": sorted(set(attachment.aliases))}, aliases)
    return found


def _own_aliases(endpoint: Mapping[str, Any], container_id: str) -> set[str]:
    """Aliases without the container's short id, which engines before 25 add."""
    return set(endpoint.get("Aliases") or []) - {container_id[:12]}


def _creation_differences(wanted: WantedContainer, listed: Json, stored: Stored) -> list[Difference]:
    config = stored.config.get("Config") or {}
    found = differences("", {"image": wanted.image}, {"image": config.get("Image", listed.get("Image"))})
    for options, there, here in (
        (_CONFIG_OPTIONS, config, wanted.config),
        (_HOST_OPTIONS, stored.host_config, wanted.host_config),
    ):
        for option in options:
            if option in here or option in _HOST_OPTIONS:
                found += _difference(
                    _NAMES[option], _plain(option, here.get(option)), _plain(option, there.get(option))
                )
    has = variables(config.get("Env"))  # its image's included
    found += environment_differences(wanted.environment, {key: has[key] for key in wanted.environment if key in has})
    exposed = dict.fromkeys(wanted.config.get("ExposedPorts") or {}, "exposed")
    found += differences(
        "expose", exposed, {port: "exposed" for port in config.get("ExposedPorts") or {} if port in exposed}
    )
    labels = own_labels(labels_of(listed))
    wanted_labels = own_labels(wanted.labels)
    return found + differences("labels", wanted_labels, {key: labels.get(key) for key in wanted_labels})


def _difference(name: str, wanted: Any, found: Any) -> list[Difference]:
    return [] if same(wanted, found) else [Difference(name, wanted, found)]


def _plain(option: str, value: Any) -> Any:
    """Without what the engine writes in more than one way."""
    if option in ("CapAdd", "CapDrop"):
        return sorted(cap.removeprefix("CAP_") for cap in value or [])
    if option in ("Binds", "ExtraHosts"):
        return sorted(value or [])
    if option == "NetworkMode" and value == "default":
        return "bridge"
    return value


def _mount_differences(wanted: WantedContainer, listed: Json) -> list[Difference]:
    """What is mounted where, as the engine lists it.

    A container that was never started may not list it yet.
    """
    mounts = {mount["Destination"]: mount for mount in listed.get("Mounts") or []}
    found: list[Difference] = []
    for text in wanted.host_config["Binds"] if mounts else []:
        source, target, *mode = text.split(":")
        mount = mounts.get(target)
        there = (mount.get("Name") or mount.get("Source")) if mount else None
        found += differences(f"mounts.{target}", {"source": source}, {"source": there})
        if mount:
            found += differences(f"mounts.{target}", {"read_only": mode == ["ro"]}, {"read_only": not mount.get("RW")})
    return found
