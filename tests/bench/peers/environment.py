"""The peers, in an environment of their own, and what they need to know to reach machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clusterlab.remote import ssh_config
from clusterlab.remote.target import Target

ROOT = Path(__file__).parents[3]
PACKAGES = ("ansible", "asyncssh", "fabric", "pyinfra")
SUITES = Path(__file__).with_name("suites")
_SECONDS = 1800.0


class NotRun(Exception):
    """A command of a peer, or of ours, ended otherwise than it should."""


@dataclass(frozen=True)
class Peers:
    """A virtual environment that has all peers."""

    folder: Path

    def install(self) -> None:
        """Create it and install what is missing."""
        if not (self.folder / "bin" / "pip").exists():
            run([sys.executable, "-m", "venv", "--clear", str(self.folder)])
        run([str(self.folder / "bin" / "pip"), "install", "--quiet", *PACKAGES])

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    def versions(self) -> dict[str, str]:
        """The version of each package."""
        done = run([self.program("pip"), "list", "--format", "json"])
        found = {one["name"].lower(): str(one["version"]) for one in json.loads(done.stdout)}
        return {name: found[name] for name in PACKAGES}


@dataclass(frozen=True)
class Reach:
    """Files with which each peer reaches the same hosts: the way that its users would write them."""

    folder: Path

    @classmethod
    def of(cls, folder: Path, targets: Mapping[str, Target], groups: Mapping[str, Sequence[str]]) -> Reach:
        """Write them. `groups` are groups of Ansible and pyinfra, with their hosts."""
        folder.mkdir(parents=True, exist_ok=True)
        reach = cls(folder)
        reach.known_hosts.write_text("".join(_known(target) for target in targets.values()))
        reach.ssh_config.write_text(
            ssh_config(targets) + f"\nHost *\n  ControlMaster auto\n  ControlPath {folder}/%C\n  ControlPersist 60s\n"
        )
        reach.ansible_config.write_text(
            "[defaults]\nforks = 50\ninterpreter_python = /usr/bin/python3\n[ssh_connection]\npipelining = True\n"
            f"ssh_args = -F {reach.ssh_config}\n"
        )
        lines = [f"[{group}]\n" + "".join(f"{name}\n" for name in names) for group, names in groups.items()]
        reach.ansible_hosts.write_text("\n".join(lines))
        reach.pyinfra_hosts.write_text(
            "".join(
                f"{group} = {[(name, _data(targets[name], reach.known_hosts)) for name in names]!r}\n"
                for group, names in groups.items()
            )
        )
        reach.hosts.write_text(json.dumps({name: _data(target, reach.known_hosts) for name, target in targets.items()}))
        return reach

    @property
    def ssh_config(self) -> Path:
        return self.folder / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def ansible_config(self) -> Path:
        return self.folder / "ansible.cfg"

    @property
    def ansible_hosts(self) -> Path:
        return self.folder / "hosts.ini"

    @property
    def pyinfra_hosts(self) -> Path:
        return self.folder / "inventory.py"

    @property
    def hosts(self) -> Path:
        """For scripts: each host's address, port, user, key and known_hosts."""
        return self.folder / "hosts.json"

    def close(self) -> None:
        """End the connections that OpenSSH keeps."""
        if not any(path.is_socket() for path in self.folder.iterdir()):
            return
        for name in json.loads(self.hosts.read_text()):
            subprocess.run(["ssh", "-F", str(self.ssh_config), "-O", "exit", name], check=False, capture_output=True)


def _data(target: Target, known_hosts: Path) -> dict[str, object]:
    return {
        "ssh_hostname": target.address,
        "ssh_port": target.port,
        "ssh_user": target.user,
        "ssh_key": str(target.key),
        "ssh_known_hosts_file": str(known_hosts),
        "ssh_strict_host_key_checking": "yes",
    }


def _known(target: Target) -> str:
    """Its host keys under the address and port, which every peer understands."""
    names = {target.alias, f"[{target.address}]:{target.port}"}
    lines = [line for file in target.known_hosts for line in file.read_text().splitlines()]
    found = [line.split(maxsplit=1)[1] for line in lines if line.split(maxsplit=1)[:1] and line.split()[0] in names]
    return "".join(f"[{target.address}]:{target.port} {key}\n" for key in found)


def run(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Raises NotRun with its output unless it ends with `code`."""
    done = subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode != code:
        ends = f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        raise NotRun(f"{' '.join(command)} ended with {done.returncode} instead of {code}:\n{ends}")
    return done
