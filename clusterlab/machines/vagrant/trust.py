"""How machines that Vagrant made are reached.

Its SSH settings, and host keys taken over once.

A machine is trusted when it is met for the first time, right after it was made; Vagrant itself never checks. From then
on its key is kept with the machine's id, and any other key is an error. Only a machine with another id, thus another
machine, is met for the first time again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from clusterlab.errors import HostError
from clusterlab.files import write_atomically
from clusterlab.machines.state import LabState
from clusterlab.remote import Target, ssh_argv

_LOOK = """\
tries=0
until ip -4 -o address show | grep -q ' {address}/' || [ $tries = 30 ]; do tries=$((tries + 1)); sleep 1; done
uname -n; ip -4 -o address show; sudo -n true && sync
"""
"""Prints a machine's name and addresses; one that just started gets its address on the LAN a moment later. What Vagrant
wrote there a moment ago is on the disk afterwards, so that it is still there when the machine is switched off."""
_SECONDS = 90.0


@dataclass(frozen=True)
class SshSettings:
    """What `vagrant ssh-config` says of one machine."""

    address: str
    port: int
    user: str
    key: str


def parse_ssh_config(text: str) -> dict[str, SshSettings]:
    """Each machine's settings out of what `vagrant ssh-config` prints.

    Raises HostError for what cannot be used.
    """
    blocks: dict[str, dict[str, str]] = {}
    block: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(" ")
        if key == "Host":
            block = blocks.setdefault(value.strip(), {})
        elif value:
            block.setdefault(key, value.strip())  # OpenSSH, too, takes what is said first
    return {name: _settings(name, said) for name, said in blocks.items()}


def _settings(name: str, said: dict[str, str]) -> SshSettings:
    if "ProxyCommand" in said:
        raise HostError(
            name,
            "Vagrant reaches it through a ProxyCommand: its libvirt is on another computer",
            remedy="run clusterlab on that computer, or take the machines as machines: existing",
        )
    missing = [key for key in ("HostName", "Port", "User", "IdentityFile") if key not in said]
    if missing:
        raise HostError(name, f"`vagrant ssh-config` does not report its {', '.join(missing)}")
    key = said["IdentityFile"].strip('"')
    return SshSettings(said["HostName"], int(said["Port"]), said["User"], key)


class TakenOver:
    """The machines of a lab that were taken over, in its state folder."""

    def __init__(self, state: LabState) -> None:
        self._state = state

    def settings(self, host: str, machine_id: str) -> SshSettings | None:
        """How the machine with this id is reached.

        None when the host's machine is another, or was never met.
        """
        try:
            known = json.loads(self._file(host).read_text())
        except FileNotFoundError:
            return None
        return SshSettings(**known["settings"]) if known["machine"] == machine_id else None

    def target(self, host: str, settings: SshSettings) -> Target:
        """How the host is reached, and which key it must have."""
        return Target(
            name=host,
            address=settings.address,
            port=settings.port,
            user=settings.user,
            key=Path(settings.key),
            known_hosts=(self._known_hosts(host),),
            alias=f"{host}.{self._state.lab}",
            become=settings.user != "root",
            trust_hint="find out who answers there; if the machine got a new key on purpose: clusterlab down, then up",
        )

    def meet(self, host: str, machine_id: str, settings: SshSettings, address: str, remedy: str) -> None:
        """Connect to a machine and keep its key.

        One that was met before must have the key that it had.

        Raises HostError when it cannot be reached, may not use sudo, or is not whole: without its name or `address` on
        the LAN. `remedy` says how it is made whole.
        """
        self._state.host_folder(host).mkdir(mode=0o700, parents=True, exist_ok=True)
        known = self._known_hosts(host)
        first = self.settings(host, machine_id) is None
        scratch = known.with_name("known_hosts.new")
        scratch.unlink(missing_ok=True)
        if not first:
            shutil.copy(known, scratch)
        said = _look(replace(self.target(host, settings), known_hosts=(scratch,)), address, first)
        if lacks := not_whole(said, host, address):
            raise HostError(
                host,
                f"its machine does not match this inventory: {lacks}; it is only half created, or has other addresses",
                remedy=remedy,
            )
        scratch.replace(known)
        write_atomically(
            self._file(host), json.dumps({"machine": machine_id, "settings": asdict(settings)}, indent=2) + "\n"
        )
        self._begun(host).unlink(missing_ok=True)

    def begin(self, host: str) -> None:
        """Record that the host's machine is being created.

        So one that remains half created is known as ours.
        """
        self.forget(host)
        self._state.host_folder(host).mkdir(mode=0o700, parents=True)
        self._begun(host).touch()

    def is_begun(self, host: str) -> bool:
        """Whether an `up` began to make the host's machine and did not come to its end."""
        return self._begun(host).exists()

    def forget(self, host: str) -> None:
        """The next machine of this host is a new one."""
        folder = self._state.host_folder(host)
        if folder.is_dir():
            shutil.rmtree(folder)

    def _file(self, host: str) -> Path:
        return self._state.host_folder(host) / "reached.json"

    def _begun(self, host: str) -> Path:
        return self._state.host_folder(host) / "begun"

    def _known_hosts(self, host: str) -> Path:
        return self._state.host_folder(host) / "known_hosts"


def not_whole(said: str, host: str, address: str) -> str:
    """Why a machine with this name and addresses is not yet as wanted, or ""."""
    name, _, addresses = said.partition("\n")
    if name.split(".")[0] != host:
        return f"its name is {name or 'unknown'}, not {host}"
    if f" {address}/" not in addresses:
        return f"it has no address {address}"
    return ""


def _look(target: Target, address: str, first: bool) -> str:
    argv = ssh_argv(target, [_LOOK.replace("{address}", address)])
    accept = ["-o", "StrictHostKeyChecking=accept-new"] if first else []
    argv[1:1] = [*accept, "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "LogLevel=ERROR"]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise HostError(
            target.name,
            f"{target.address} port {target.port} did not answer over SSH within {_SECONDS:.0f} s",
            remedy="see its state with clusterlab status; vagrant reload restarts it",
        ) from None
    if done.returncode != 0:
        raise _refused(target, done.stderr.strip())
    return done.stdout


def _refused(target: Target, text: str) -> HostError:
    where = f"{target.user}@{target.address} port {target.port}"
    if "verification failed" in text or "IDENTIFICATION HAS CHANGED" in text:
        return HostError(
            target.name,
            f"another host key than the one recorded from this machine answers at {where}",
            remedy="find out who answers there; if the machine got a new key on purpose: clusterlab down, then up",
            detail=text,
        )
    if "a password is required" in text or "sudo:" in text:
        return HostError(
            target.name,
            f"{target.user} may not run sudo without a password there",
            remedy="use another box: Vagrant's boxes allow that for their user",
            detail=text,
        )
    if "Permission denied" in text:
        return HostError(
            target.name,
            f"{where} does not accept Vagrant's key {target.key}",
            remedy="recreate the machine: clusterlab down, then up",
            detail=text,
        )
    return HostError(
        target.name,
        f"{where} cannot be reached over SSH",
        remedy="see its state with clusterlab status; vagrant reload restarts it",
        detail=text,
    )
