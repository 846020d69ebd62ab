"""Vagrant's states of machines as the states that all kinds share."""

from __future__ import annotations

from collections.abc import Mapping

from clusterlab.errors import ClusterlabError
from clusterlab.machines.base import State
from clusterlab.machines.ssh_banner import greets
from clusterlab.waiting import wait_until

from .events import Event
from .program import Vagrant
from .trust import SshSettings

_STATES: dict[str, State] = {
    "not_created": "absent",
    "running": "running",
    "preparing": "starting",
    "inaccessible": "starting",  # libvirt: it runs and has no address yet
    "shutoff": "stopped",
    "shutdown": "stopped",
    "poweroff": "stopped",
    "aborted": "stopped",
    "gurumeditation": "stopped",
    "paused": "stopped",
    "pmsuspended": "stopped",
    "saved": "stopped",
}


def states(vagrant: Vagrant, names: Mapping[str, str]) -> dict[str, tuple[State, str]]:
    """Each host's state, and Vagrant's own word for it.

    `names` are what Vagrant calls their machines.

    Raises ClusterlabError when its Vagrantfile has no such machines.
    """
    said = states_in(vagrant.run("status"))
    missing = [name for name in names.values() if name not in said]
    if missing:
        raise ClusterlabError(
            f"the Vagrantfile in {vagrant.folder} defines no machines called {', '.join(missing)}",
            remedy="leave vagrant: {folder: ...} out of the inventory to use clusterlab's own",
        )
    return {host: said[name] for host, name in names.items()}


def states_in(events: list[Event]) -> dict[str, tuple[State, str]]:
    """The states that the output of `vagrant status` shows."""
    said = {event.machine: event.data[0] for event in events if event.kind == "state"}
    return {machine: (_STATES.get(word, "unreachable"), word) for machine, word in said.items()}


def answers(settings: SshSettings) -> bool:
    """Whether the machine's SSH server answers."""
    return greets(settings.address, settings.port, 10.0)


def wait_until_answers(host: str, settings: SshSettings, seconds: float) -> None:
    """Wait for an SSH server; raises DeadlineExceeded."""
    wait_until(
        lambda: answers(settings),
        f"an SSH server to answer at {settings.address} port {settings.port}",
        seconds,
        subject=host,
        remedy="restart it: vagrant reload, or recreate it: clusterlab down, then up",
    )
