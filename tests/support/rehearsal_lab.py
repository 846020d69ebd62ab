"""The lab and the stack that rehearsals on real engines begin with."""

from __future__ import annotations

from typing import Any

INVENTORY: dict[str, Any] = {
    "machines": "namespaces",
    "network": {"subnet": "10.79.0.0/24"},
    "hosts": {
        "gw": {"address": "10.79.0.1"},
        "host1": {"address": "10.79.0.11", "roles": ["docker", "swarm_manager"]},
        "host2": {"address": "10.79.0.12", "roles": ["docker", "swarm_worker"]},
        "host3": {"address": "10.79.0.13", "roles": ["docker", "swarm_worker"]},
    },
    "images": {"tools/shell:1": {"build": "busybox"}},
}
STACK = """
services:
  web:
    image: tools/shell:1
    command: [sh, -c, "trap exit TERM; sleep infinity & wait"]
    deploy: {mode: global, restart_policy: {delay: 1s}}
  database:
    image: tools/shell:1
    command: [sh, -c, "trap exit TERM; sleep infinity & wait"]
    volumes: ["data:/data"]
    deploy: {placement: {constraints: [node.hostname == host2]}, restart_policy: {delay: 1s}}
volumes: {data: {}}
"""
"""A service with a task on each node, and a database that is bound to its host."""
