"""OpenSSH's own clients, with what clusterlab writes for them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from clusterlab.remote import Target, ssh_argv, ssh_config
from tests.support.sshd import Sshd, server

pytestmark = pytest.mark.engine


def ssh(target: Target, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    argv = ssh_argv(target, command)
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=30, check=False)


def test_streams_and_exit_code_pass_through(sshd: Sshd) -> None:
    done = ssh(sshd.target(), "cat; echo err >&2; exit 7", stdin="in")
    assert (done.returncode, done.stdout, done.stderr) == (7, "in", "err\n")


def test_several_words_arrive_as_they_are(sshd: Sshd) -> None:
    assert ssh(sshd.target(), "printf", "[%s]", "a b", "$HOME", "it's").stdout == "[a b][$HOME][it's]"


def test_host_key_is_checked(sshd: Sshd, tmp_path: Path) -> None:
    done = ssh(sshd.target(known_hosts=(tmp_path / "none",)), "true")
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_alias(sshd: Sshd) -> None:
    target = sshd.target(known_hosts=(sshd.known_hosts(name="host1.mylab"),), alias="host1.mylab")
    assert ssh(target, "echo here").stdout == "here\n"


def test_two_jump_hosts(tmp_path: Path, sshd: Sshd) -> None:
    """Paths with spaces and percent signs, too: these are expanded once more for every jump."""
    odd = tmp_path / "odd 100%h %p"
    odd.mkdir()
    with server(tmp_path / "first") as first, server(tmp_path / "second") as second:
        shutil.copy(first.user_key, odd / "key")
        outer = first.target("outer", key=odd / "key", known_hosts=(first.known_hosts().rename(odd / "known"),))
        inner = second.target("inner", jump=outer)
        target = sshd.target(jump=inner)
        assert ssh(target, "echo here; exit 3").stdout == "here\n"
        assert (first.folder / "log").read_text().count("Accepted publickey") == 1
        assert (second.folder / "log").read_text().count("Accepted publickey") == 1
        assert _by_config(tmp_path, {"host1": target}, "ssh", "host1", "echo there") == "there\n"


def test_scp(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "from").write_text("content")
    _by_config(tmp_path, {"host1": sshd.target()}, "scp", "-q", str(tmp_path / "from"), f"host1:{tmp_path}/to")
    assert (tmp_path / "to").read_text() == "content"


def test_several_hosts(tmp_path: Path, sshd: Sshd) -> None:
    with server(tmp_path / "other") as other:
        targets = {"host1": sshd.target("host1"), "host2": other.target("host2")}
        for name, running in (("host1", sshd), ("host2", other)):
            assert _by_config(tmp_path, targets, "ssh", name, "echo $SSH_CONNECTION").split()[3] == str(running.port)


def _by_config(folder: Path, targets: dict[str, Target], program: str, *arguments: str) -> str:
    config = folder / "ssh_config"
    config.write_text(ssh_config(targets))
    return subprocess.run(
        [program, "-F", str(config), *arguments], capture_output=True, text=True, timeout=30, check=True
    ).stdout
