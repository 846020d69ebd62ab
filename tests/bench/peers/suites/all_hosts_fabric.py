"""One command on all hosts with Fabric's ThreadingGroup: `all_hosts_fabric.py HOSTS.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fabric import Connection, ThreadingGroup


def main(file: str) -> None:
    hosts = json.loads(Path(file).read_text())
    connections = [
        Connection(
            host["ssh_hostname"],
            user=host["ssh_user"],
            port=host["ssh_port"],
            connect_kwargs={"key_filename": host["ssh_key"], "allow_agent": False, "look_for_keys": False},
        )
        for host in hosts.values()
    ]
    with ThreadingGroup.from_connections(connections) as group:
        answers = group.run("true", hide=True)
    assert len(answers) == len(hosts)
    assert all(answer.ok for answer in answers.values())


if __name__ == "__main__":
    main(sys.argv[1])
