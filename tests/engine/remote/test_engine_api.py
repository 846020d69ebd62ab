"""The Docker SDK through the SSH connection, with a real engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Timer
from typing import TYPE_CHECKING, Any

import docker
import pytest

from clusterlab.checks.facts import observe
from clusterlab.errors import DeadlineExceeded, HostError
from clusterlab.remote import Host, Hosts, Target
from clusterlab.remote.channels import MAX_CHANNELS
from clusterlab.remote.docker_channel import _Adapter
from clusterlab.remote.host import QUESTION_SECONDS
from tests.support.engine_container import CONTAINER, IMAGE, host_with_container

if TYPE_CHECKING:
    from tests.support.labs import EngineLab

pytestmark = pytest.mark.engine

_SSHD_LOG = "/run/sshd-2222.log"


@pytest.fixture(scope="module")
def host(engine_lab: EngineLab) -> Iterator[Host]:
    with host_with_container(engine_lab) as host:
        yield host


@pytest.fixture(scope="module")
def no_forwarding(engine_lab: EngineLab) -> Iterator[Target]:
    """host1 through a second sshd that forwards no Unix sockets; the first one is its jump host."""
    jump = engine_lab.machines.targets()["host1"]
    address = str(engine_lab.lab.inventory.hosts["host1"].address)
    options = "-p 2222 -o AllowStreamLocalForwarding=no -o LogLevel=VERBOSE"
    host = engine_lab.hosts["host1"]
    host.run(f"/usr/sbin/sshd {options} -o PidFile=/run/sshd-2222.pid -E {_SSHD_LOG}", check=True)
    yield replace(jump, address=address, port=2222, jump=jump)
    host.run("kill $(cat /run/sshd-2222.pid)", check=True)


@pytest.fixture
def dialled(no_forwarding: Target) -> Iterator[Host]:
    with Hosts({"host1": no_forwarding}) as hosts:
        yield hosts["host1"]


def dial_processes(host: Host) -> int:
    return int(host.run("pgrep -fc '^docker.*dial-stdio'").stdout)


def test_one_stream_serves_many_requests_without_a_process(fresh: Hosts) -> None:
    host = fresh["host1"]
    for _ in range(5):
        host.docker.containers(all=True)
    assert host.counts == {"connections": 1, "streams": 1, "requests": 5}
    assert dial_processes(host) == 0


def test_one_dial_serves_many_requests_where_sshd_forwards_nothing(dialled: Host) -> None:
    for _ in range(5):
        dialled.docker.containers(all=True)
    assert dialled.counts == {"connections": 1, "dials": 1, "requests": 5}
    assert dial_processes(dialled) == 1


def test_how_the_engine_is_reached_is_chosen_once(dialled: Host, engine_lab: EngineLab) -> None:
    """Refused before the engine has answered, and once again: an engine that only started late is not dialled on."""
    host = engine_lab.hosts["host1"]
    refused = f"grep -c 'refused streamlocal port forward' {_SSHD_LOG}"
    before = int(host.run(refused).stdout)
    for dials in range(1, 5):
        dialled.docker.containers()
        assert dialled.counts["dials"] == dials
        host.run("pkill -f '^docker.*dial-stdio'", check=True)
        _until(lambda: dial_processes(host) == 0)
    assert int(host.run(refused).stdout) - before == 2


@pytest.mark.parametrize("kind", ["fresh", "dialled"])
def test_questions_are_answered_while_all_other_channels_are_held(kind: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(kind)
    host: Host = found if kind == "dialled" else found["host1"]
    host.docker.ping()
    began = Barrier(MAX_CHANNELS)

    def hold() -> None:
        with host._channels.channel(5.0):
            began.wait()
            time.sleep(2.0)

    with ThreadPoolExecutor(MAX_CHANNELS) as pool:
        held = [pool.submit(hold) for _ in range(MAX_CHANNELS - 1)]  # the ping's has the last one
        began.wait()
        for _ in range(2):
            with host.questions() as api:
                assert api.info()["ServerVersion"]
            assert host.run("true", spare=True).ok
        assert not any(one.done() for one in held)


def test_what_keeps_silent_fails_a_question_in_its_time(fresh: Hosts, host: Host) -> None:
    asked = fresh["host1"]
    host.run("kill -STOP $(pidof dockerd)", check=True)
    began = time.monotonic()
    try:
        found = observe(asked, frozenset({"docker", "swarm_manager"}))
    finally:
        host.run("kill -CONT $(pidof dockerd)", check=True)
    assert (found.engine_silent, found.engine_down) == (True, "the Docker engine does not answer within 12 s")
    assert QUESTION_SECONDS <= time.monotonic() - began < 2 * QUESTION_SECONDS
    found = observe(asked, frozenset({"docker"}))
    assert (found.answers, found.complete, found.containers[CONTAINER].split()[0]) == (True, True, "Up")


def test_an_engine_that_was_started_late_is_not_dialled_for_ever(fresh: Hosts, host: Host) -> None:
    asked = fresh["host1"]
    host.run("systemctl stop docker", check=True)
    try:
        with pytest.raises(HostError, match="the Docker engine is not running"):
            asked.docker.info()
    finally:
        host.run("systemctl start docker", check=True)
    asked.docker.start(CONTAINER)
    assert (asked.counts["dials"], asked.counts["streams"]) == (1, 1)


def test_an_engine_that_restarts_between_requests(fresh: Hosts, host: Host) -> None:
    asked = fresh["host1"]
    asked.docker.info()
    host.run("systemctl restart docker", check=True)
    asked.docker.start(CONTAINER)
    assert asked.counts == {"connections": 1, "streams": 2, "requests": 2}


def test_the_socket_is_the_targets(engine_lab: EngineLab) -> None:
    target = engine_lab.machines.targets()["host1"]
    engine_lab.hosts["host1"].run("ln -sf docker.sock /run/other.sock", check=True)
    with Hosts({"host1": replace(target, engine="/run/other.sock")}) as hosts:
        hosts["host1"].docker.info()
        assert hosts["host1"].counts == {"connections": 1, "streams": 1, "requests": 1}
    missing = replace(target, engine="/run/no.sock")
    with Hosts({"host1": missing}) as hosts, pytest.raises(HostError, match="the Docker engine is not running"):
        hosts["host1"].docker.info()


def test_an_engine_older_than_the_sdk_is_asked_in_its_own_version(
    fresh: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterlab.remote.docker_channel.DEFAULT_DOCKER_API_VERSION", "1.99")
    host = fresh["host1"]
    assert host.docker.info()["ServerVersion"]
    assert host.counts["requests"] == 2  # the one that was refused, and again
    assert host.docker.api_version != "1.99"
    assert host.docker.info()["ServerVersion"]
    assert host.counts["requests"] == 3


def test_two_first_requests_to_an_older_engine_at_once(fresh: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are refused in the newer version; the second finds the client's version lowered already, and is not lost."""
    monkeypatch.setattr("clusterlab.remote.docker_channel.DEFAULT_DOCKER_API_VERSION", "1.99")
    refused = Barrier(2, timeout=30)
    send = _Adapter._send

    def send_together(adapter: _Adapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        answer = send(adapter, request, *args, **kwargs)
        if answer.status_code == 400:
            refused.wait()
        return answer

    monkeypatch.setattr(_Adapter, "_send", send_together)
    docker_api = fresh["host1"].docker
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(docker_api.info), pool.submit(docker_api.containers)]
        assert asked[0].result(timeout=60)["Name"] == "host1"
        assert isinstance(asked[1].result(timeout=60), list)


