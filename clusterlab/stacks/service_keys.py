"""The keys of a service.

Since which version they are known, which have no effect, and which are refused.

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
"""Keys that are accepted and have no effect; the client does not report the last three."""

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
_REFUSED = "docker stack deploy refuses this key"
_COMPOSE = "docker stack deploy refuses this key of Compose"

REFUSED: dict[str, tuple[str, str]] = {
    "extends": (_REFUSED, "Use an anchor and <<, or a second file with -c."),
    "volume_driver": (_REFUSED, "Set driver for the volume, under volumes."),
    "volumes_from": (
        _REFUSED,
        "Define the volume under volumes, and mount it in both services.",
    ),
    **dict.fromkeys(("cpu_quota", "cpu_shares", "cpuset", "mem_limit", "memswap_limit"), (_REFUSED, _LIMITS)),
    "profiles": (_COMPOSE, "Put the service into a file of its own, and add it with -c."),
    "platform": (_COMPOSE, "Use a constraint on node.platform.arch: x86_64 or aarch64."),
    "pull_policy": (_COMPOSE, "Leave it out: nodes pull when a task starts."),
    "scale": (_COMPOSE, "Use deploy.replicas."),
    "group_add": (_COMPOSE, "Set user to UID:GID."),
    "gpus": (_COMPOSE, "Use deploy.resources.reservations.generic_resources."),
    "runtime": (_COMPOSE, "Set default-runtime in the engine's daemon.json on the nodes."),
    "cpus": (_COMPOSE, "Use deploy.resources.limits.cpus."),
    "annotations": (_COMPOSE, "Use labels."),
    "dns_opt": (_COMPOSE, "Leave it out."),
    "mem_reservation": (_COMPOSE, "Use deploy.resources.reservations.memory."),
    "pids_limit": (_COMPOSE, "Use deploy.resources.limits.pids."),
}
