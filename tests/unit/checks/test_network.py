"""What is typed to run a host's program in a container's network, and when names have to be looked up for it."""

from __future__ import annotations

import shlex

import pytest

from clusterlab.checks.network import is_name, shown


@pytest.mark.parametrize(
    ("target", "name"),
    [("web", True), ("web.lab", True), ("10.0.0.1", False), ("fd00::1", False), ("@right_on_wide@", False)],
)
def test_only_names_are_looked_up(target: str, name: bool) -> None:
    assert is_name(target) is name


def test_without_names_the_hosts_files_stay() -> None:
    assert shlex.join(shown("47", ["ping", "10.0.0.1"], names=False)) == "nsenter --net=/proc/47/ns/net ping 10.0.0.1"


def test_with_names_the_containers_files_take_their_place() -> None:
    typed = shlex.join(shown("47", ["ping", "a b"], names=True))
    assert typed.startswith("nsenter --net=/proc/47/ns/net unshare --mount sh -c 'mount -t tmpfs none /mnt && cp ")
    assert typed.endswith("""exec "$@"' 47 ping 'a b'""")
