"""Every way in which a connection may fail: each must say what was wrong and what to do, in bounded time."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from clusterlab.errors import HostError
from clusterlab.remote import Hosts, Target, connection
from tests.support.sshd import Sshd, free_port, make_key, server

pytestmark = pytest.mark.engine


def answer(target: Target) -> str:
    with Hosts({target.name: target}) as hosts:
        return hosts[target.name].run("echo here", check=True).stdout.strip()


def refusal(target: Target, message: str) -> HostError:
    """The error of connecting; its message must match, and it must have a remedy."""
    with pytest.raises(HostError, match=message) as raised:
        answer(target)
    assert raised.value.remedy
    assert raised.value.host
    return raised.value


def test_known_key(sshd: Sshd) -> None:
    assert answer(sshd.target()) == "here"


@pytest.mark.parametrize(
    ("offered", "known"),
    [
        (("ed25519", "ecdsa", "rsa"), ("ecdsa",)),
        (("ed25519", "ecdsa", "rsa"), ("rsa",)),
        (("ed25519", "ecdsa"), ("ecdsa",)),
        (("ecdsa", "ed25519"), ("ed25519",)),
    ],
)
def test_the_known_type_is_asked_for(tmp_path: Path, offered: tuple[str, ...], known: tuple[str, ...]) -> None:
    with server(tmp_path / "sshd", keys=offered) as sshd:
        assert answer(sshd.target(known_hosts=(sshd.known_hosts(*known),))) == "here"


def test_a_known_type_that_the_server_lost_does_not_hide_the_other(tmp_path: Path) -> None:
    """rsa and ecdsa are known, the server has ed25519 and ecdsa: ecdsa must be asked for."""
    with server(tmp_path / "sshd", keys=("ed25519", "ecdsa")) as sshd:
        file = sshd.known_hosts("ecdsa")
        rsa = make_key(tmp_path / "old", "rsa").with_suffix(".pub").read_text()
        file.write_text(f"{sshd.known_name} {rsa}{file.read_text()}")
        assert answer(sshd.target(known_hosts=(file,))) == "here"


def test_alias(sshd: Sshd) -> None:
    file = sshd.known_hosts(name="host1.mylab")
    assert answer(sshd.target(known_hosts=(file,), alias="host1.mylab")) == "here"
    refusal(sshd.target(known_hosts=(file,)), "host key is unknown")


def test_unknown_key(sshd: Sshd, tmp_path: Path) -> None:
    shown = subprocess.check_output(["ssh-keygen", "-lf", f"{sshd.host_keys['ed25519']}.pub"], text=True).split()[1]
    absent = tmp_path / "none" / "known_hosts"
    error = refusal(sshd.target(known_hosts=(absent,), trust_hint="do this"), "host key is unknown: ssh-ed25519")
    assert shown in error.message
    assert str(absent) in error.message
    assert error.remedy == "do this"
    assert not absent.exists()


def test_changed_key(sshd: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    file = tmp_path / "known_hosts"
    file.write_text(f"# a comment\n{sshd.known_name} {other}")
    error = refusal(sshd.target(known_hosts=(file,)), "host key has CHANGED")
    assert f"{file}:2" in error.message
    assert "intercepting" in error.remedy
    assert f"ssh-keygen -R '{sshd.known_name}' -f '{file}'" in error.remedy
    subprocess.run(["ssh-keygen", "-R", sshd.known_name, "-f", str(file)], check=True, capture_output=True)
    refusal(sshd.target(known_hosts=(file,)), "host key is unknown")


def test_only_another_type_is_known(sshd: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other", "ecdsa").with_suffix(".pub").read_text()
    file = tmp_path / "known_hosts"
    file.write_text(f"{sshd.known_name} {other}")
    error = refusal(sshd.target(known_hosts=(file,)), "not the known one")
    assert "ecdsa-sha2-nistp256" in error.message


def test_revoked_key(sshd: Sshd) -> None:
    file = sshd.known_hosts()
    file.write_text(f"{file.read_text()}@revoked * {sshd.host_keys['ed25519'].with_suffix('.pub').read_text()}")
    refusal(sshd.target(known_hosts=(file,)), f"revoked in {file}:2")


def test_wrong_user_key(sshd: Sshd, tmp_path: Path) -> None:
    key = make_key(tmp_path / "stranger")
    error = refusal(sshd.target(key=key), "authentication refused for user root")
    assert str(key) in error.message
    assert "authorized_keys" in error.remedy


def test_no_key_at_all(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    refusal(sshd.target(key=None), "authentication refused for user root.*no key at all")


def test_missing_key_file(sshd: Sshd, tmp_path: Path) -> None:
    refusal(sshd.target(key=tmp_path / "nowhere"), "key file .*nowhere does not exist")


def test_key_file_that_is_none(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear all,\n")
    refusal(sshd.target(key=tmp_path / "letter"), "is not a usable private key")


@contextmanager
def agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    address = str(tmp_path / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", address], stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(address):
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", address)
        yield
    finally:
        process.terminate()
        process.wait()


def test_key_with_passphrase(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never asked for; taken from the agent when that holds it."""
    subprocess.run(["ssh-add", "-h"], capture_output=True, check=False)
    plain = tmp_path / "plain"
    plain.write_bytes(sshd.user_key.read_bytes())
    plain.chmod(0o600)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(sshd.user_key)], check=True, capture_output=True
    )
    error = refusal(sshd.target(), "has a passphrase, and no SSH agent holds this key")
    assert f"ssh-add {sshd.user_key}" in error.remedy
    with agent(monkeypatch, tmp_path):
        refusal(sshd.target(), "has a passphrase")
        subprocess.run(["ssh-add", "-q", str(plain)], check=True, capture_output=True)
        assert answer(sshd.target()) == "here"
        assert answer(sshd.target(key=None)) == "here"


