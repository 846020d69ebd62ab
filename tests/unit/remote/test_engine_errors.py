from __future__ import annotations

from pathlib import Path

import docker.errors
import paramiko
import pytest
import requests
import urllib3.exceptions

from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError
from clusterlab.remote.connection import Connections
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.remote.host import Host
from clusterlab.remote.target import Target

HOST = Host(Target(name="host1", address="192.0.2.1", port=22, user="root"), Connections())


def mapped(error: BaseException) -> ClusterlabError:
    with pytest.raises(ClusterlabError) as caught, engine_errors(HOST, "list the networks", hangs="a dead mount?"):
        raise error
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ChunkedEncodingError("Connection broken: IncompleteRead(1024 bytes read)"),
        requests.exceptions.ConnectionError("aborted"),
        requests.exceptions.JSONDecodeError("Expecting value", "", 0),
        urllib3.exceptions.ProtocolError("Connection broken"),
        docker.errors.StreamParseError("half a line"),
        docker.errors.DockerException("version"),
        paramiko.SSHException("channel closed"),
        EOFError(),
        ConnectionResetError(104, "reset"),
        OSError("Socket is closed"),
    ],
)
def test_an_engine_that_ends_in_the_middle_of_an_answer_is_an_error_of_its_host(error: Exception) -> None:
    found = mapped(error)
    assert isinstance(found, HostError)
    assert found.message.startswith("host1: cannot list the networks: the Docker engine, or the connection")
    assert "journalctl -u docker" in found.remedy
    assert found.detail


@pytest.mark.parametrize("error", [requests.exceptions.ReadTimeout(), TimeoutError()])
def test_silence_is_a_deadline_with_its_usual_cause(error: Exception) -> None:
    found = mapped(error)
    assert isinstance(found, DeadlineExceeded)
    assert found.message == ("host1: cannot list the networks: the Docker engine did not answer in time; a dead mount?")


def test_a_refusal_says_what_it_means() -> None:
    found = mapped(docker.errors.APIError("500", explanation="write /x: no space left on device"))
    assert found.message == "host1: cannot list the networks: its disk is full"


def test_errors_of_ours_and_of_local_files_pass() -> None:
    ours = HostError("host2", "no")
    assert mapped(ours) is ours
    with pytest.raises(FileNotFoundError), engine_errors(HOST, "load an image"):
        Path("/does/not/exist").read_bytes()
