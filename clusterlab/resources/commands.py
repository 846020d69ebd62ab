"""Run a command that changes a host, with a remedy for when it fails."""

from __future__ import annotations

from clusterlab.remote import Host
from clusterlab.remote.completed import Completed
from clusterlab.remote.failure import Remedies, failure


def do(
    host: Host,
    command: str,
    doing: str,
    *,
    timeout: float = 120.0,
    remedies: Remedies = (),
    remedy: str = "",
) -> Completed:
    """Run `command`, which must succeed; `doing` completes the sentence "cannot ...".

    `remedies` are (regular expression in the output, what that means, what to do), looked at before those that
    every command shares; `remedy` is for all else. Raises HostError with the end of the output, DeadlineExceeded.
    """
    completed = host.run(command, timeout=timeout)
    if not completed.ok:
        raise failure(host.name, doing, completed.output, remedies=remedies, remedy=remedy)
    return completed