def test_many_threads(host: Host) -> None:
    def ask(number: int) -> str:
        host.run("true", check=True)
        return host.exec(CONTAINER, ["echo", str(number)]).stdout

    before = host.counts["connections"]
    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(64))) == [f"{number}\n" for number in range(64)]
    assert time.monotonic() - began < 40  # nobody waits for a channel that lies idle
    assert host.counts["connections"] == before


def test_dials_end_with_the_connection(dialled: Host, host: Host) -> None:
    dialled.docker.info()
    assert dial_processes(host) == 1
    dialled.close()
    _until(lambda: dial_processes(host) == 0)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_streams_of_the_sdk_itself(host: Host) -> None:
    """exec_start reads the raw channel: nothing of the beginning may be lost in a buffer."""
    for _ in range(5):
        made = host.docker.exec_create(CONTAINER, ["sh", "-c", "echo a; echo b"])
        assert host.docker.exec_start(made["Id"]) == b"a\nb\n"
    made = host.docker.exec_create(CONTAINER, ["sh", "-c", "echo a; sleep 1; echo b"])
    assert b"".join(host.docker.exec_start(made["Id"], stream=True)) == b"a\nb\n"


def test_refusals_of_the_engine_are_the_sdks(host: Host) -> None:
    with pytest.raises(docker.errors.NotFound):
        host.docker.inspect_container("nowhere")