def test_refused(sshd: Sshd) -> None:
    target = sshd.target()
    sshd.stop()
    with socket.socket() as held:  # bound without listening: nothing else can take the port meanwhile
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", sshd.port))
        refusal(target, f"127.0.0.1 port {sshd.port} refuses connections")


def test_unresolvable() -> None:
    refusal(Target("host1", "no-such-host.invalid"), r"the name no-such-host\.invalid cannot be resolved")


def test_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener whose queue is full: the kernel drops further attempts, as a firewall does."""
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        began = time.monotonic()
        refusal(Target("host1", *address), f"port {address[1]} does not answer")
        assert 1.5 < time.monotonic() - began < 6
        for one in waiting:
            one.close()


def test_not_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BANNER_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusal(Target("host1", *listener.getsockname()), "does not speak SSH")


def test_jump(tmp_path: Path) -> None:
    """Two hosts behind one jump host share one connection to it."""
    with server(tmp_path / "jump") as jump, server(tmp_path / "a") as a, server(tmp_path / "b") as b:
        gate = jump.target("gate")
        targets = {"a": a.target("a", jump=gate), "b": b.target("b", jump=gate)}
        with Hosts(targets) as hosts:
            seen = hosts.each(targets, lambda host: host.run("echo $SSH_CONNECTION", check=True).stdout.split()[3])
        assert seen == {"a": str(a.port), "b": str(b.port)}
        log = (jump.folder / "log").read_text()
        assert log.count("Accepted publickey") == 1


def test_jump_host_is_checked_too(tmp_path: Path, sshd: Sshd) -> None:
    with server(tmp_path / "jump") as jump:
        gate = jump.target("gate", known_hosts=(tmp_path / "none",))
        error = refusal(sshd.target(jump=gate), "gate: its host key is unknown")
        assert error.host == "gate"


def test_jump_host_reaches_nothing(tmp_path: Path) -> None:
    with server(tmp_path / "jump") as jump:
        target = Target("host1", "127.0.0.1", free_port(), key=jump.user_key, jump=jump.target("gate"))
        refusal(target, f"the jump host gate cannot reach 127.0.0.1 port {target.port}")


def test_jump_host_forwards_nothing(tmp_path: Path, sshd: Sshd) -> None:
    with server(tmp_path / "jump", options="AllowTcpForwarding no\n") as jump:
        error = refusal(sshd.target(jump=jump.target("gate")), "the jump host gate does not forward")
        assert "AllowTcpForwarding" in error.remedy


def test_key_behind_a_jump_host_changed(tmp_path: Path, sshd: Sshd) -> None:
    with server(tmp_path / "jump") as jump:
        file = tmp_path / "known_hosts"
        file.write_text(f"{sshd.known_name} {make_key(tmp_path / 'other').with_suffix('.pub').read_text()}")
        error = refusal(sshd.target(known_hosts=(file,), jump=jump.target("gate")), "host1: its host key has CHANGED")
        assert re.search(r"known_hosts:1\b", error.message)


def test_nothing_is_read_from_the_home_directory(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Fabric's configuration (which may be code) nor OpenSSH's changes where a target leads."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host *\n  Port 1\n  User nobody\n  ProxyCommand false\n")
    (tmp_path / ".fabric.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert answer(sshd.target()) == "here"
    assert not (tmp_path / "ran").exists()


@contextmanager
def never_finishing(how: str) -> Iterator[int]:
    """A port of the loopback where connecting never comes to an end: no answer at all, or no word after it."""
    with socket.socket() as server_socket, ExitStack() as waiting:
        server_socket.bind(("127.0.0.1", 0))
        server_socket.listen(0)
        port = int(server_socket.getsockname()[1])
        if how == "no answer":  # the queue of those that nobody accepts is full: the next ones get no answer
            for _ in range(8):
                client = waiting.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
        yield port


@pytest.mark.parametrize("how", ["no answer", "no banner"])
def test_closing_gives_up_what_is_still_connecting(how: str) -> None:
    """Ctrl-C does not wait for hosts that hang, and not for one after the other."""
    with never_finishing(how) as port:
        targets = {f"host{number}": Target(f"host{number}", "127.0.0.1", port) for number in range(3)}
        hosts = Hosts(targets)
        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(hosts[name].run, "true") for name in targets for _ in range(2)]
            deadline = time.monotonic() + 10
            while len(hosts._connections._attempts) < 3:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            time.sleep(0.2)  # each is in the middle of it
            began = time.monotonic()
            hosts.close()
            assert time.monotonic() - began < 3
            errors = [one.exception(timeout=5) for one in asked]
        assert time.monotonic() - began < 6
        assert all(isinstance(error, HostError) for error in errors), errors
        assert any("abandoned" in str(error) for error in errors), errors


def test_a_connection_can_be_opened_again_after_it_was_closed_while_connecting(sshd: Sshd) -> None:
    with Hosts({"host1": sshd.target()}) as hosts:
        host = hosts["host1"]
        for _ in range(3):
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(host.run, "echo here")
                host.close()
                assert asked.exception(timeout=10) is None or isinstance(asked.exception(), HostError)
        assert host.run("echo here", check=True).stdout == "here\n"
