"""Why a host's engine could not be reached, with what to do about it."""

from __future__ import annotations

import re

from clusterlab.errors import HostError

from .sudo import passwordless
from .target import Target

_NOT_FOUND = re.compile(r"\b(docker|sudo)\W?: (?:command )?(?:not found|No such file)")


class NoAnswer(HostError):
    """A channel to the engine ended without its answer.

    `why` completes "HOST: ..." without what was asked; `lost` when the SSH connection ended with it.
    """

    why = ""
    lost = False


class Unanswered(NoAnswer):
    """A channel that had served before ended before an answer began.

    Whatever it led to was going away already.
    """


def explain_end(target: Target, asked: str, stderr: str, *, lost: bool, stale: bool, begun: bool) -> NoAnswer:
    """What it means that a channel to the engine ended without answering.

    `stderr` is what dial-stdio said.

    `lost` when the SSH connection ended with it, `stale` when it had answered before and then nothing of this, `begun`
    when it ended in the middle of its answer.
    """
    text = stderr.lower()
    if lost:
        problem, remedy = "the connection was lost", "The machine may have been rebooted: try again."
    elif "sudo:" in text and ("password is required" in text or "sudoers" in text):
        problem = f"user {target.user} may not run docker as root without a password"
        remedy = f"As root on the machine, run `{passwordless(target.user)}`"
    elif missing := _NOT_FOUND.search(stderr):
        problem = f"{missing[1]} is not installed"
        remedy = "Give the host the role docker and run `clusterlab provision`, or install docker.io manually."
    elif "permission denied" in text:
        problem = f"user {target.user} may not use the engine"
        remedy = "Set `ssh: {become: true}` in the inventory, or add the user to the group docker and log in again."
    elif "cannot connect" in text or "connection refused" in text or target.engine.lower() in text:
        problem = "the Docker engine is not running"
        remedy = "Start it: systemctl start docker; journalctl -u docker says why it stopped."
    elif begun:
        problem = "the Docker engine ended in the middle of its answer"
        remedy = "See `systemctl status docker` and `journalctl -u docker` there, then run the same command again."
    else:
        problem = "the connection to the engine ended without an answer"
        remedy = "Try manually on the host: docker version"
    kind = Unanswered if stale else NoAnswer
    error = kind(target.name, f"{problem} (asked `{asked}`)", remedy=remedy, detail=stderr)
    error.why, error.lost = problem, lost
    return error
