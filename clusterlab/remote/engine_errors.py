"""The one place that knows what can go wrong with an engine and its connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import docker.errors
import paramiko
import requests
import urllib3.exceptions

from clusterlab.errors import DeadlineExceeded, HostError

from .failure import Remedies, failure

if TYPE_CHECKING:
    from .host import Host

_BROKEN = (
    docker.errors.DockerException,
    docker.errors.StreamParseError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    paramiko.SSHException,
    EOFError,
    OSError,
)
_LATE = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)


@contextmanager
def engine_errors(
    host: Host, doing: str, remedy: str = "", *, hangs: str = "", remedies: Remedies = ()
) -> Iterator[None]:
    """Turn everything that goes wrong with the engine of `host` into our errors.

    `doing` completes "cannot ...".

    Raises HostError when the engine refuses (see `failure` for `remedies` and `remedy`), or when it or the connection
    ends, also in the middle of an answer; DeadlineExceeded when it does not answer in time: `hangs` says what that
    usually means. Errors with a file name are about files of this computer, and pass.
    """
    try:
        yield
    except docker.errors.APIError as error:
        raise failure(host.name, doing, str(error.explanation or error), remedies=remedies, remedy=remedy) from error
    except DeadlineExceeded as late:
        raise DeadlineExceeded(
            f"cannot {doing}: {late.message}" + (f"; {hangs}" if hangs else ""),
            remedy=remedy or late.remedy,
            detail=late.detail,
        ) from late
    except _LATE as late:
        raise DeadlineExceeded(
            f"{host.name}: cannot {doing}: the Docker engine did not answer in time" + (f"; {hangs}" if hangs else ""),
            remedy=remedy or "See what it is doing: journalctl -u docker",
            detail=str(late),
        ) from late
    except _BROKEN as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise HostError(
            host.name,
            f"cannot {doing}: the Docker engine, or the connection to it, ended in the middle of an answer",
            remedy="See `systemctl status docker` and `journalctl -u docker` there, then run the same command again.",
            detail=str(error) or type(error).__name__,
        ) from error
