"""What Vagrant says of reaching its machines, and when a machine is whole."""

from __future__ import annotations

import pytest

from clusterlab.errors import HostError
from clusterlab.machines.vagrant.trust import SshSettings, not_whole, parse_ssh_config

TWO = """\
Host demo-gw
  HostName 192.168.121.218
  User vagrant
  Port 22
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  PasswordAuthentication no
  IdentityFile /home/a user/.vagrant/demo-gw/private_key
  IdentitiesOnly yes
  LogLevel FATAL

Host demo-host1
  HostName 127.0.0.1
  User admin
  Port 2200
  IdentityFile "/home/a user/first"
  IdentityFile "/home/a user/second"

"""


def test_settings() -> None:
    assert parse_ssh_config(TWO) == {
        "demo-gw": SshSettings("192.168.121.218", 22, "vagrant", "/home/a user/.vagrant/demo-gw/private_key"),
        "demo-host1": SshSettings("127.0.0.1", 2200, "admin", "/home/a user/first"),
    }  # fmt: skip


def test_a_libvirt_elsewhere_is_refused() -> None:
    with pytest.raises(HostError, match="its libvirt is on another computer"):
        parse_ssh_config("Host demo-gw\n  HostName 1.2.3.4\n  ProxyCommand ssh -W %h:%p far\n")


def test_what_is_not_said_is_named() -> None:
    with pytest.raises(HostError, match="does not report its Port, IdentityFile"):
        parse_ssh_config("Host demo-gw\n  HostName 1.2.3.4\n  User vagrant\n")


ADDRESSES = """\
1: lo    inet 127.0.0.1/8 scope host lo
2: eth0    inet 192.168.121.218/24 metric 1024 brd 192.168.121.255 scope global dynamic eth0
3: eth1    inet 192.168.98.11/24 brd 192.168.98.255 scope global eth1
"""


@pytest.mark.parametrize(
    ("said", "address", "why"),
    [
        ("host1\n" + ADDRESSES, "192.168.98.11", ""),
        ("host1.example.org\n" + ADDRESSES, "192.168.98.11", ""),
        ("clusterlab\n" + ADDRESSES, "192.168.98.11", "its name is clusterlab, not host1"),
        ("host1\n" + ADDRESSES, "192.168.98.1", "it has no address 192.168.98.1"),
        ("host1\n" + ADDRESSES, "92.168.98.11", "it has no address 92.168.98.11"),
        ("", "192.168.98.11", "its name is unknown, not host1"),
    ],
)
def test_whole(said: str, address: str, why: str) -> None:
    assert not_whole(said, "host1", address) == why
