"""Compose keys that a playbook does not have.

What takes their place, or that clusterlab does not support them.

Source: https://github.com/compose-spec/compose-spec/blob/main/spec.md and its chapters on services, networks and
volumes.
"""

from __future__ import annotations

from collections.abc import Mapping

from .base import Model
from .compose_forms import Attachment
from .playbook import (
    Config,
    Container,
    Deploy,
    Healthcheck,
    Ipam,
    IpamConfig,
    Network,
    Placement,
    Play,
    Secret,
    Service,
    Volume,
)

_LINKS = "Links are obsolete. Put both containers on one network with networks: there they reach each other by name."
_IMAGE = "Name an image of the inventory with image: the inventory says how it is built."
_OURS = "Leave it out and describe it here: clusterlab creates it, and never touches one that it did not create."

CONTAINER_KEYS: Mapping[str, str] = {
    "links": _LINKS,
    "link": _LINKS,
    "--link": _LINKS,
    "external_links": _LINKS,
    "net": "Write network_mode, or networks.",
    "network": "Write networks.",
    "container_name": "Leave it out: the key above it is the name.",
    "volume_from": "Write volumes_from, or better: mount the same volume in both containers with volumes.",
    "volume_driver": "Give the volume its driver, under volumes of the play.",
    "build": _IMAGE,
    "dockerfile": _IMAGE,
    "depends_on": "Leave it out: everything of a play is started, and a check waits with within.",
    "scale": "Write a service with deploy.replicas.",
    "env": "Write environment.",
    "mem_limit": "Leave it out: size the machine in the inventory.",
}

_FILE_KEYS: Mapping[str, str] = {
    "external": _OURS,
    "name": "Leave it out: the key above it is the name.",
    "content": "Put the content into a file, and name it with file.",
    "environment": "Put the value into a file, and name it with file.",
}

_REPLACED: Mapping[type[Model], Mapping[str, str]] = {
    Play: {
        "version": "Leave it out: Compose no longer needs it.",
        "name": "Leave it out: the name of a play is its path.",
    },
    Container: {
        **CONTAINER_KEYS,
        "deploy": "Write a service instead.",
    },
    Service: {
        **CONTAINER_KEYS,
        "host": "Swarm chooses: leave it out, or write deploy.placement.constraints, or a container.",
        "hosts": "Swarm chooses: leave it out, or write deploy.placement.constraints, or containers.",
        "network_mode": "Write networks.",
        "replicas": "Write it under deploy.",
        "restart": "Leave it out: Swarm starts a task again that ended.",
    },
    Volume: {
        "external": _OURS,
        "name": "Leave it out: the key above it is the name.",
        "opts": "Write driver_opts.",
        "options": "Write driver_opts.",
        "host": "Write hosts.",
    },
    Network: {
        "external": _OURS,
        "name": "Leave it out: the key above it is the name.",
        "subnet": "Write it in a list under ipam.config.",
        "opts": "Write driver_opts.",
        "options": "Write driver_opts.",
        "host": "Write hosts.",
    },
    Config: _FILE_KEYS,
    Secret: {
        **_FILE_KEYS,
        "driver": "Leave it out, and write file; secrets of a plugin can stand in a stack file.",
        "driver_opts": "Leave it out; secrets of a plugin can stand in a stack file.",
    },
    Deploy: {},
    Placement: {},
    Ipam: {"subnet": "Write it in a list under config."},
    IpamConfig: {},
    Attachment: {},
    Healthcheck: {},
}

_COMPOSE = frozenset(
    """
    annotations attach blkio_config cap_add cap_drop cgroup cgroup_parent configs cpu_count cpu_percent
    cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec develop
    device_cgroup_rules devices disable dns dns_opt dns_search domainname driver_opts enable_ipv4
    endpoint_mode env_file expose extends extra_hosts gpus group_add gw_priority healthcheck include init
    interface_name ipc ipv6_address isolation label_file labels link_local_ips logging mac_address
    max_replicas_per_node mem_reservation mem_swappiness memswap_limit models oom_kill_disable
    oom_score_adj pid pids_limit platform post_start pre_stop preferences priority privileged profiles
    provider pull_policy resources rollback_config restart_policy runtime secrets security_opt shm_size
    start_interval stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits
    update_config use_api_socket userns_mode uts volumes_from working_dir
    """.split()  # noqa: SIM905 (a list of 80 lines says no more)
)


def compose_key(model: type[Model], key: str) -> tuple[str, str] | None:
    """What is wrong with a key that Compose has and `model` has not, and the remedy.

    None for any other key.
    """
    replaced = _REPLACED.get(model, model.compose_keys)
    if replaced is None:
        return None
    if key in replaced:
        return f"the key '{key}' is not used by clusterlab", replaced[key]
    if key.startswith("x-"):
        return (
            f"the key '{key}' is not supported by clusterlab",
            "YAML anchors can stand at any value: name it where it is.",
        )
    if key in _COMPOSE:
        return f"Compose's key '{key}' is not supported by clusterlab", ""
    return None
