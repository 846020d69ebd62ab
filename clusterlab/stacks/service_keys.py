"""The keys of a service: since which version they are known, which have no effect, and which are refused.

Sources: config_schema_v3.*.json and types.go of docker/cli.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ANNOUNCED = _words(
    """build cgroup_parent cgroupns_mode devices domainname external_links ipc links mac_address network_mode pid
    privileged security_opt shm_size userns_mode container_name expose"""
)
"""Ignored keys that Docker's client mentions."""

IGNORED = (*ANNOUNCED, "depends_on", "tmpfs", "oom_score_adj")
"""Keys that are accepted and have no effect; the client says nothing of the last three."""

KEYS: dict[str, str] = {
    **dict.fromkeys(IGNORED, ""),
    **dict.fromkeys(
        _words(
            """image command entrypoint environment env_file labels hostname user working_dir read_only tty stdin_open
            stop_grace_period stop_signal healthcheck extra_hosts dns dns_search cap_add cap_drop sysctls ulimits
            logging networks ports volumes restart deploy"""
        ),
        "",
    ),
    "secrets": "3.1",
    "configs": "3.3",
    "credential_spec": "3.3",
    "isolation": "3.5",
    "init": "3.7",
    "cgroupns_mode": "3.9",
    "oom_score_adj": "3.13",
}
"""Every key that is known, and the version that it came with."""

_LIMITS = "Set limits with deploy.resources.limits."
_COMPOSE = "is Compose's; docker stack deploy refuses it"

REFUSED: dict[str, tuple[str, str]] = {
    "extends": ("extends is refused by docker stack deploy", "Use an anchor and <<, or a second file with -c."),
    "volume_driver": ("volume_driver is refused by docker stack deploy", "Set driver for the volume, under volumes."),
    "volumes_from": (
        "volumes_from is refused by docker stack deploy",
        "Define the volume under volumes, and mount it in both services.",
    ),
    **{
        key: (f"{key} is refused by docker stack deploy", _LIMITS)
        for key in ("cpu_quota", "cpu_shares", "cpuset", "mem_limit", "memswap_limit")
    },
    "profiles": (f"profiles {_COMPOSE}", "Put the service into a file of its own, and add it with -c."),
    "platform": (f"platform {_COMPOSE}", "Use a constraint on node.platform.arch: x86_64 or aarch64."),
    "pull_policy": (f"pull_policy {_COMPOSE}", "Leave it out: nodes pull when a task starts."),
    "scale": (f"scale {_COMPOSE}", "Use deploy.replicas."),
    "group_add": (f"group_add {_COMPOSE}", "Set user to UID:GID."),
    "gpus": (f"gpus {_COMPOSE}", "Use deploy.resources.reservations.generic_resources."),
    "runtime": (f"runtime {_COMPOSE}", "Set default-runtime in the engine's daemon.json on the nodes."),
    "cpus": (f"cpus {_COMPOSE}", "Use deploy.resources.limits.cpus."),
    "annotations": (f"annotations {_COMPOSE}", "Use labels."),
    "dns_opt": (f"dns_opt {_COMPOSE}", "Leave it out."),
    "mem_reservation": (f"mem_reservation {_COMPOSE}", "Use deploy.resources.reservations.memory."),
    "pids_limit": (f"pids_limit {_COMPOSE}", "Use deploy.resources.limits.pids."),
}
