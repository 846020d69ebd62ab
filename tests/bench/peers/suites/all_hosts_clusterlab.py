"""One command on all hosts as clusterlab runs one: `all_hosts_clusterlab.py HOSTS.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.remote import Hosts, Target


def main(file: str) -> None:
    targets = {
        name: Target(
            name,
            host["ssh_hostname"],
            host["ssh_port"],
            user=host["ssh_user"],
            key=Path(host["ssh_key"]),
            known_hosts=(Path(host["ssh_known_hosts_file"]),),
        )
        for name, host in json.loads(Path(file).read_text()).items()
    }
    with Hosts(targets) as hosts:
        answers = hosts.each(list(hosts), lambda host: host.run("true", check=True).exit)
    failed = [answer for answer in answers.values() if isinstance(answer, ClusterlabError)]
    if failed:
        raise failed[0]
    assert len(answers) == len(targets)


if __name__ == "__main__":
    main(sys.argv[1])
