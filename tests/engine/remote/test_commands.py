"""Commands on a host: their streams, their ends, and what remains of them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clusterlab.errors import DeadlineExceeded, HostError
from clusterlab.remote import Host, Hosts, Target
from tests.support.sshd import Sshd, free_port, server

pytestmark = pytest.mark.engine


def test_streams_and_exit_code(host: Host) -> None:
    done = host.run("echo out; echo err >&2; exit 3")
    assert (done.exit, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert (done.place, done.command) == ("host1", "echo out; echo err >&2; exit 3")


def test_a_list_arrives_as_it_is(host: Host) -> None:
    words = ["a b", "$HOME", "it's", 'say "x"', "*", "", "back\\slash", "two\nlines"]
    assert host.run(["printf", "[%s]", *words]).stdout == "".join(f"[{word}]" for word in words)


def test_not_found(host: Host) -> None:
    assert host.run(["no-such-command"]).exit == 127
    assert host.run("no-such-command").exit == 127


def test_signal_becomes_an_exit_code(host: Host) -> None:
    assert host.run("kill -TERM $$").exit == 128 + 15


def test_bytes_that_are_no_text(host: Host) -> None:
    assert host.run("printf 'a\\377b'").stdout == "a\N{REPLACEMENT CHARACTER}b"


def test_check(host: Host) -> None:
    with pytest.raises(HostError, match="`false` ended with exit code 1"):
        host.run("false", check=True)


def test_much_in_and_out(host: Host) -> None:
    """Both directions at once, more than any buffer between holds."""
    text = "0123456789abcdef" * 400_000
    assert host.run(["cat"], stdin=text).stdout == text


def test_stdin_that_nobody_reads(host: Host) -> None:
    assert host.run("exit 4", stdin="x" * 10_000_000).exit == 4


def test_endless_output_is_an_error(host: Host) -> None:
    with pytest.raises(HostError, match="printed more than 64 MiB"):
        host.run(["cat", "/dev/zero"])
    assert host.run("true").ok


def test_deadline_leaves_nothing(host: Host, tmp_path: Path) -> None:
    script = f"sleep 100 & echo $! > {tmp_path}/a; echo $$ > {tmp_path}/b; echo so far; sleep 100"
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="did not end within 1 s") as raised:
        host.run(script, timeout=1)
    assert time.monotonic() - began < 5
    assert "so far" in raised.value.detail
    _wait_until_gone(tmp_path / "a")
    _wait_until_gone(tmp_path / "b")
    assert host.counts["connections"] == 1


def test_deadline_of_a_command_that_ignores_sigterm(host: Host, tmp_path: Path) -> None:
    with pytest.raises(DeadlineExceeded):
        host.run(f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 1; done", timeout=1)
    _wait_until_gone(tmp_path / "pid")


def test_deadline_with_a_child_that_ignores_sigterm(host: Host, tmp_path: Path) -> None:
    with pytest.raises(DeadlineExceeded):
        host.run(f"(trap '' TERM; sleep 100 & echo $! > {tmp_path}/pid; wait) & sleep 100", timeout=1)
    _wait_until_gone(tmp_path / "pid")


def test_deadline_spares_a_daemon(host: Host, tmp_path: Path) -> None:
    """What has left the command's session, as a service does, is not the command's any more."""
    with pytest.raises(DeadlineExceeded):
        host.run(f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 30' & sleep 100", timeout=1)
    assert _alive(tmp_path / "pid")
    host.run(["kill", (tmp_path / "pid").read_text().strip()], check=True)


def test_exit_124_in_time_is_no_deadline(host: Host) -> None:
    assert host.run("exit 124").exit == 124


def test_what_stays_in_the_background_does_not_hold_up(host: Host, tmp_path: Path) -> None:
    began = time.monotonic()
    done = host.run(f"sleep 30 & echo $! > {tmp_path}/pid; echo started")
    assert (done.exit, done.stdout) == (0, "started\n")
    assert time.monotonic() - began < 10
    assert _alive(tmp_path / "pid")
    host.run(["kill", (tmp_path / "pid").read_text().strip()], check=True)


def test_connection_lost_in_a_command(sshd: Sshd, host: Host) -> None:
    assert host.run("true").ok
    cut = threading.Timer(0.5, sshd.cut)
    cut.start()
    with pytest.raises(HostError, match="connection was lost while `sleep 20`"):
        host.run("sleep 20")
    cut.join()
    assert host.run("echo again").stdout == "again\n"
    assert host.counts["connections"] == 2


def test_connection_lost_between_commands(sshd: Sshd, host: Host) -> None:
    assert host.run("true").ok
    sshd.cut()
    assert host.run("echo again").stdout == "again\n"
    assert host.counts == {"connections": 2, "commands": 2}


def test_server_gone_for_good(sshd: Sshd, host: Host) -> None:
    assert host.run("true").ok
    sshd.stop()
    with pytest.raises(HostError, match="refuses connections"):
        host.run("true")


def test_never_more_than_eight_channels(tmp_path: Path) -> None:
    """The server would refuse the ninth; twenty commands at once share the eight."""
    with server(tmp_path / "sshd", options="MaxSessions 8\n") as sshd, Hosts({"host1": sshd.target()}) as hosts:
        host = hosts["host1"]
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda number: host.run(f"sleep 0.2; echo {number}").stdout, range(20)))
        assert answers == [f"{number}\n" for number in range(20)]
        assert host.counts == {"connections": 1, "commands": 20}


def test_server_that_refuses_sessions(tmp_path: Path) -> None:
    with server(tmp_path / "sshd", options="MaxSessions 0\n") as sshd, Hosts({"host1": sshd.target()}) as hosts:
        with pytest.raises(HostError, match="its sshd refuses another session") as raised:
            hosts["host1"].run("true")
        assert "MaxSessions" in raised.value.remedy


def test_write_and_read(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "a file's name"
    content = bytes(range(256)) * 1000
    host.write(str(path), content, mode=0o640)
    assert path.read_bytes() == host.read(str(path)) == content
    assert path.stat().st_mode & 0o7777 == 0o640
    host.write(str(path), b"")
    assert path.read_bytes() == b""
    assert path.stat().st_mode & 0o7777 == 0o644
    assert list(tmp_path.glob("a file*")) == [path]


def test_write_where_it_cannot(host: Host, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="could not be written"):
        host.write(str(tmp_path / "none" / "file"), b"x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(HostError, match="could not be written"):
        host.write(str(tmp_path / "folder"), b"x")
    assert list((tmp_path / "folder").iterdir()) == []
    with pytest.raises(HostError, match="could not be read"):
        host.read(str(tmp_path / "none"))


def test_one_dead_host_hides_no_other(sshd: Sshd) -> None:
    targets = {name: sshd.target(name) for name in ("a", "b", "d")}
    targets["c"] = Target("c", "127.0.0.1", free_port(), key=sshd.user_key)
    with Hosts(targets, limit=2) as hosts:
        answers = hosts.each(["d", "c", "a", "b"], lambda host: host.run("echo $$", check=True).exit)
    assert list(answers) == ["d", "c", "a", "b"]
    assert isinstance(answers.pop("c"), HostError)
    assert answers == {"d": 0, "a": 0, "b": 0}


def test_each_is_bounded(sshd: Sshd) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def watch(host: Host) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        host.run("sleep 0.1")
        with lock:
            running -= 1

    targets = {f"host{number}": sshd.target(f"host{number}") for number in range(6)}
    with Hosts(targets, limit=3) as hosts:
        hosts.each(targets, watch)
    assert most == 3


def _wait_until_gone(pid_file: Path) -> None:
    """A signal is on its way for a moment."""
    deadline = time.monotonic() + 2
    while _alive(pid_file):
        assert time.monotonic() < deadline, f"{pid_file.name} remains"
        time.sleep(0.02)


def _alive(pid_file: Path) -> bool:
    """Whether the process still runs; one that ended but was not yet waited for does not."""
    status = Path(f"/proc/{pid_file.read_text().strip()}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("become", [False, True])
def test_docker_asks_the_engine_that_the_inventory_names(sshd: Sshd, become: bool) -> None:
    with Hosts({"a": sshd.target("a", engine="/run/other.sock", become=become), "b": sshd.target("b")}) as hosts:
        assert hosts["a"].run('echo "$DOCKER_HOST"', check=True).stdout == "unix:///run/other.sock\n"
        assert hosts["b"].run('echo "$DOCKER_HOST"', check=True).stdout == "\n"
