"""One command on all hosts with asyncssh, written for it: `all_hosts_asyncssh.py HOSTS.json`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import asyncssh

AT_ONCE = 50


async def main(file: str) -> None:
    hosts = json.loads(Path(file).read_text())
    turns = asyncio.Semaphore(AT_ONCE)
    answers = await asyncio.gather(*(ask(host, turns) for host in hosts.values()))
    assert answers == [0] * len(hosts)


async def ask(host: dict, turns: asyncio.Semaphore) -> int:
    async with (
        turns,
        asyncssh.connect(
            host["ssh_hostname"],
            host["ssh_port"],
            username=host["ssh_user"],
            client_keys=[host["ssh_key"]],
            known_hosts=host["ssh_known_hosts_file"],
            config=None,
        ) as connection,
    ):
        done = await connection.run("true")
        return done.exit_status


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
