from __future__ import annotations

import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from clusterlab.cli.verb import INVENTORY, PLAYBOOKS, Call, err, out, verb
from clusterlab.pipeline.lock import Unlocked

if TYPE_CHECKING:
    from clusterlab.following import Follower, Line
    from clusterlab.model import Lab

_PAUSE_SECONDS = 1.0


@verb(
    Unlocked("reads only"),
    {
        "names": "a host, for its journal and its containers; or a container, task, service or stack: only its lines; "
        "without any, everything on all hosts",
        "inventory": INVENTORY,
        "playbooks": f"{PLAYBOOKS}: secrets of their environments are not shown",
        "follow": "go on with new lines, also of tasks that begin later, until Ctrl-C",
        "since": "how far back to begin, such as 10m or 2h",
        "last": "how many lines of each log at the beginning",
    },
    lists=("names",),
)
def logs(
    call: Call,
    names: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    follow: bool = False,
    since: str = "10m",
    last: int = 50,
) -> None:
    """Show the logs of hosts, containers and tasks together, in the order of time."""
    from datetime import UTC, datetime, timedelta

    from clusterlab.errors import UsageError
    from clusterlab.following import Follower
    from clusterlab.model.base import seconds
    from clusterlab.pipeline.session import open_session
    from clusterlab.progress import Silent

    try:
        back = timedelta(seconds=float(str(seconds(since))))
    except ValueError as error:
        raise UsageError(f"--since: {error}", remedy="For example --since 10m.") from error
    if last < 1:
        raise UsageError("--last must be at least 1", remedy="For example --last 50.")
    lab = _lab(inventory, playbooks)
    with open_session(lab, Silent(), call.lock) as session:
        begin = datetime.now(UTC) - back
        follower = Follower(session.hosts, lab.inventory.docker_hosts, names, begin, last)
        _show(follower.new())
        if follower.unknown and not follower.problems:
            known = ", ".join([*lab.inventory.hosts, *follower.known])
            raise UsageError(f"nothing on the hosts is called {', '.join(follower.unknown)}", remedy=f"Known: {known}.")
        if follow:
            _follow(follower)
        else:
            _fail(follower)


def _lab(inventory: str, playbooks: str) -> Lab:
    """The lab with every play that there is, so that no value of their environments is shown."""
    from clusterlab.cli.locations import DEFAULT_PLAYBOOKS, inventory_path, is_shipped, playbooks_path
    from clusterlab.errors import UsageError
    from clusterlab.model import load_inventory, load_lab, play_names

    if playbooks != DEFAULT_PLAYBOOKS and not Path(playbooks).is_dir():
        raise UsageError(
            f"there is no folder {playbooks}", remedy="Name the folder with the plays, or leave --playbooks out."
        )
    path = inventory_path(inventory)
    if not Path(playbooks).is_dir() and not is_shipped(path):
        return load_inventory(path)
    folder = playbooks_path(playbooks, (), path)
    return load_lab(path, play_names(folder), folder) if play_names(folder) else load_inventory(path)


def _follow(follower: Follower) -> None:
    """Show new lines until Ctrl-C, or until nobody reads them; hosts that do not answer are asked again."""
    from clusterlab.cli.pipes import is_read

    pause, told = Event(), dict(follower.problems)
    _tell(told)
    try:
        while is_read(sys.stdout):
            pause.wait(_PAUSE_SECONDS)
            _show(follower.new())
            _tell({host: why for host, why in follower.problems.items() if told.get(host) != why})
            for host in told.keys() - follower.problems.keys():
                err().print(f"{host}: answers again", highlight=False, markup=False)
            told = dict(follower.problems)
    except KeyboardInterrupt:
        return  # that is how following ends


def _fail(follower: Follower) -> None:
    """Raise what kept hosts from being asked."""
    from clusterlab.errors import ClusterlabError, Several

    if follower.problems:
        raise Several([ClusterlabError(why) for why in follower.problems.values()])


def _tell(problems: dict[str, str]) -> None:
    for why in problems.values():
        err().print(f"not read: {why}", highlight=False, markup=False, soft_wrap=True)


def _show(lines: list[Line]) -> None:
    from rich.text import Text

    console = out()
    for line in lines:
        at = line.at.astimezone().strftime("%H:%M:%S")
        console.print(
            Text.assemble((at, "dim"), f" {line.host} ", (line.source, "bold"), f" {line.text}"), soft_wrap=True
        )
    sys.stdout.flush()  # behind a pipe, too, a line is wanted when it comes
