from __future__ import annotations

import subprocess
from pathlib import Path

from clusterlab.remote import Target, ssh_argv, ssh_config

GATE = Target("gate", "gate.example.org", user="me", known_hosts=(Path("/k/hosts"),))


def test_text() -> None:
    target = Target(
        "host1",
        "10.0.0.1",
        2222,
        "bob",
        key=Path("/keys/my key"),
        known_hosts=(Path("/k/a"), Path("/k/100%")),
        alias="host1.lab",
        jump=GATE,
    )
    assert ssh_config({"host1": target}) == (
        "Host host1\n"
        "  HostName 10.0.0.1\n"
        "  Port 2222\n"
        "  User bob\n"
        "  StrictHostKeyChecking yes\n"
        "  UserKnownHostsFile /k/a /k/100%%\n"
        "  GlobalKnownHostsFile /dev/null\n"
        "  UpdateHostKeys no\n"
        "  HostKeyAlias host1.lab\n"
        '  IdentityFile "/keys/my key"\n'
        "  IdentitiesOnly yes\n"
        "  ProxyJump host1-jump\n"
        "\n"
        "Host host1-jump\n"
        "  HostName gate.example.org\n"
        "  Port 22\n"
        "  User me\n"
        "  StrictHostKeyChecking yes\n"
        "  UserKnownHostsFile /k/hosts\n"
        "  GlobalKnownHostsFile /dev/null\n"
        "  UpdateHostKeys no\n"
        "  HostKeyAlias gate.example.org\n"
    )


def test_openssh_understands_it(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(ssh_config({"a": GATE, "b": Target("b", "10.0.0.2", 2200)}))
    seen = subprocess.check_output(["ssh", "-F", str(config), "-G", "b"], text=True).splitlines()
    assert {"hostname 10.0.0.2", "port 2200", "user root", "stricthostkeychecking true"} <= set(seen)


def test_a_name_is_never_an_option() -> None:
    argv = ssh_argv(Target("x", "-oProxyCommand=true"), ["-v"])
    assert argv[-3:] == ["--", "-oProxyCommand=true", "-v"]