def test_hung_engine(fresh: Hosts) -> None:
    host = fresh["host1"]
    host.docker.timeout = 2
    pid = host.run(["cat", "/var/run/docker.pid"], check=True).stdout.strip()
    host.run(["kill", "-STOP", pid], check=True)
    try:
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"did not answer `GET /v[0-9.]+/containers/json` within 2 s"):
            host.docker.containers()
        assert time.monotonic() - began < 5
    finally:
        host.run(["kill", "-CONT", pid], check=True)
    assert isinstance(host.docker.containers(), list)


def test_no_engine(fresh: Hosts) -> None:
    with pytest.raises(HostError, match="gw: the Docker engine is not running") as raised:
        fresh["gw"].docker.info()
    assert "systemctl start docker" in raised.value.remedy


def test_docker_not_installed(fresh: Hosts) -> None:
    gw = fresh["gw"]
    docker_file = gw.run("command -v docker", check=True).stdout.strip()
    gw.run(["mv", docker_file, f"{docker_file}.away"], check=True)
    try:
        with pytest.raises(HostError, match="docker is not installed"):
            gw.docker.info()
    finally:
        gw.run(["mv", f"{docker_file}.away", docker_file], check=True)


def test_connection_lost_between_requests(fresh: Hosts) -> None:
    host = fresh["host1"]
    host.docker.info()
    _cut(host)
    assert host.docker.info()["Name"]
    assert host.counts["connections"] == 2


def test_connection_lost_in_a_stream(fresh: Hosts, host: Host) -> None:
    lost = fresh["host1"]
    made = lost.docker.exec_create(CONTAINER, ["sh", "-c", "echo a; sleep 20"])
    stream = lost.docker.exec_start(made["Id"], stream=True)
    assert next(stream) == b"a\n"
    _cut(lost)
    with pytest.raises(HostError, match="connection was lost"):
        next(stream)


def test_engine_ends_in_a_stream(fresh: Hosts) -> None:
    """An answer that is cut off is an error of the engine's, not an end of the events."""
    host = fresh["host1"]
    events = host.docker.events(decode=True)
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(list, events)
        host.docker.create_container(IMAGE, ["true"], name="clusterlab-event")
        host.docker.remove_container("clusterlab-event")
        host.run("systemctl stop docker", check=True)
        try:
            with pytest.raises(HostError, match=r"asked `GET .*/events`"):
                seen.result(timeout=30)
        finally:
            host.run("systemctl start docker", check=True)
    host.docker.start(CONTAINER)


def test_an_engine_that_is_killed_in_the_middle_of_an_answer(fresh: Hosts, host: Host) -> None:
    """It is one host's error, whatever the HTTP client makes of half a body; the other hosts' answers are kept."""
    host.exec(CONTAINER, ["sh", "-c", "head -c 60000000 /dev/zero > /big"], timeout=60)

    def ask(one: Host) -> int:
        if one.name != "host1":
            return len(one.docker.images())
        parts = one.docker.export(CONTAINER)
        size = len(next(parts))
        host.run("kill -9 $(cat /run/clusterlab/docker.pid)", check=True)
        return size + sum(len(part) for part in parts)

    try:
        answers = fresh.each(["host1", "host2"], ask)
        assert answers["host2"] == 0
        assert isinstance(answers["host1"], HostError), answers["host1"]
        assert "host1: the Docker engine ended in the middle of its answer" in answers["host1"].message
        assert "journalctl -u docker" in answers["host1"].remedy
    finally:
        host.run("systemctl start docker", check=True)
        host.docker.restart(CONTAINER, timeout=0)


@pytest.mark.parametrize("question", [True, False])
def test_an_engine_that_went_away_behind_a_channel_that_lies_idle(
    dialled: Host, engine_lab: EngineLab, question: bool
) -> None:
    """The channel's end on the host learns of it late: what is asked through it meanwhile is never answered."""
    host = dialled
    host.docker.info()
    host.run("pkill -STOP -f '^docker.*dial-stdio'", check=True)
    host.run("systemctl stop docker", check=True)
    late = Timer(0.5, lambda: engine_lab.hosts["host1"].run("pkill -CONT -f '^docker.*dial-stdio'", check=True))
    late.start()
    try:
        with pytest.raises(HostError, match="the Docker engine is not running"):
            host.docker.containers() if question else host.docker.create_volume("never")
        late.join()
    finally:
        host.run("systemctl start docker", check=True)
    host.docker.start(CONTAINER)


_KILL_SSHD = """
process=$$
until [ "$(ps -o comm= -p $process | cut -c1-4)" = sshd ]; do process=$(ps -o ppid= -p $process); done
kill -9 $process
sleep 5
"""


def _cut(host: Host) -> None:
    """Kill the process that serves this connection on the machine: the nearest sshd above a command."""
    with pytest.raises(HostError, match="connection was lost"):
        host.run(_KILL_SSHD)
