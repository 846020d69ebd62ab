"""Users who are not root: sudo on a real machine, and who may use its engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from clusterlab.errors import DeadlineExceeded, HostError
from clusterlab.remote import Hosts, Target
from clusterlab.remote.sudo import passwordless

if TYPE_CHECKING:
    from tests.support.labs import EngineLab

pytestmark = pytest.mark.engine


USER = "clusterlab-test"


@pytest.fixture(scope="module")
def user(engine_lab: EngineLab) -> Iterator[Target]:
    """A user on gw who is not root, and whom sudo asks for a password."""
    root = engine_lab.machines.targets()["gw"]
    with Hosts({"gw": root}) as hosts:
        gw = hosts["gw"]
        gw.run(f"useradd -m -s /bin/bash {USER}; cp -r /root/.ssh ~{USER}/; chown -R {USER}: ~{USER}/.ssh", check=True)
        gw.write(f"/etc/sudoers.d/{USER}", f"{USER} ALL=(ALL) ALL\n".encode(), mode=0o440)
        try:
            yield replace(root, user=USER, become=True)
        finally:
            gw.run(f"rm -f /etc/sudoers.d/{USER}; userdel -rf {USER}")


def test_sudo_that_asks_for_a_password(user: Target) -> None:
    with Hosts({"gw": user}) as hosts:
        with pytest.raises(HostError, match=f"user {USER} may not run commands as root without a password") as raised:
            hosts["gw"].run("true")
        assert passwordless(USER) in raised.value.remedy
        with pytest.raises(HostError, match=f"user {USER} may not run docker as root") as raised:
            hosts["gw"].docker.info()
        assert passwordless(USER) in raised.value.remedy


def test_the_remedy_for_sudo_works_and_a_wrong_rule_never_takes_effect(user: Target, fresh: Hosts) -> None:
    file = f"/etc/sudoers.d/zz-clusterlab-{USER}"
    try:
        fresh["gw"].run(passwordless(USER), check=True)
        assert fresh["gw"].run(f"stat -c %a {file}").stdout == "440\n"
        with Hosts({"gw": user}) as hosts:
            assert hosts["gw"].run("id -un").stdout == "root\n"
        wrong = passwordless(USER).replace("NOPASSWD: ALL", "NOPASSWD:").replace(file, f"{file}-wrong")
        assert "syntax error" in fresh["gw"].run(wrong, stdin="").output
        assert fresh["gw"].run(f"test -s {file}-wrong").exit == 1
        assert fresh["gw"].run("visudo -c").ok
    finally:
        fresh["gw"].run(f"rm -f {file} {file}-wrong")


def test_a_user_with_a_dot_gets_a_file_that_sudoers_reads() -> None:
    assert "/etc/sudoers.d/zz-clusterlab-john_doe " in passwordless("john.doe")


def test_without_become(user: Target) -> None:
    with Hosts({"gw": replace(user, become=False)}) as hosts:
        assert hosts["gw"].run("id -un").stdout == f"{USER}\n"


@pytest.fixture
def sudoer(user: Target, fresh: Hosts) -> Iterator[Target]:
    file = f"/etc/sudoers.d/{USER}"
    fresh["gw"].write(file, f"{USER} ALL=(ALL) NOPASSWD: ALL\n".encode(), mode=0o440)
    yield user
    fresh["gw"].write(file, f"{USER} ALL=(ALL) ALL\n".encode(), mode=0o440)


def test_become(sudoer: Target) -> None:
    with Hosts({"gw": sudoer}) as hosts:
        gw = hosts["gw"]
        assert gw.run("id -un").stdout == "root\n"
        assert gw.run(["printf", "[%s]", "a b", "$HOME"]).stdout == "[a b][$HOME]"
        assert gw.run("cat", stdin="secret").stdout == "secret"
        assert gw.run("kill -TERM $$").exit == 128 + 15
        gw.write("/etc/clusterlab-test", b"by root", mode=0o600)
        assert gw.run("stat -c %U:%a /etc/clusterlab-test").stdout == "root:600\n"
        gw.run("rm /etc/clusterlab-test", check=True)


def test_deadline_with_become(sudoer: Target) -> None:
    """What runs as root is killed too, which a signal from the user could not do."""
    with Hosts({"gw": sudoer}) as hosts:
        with pytest.raises(DeadlineExceeded):
            hosts["gw"].run("sleep 7655 & sleep 7655", timeout=1)
        assert hosts["gw"].run("pgrep -f '^sleep 7655'").exit == 1


def test_user_who_may_not_use_the_engine(engine_lab: EngineLab, fresh: Hosts) -> None:
    host = fresh["host1"]
    host.run(f"useradd -m {USER}; cp -r /root/.ssh ~{USER}/; chown -R {USER}: ~{USER}/.ssh", check=True)
    try:
        with Hosts({"host1": replace(engine_lab.machines.targets()["host1"], user=USER)}) as hosts:
            with pytest.raises(HostError, match=f"user {USER} may not use the engine") as raised:
                hosts["host1"].docker.info()
            assert "become" in raised.value.remedy
    finally:
        host.run(f"userdel -rf {USER}")


def test_whoever_may_not_open_the_socket_dials_as_root(engine_lab: EngineLab, fresh: Hosts) -> None:
    host = fresh["host1"]
    host.run(f"useradd -m {USER}; cp -r /root/.ssh ~{USER}/; chown -R {USER}: ~{USER}/.ssh", check=True)
    host.write(f"/etc/sudoers.d/{USER}", f"{USER} ALL=(ALL) NOPASSWD: ALL\n".encode(), mode=0o440)
    target = replace(engine_lab.machines.targets()["host1"], user=USER, become=True)
    try:
        with Hosts({"host1": target}) as hosts:
            assert hosts["host1"].docker.info()["Name"] == "host1"
            assert hosts["host1"].counts == {"connections": 1, "dials": 1, "requests": 1}
        host.run(f"usermod -aG docker {USER}", check=True)
        with Hosts({"host1": target}) as hosts:
            assert hosts["host1"].docker.info()["Name"] == "host1"
            assert hosts["host1"].counts == {"connections": 1, "streams": 1, "requests": 1}
    finally:
        host.run(f"rm -f /etc/sudoers.d/{USER}; userdel -rf {USER}")


def test_sudo_missing(sudoer: Target, fresh: Hosts) -> None:
    fresh["gw"].run("mv /usr/bin/sudo /usr/bin/sudo.away", check=True)
    try:
        with Hosts({"gw": sudoer}) as hosts:
            with pytest.raises(HostError, match="sudo is not installed"):
                hosts["gw"].run("true")
            with pytest.raises(HostError, match="sudo is not installed"):
                hosts["gw"].docker.info()
    finally:
        fresh["gw"].run("mv /usr/bin/sudo.away /usr/bin/sudo", check=True)
