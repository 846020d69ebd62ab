"""Paths below the root directory of a process: its absolute symbolic links lead to its own files, not to the host's."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from clusterlab.checks.inside import INSIDE, path_inside
from clusterlab.checks.kinds import KINDS
from clusterlab.checks.kinds.shared_file import APPEND
from clusterlab.checks.manual.where import Where
from clusterlab.checks.place import NotUnderstood, Place
from clusterlab.checks.places import Places
from clusterlab.model import load_lab
from clusterlab.model.playbook import Network, Play
from clusterlab.remote import Hosts
from clusterlab.remote.completed import Completed
from tests.support.labs import namespaces_lab


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root directory whose links name files that the host has at the same paths, below the same folder."""
    root = tmp_path / "root"
    for folder in ("run/deep", "var", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "var/run").symlink_to("/run")
    (root / "run/up").symlink_to("../etc")
    (root / "run/absolute").symlink_to("/var/run/deep")
    (root / "run/out").symlink_to("../../../../../../etc")
    (root / "run/ends in a line\n").symlink_to("/etc")
    (root / "run/loop").symlink_to("/run/loop")
    (root / "run/socket").write_text("its own")
    return root


def walked(root: Path, path: str, *command: str) -> str:
    ended = subprocess.run(
        ["sh", "-c", f'{INSIDE} "$@"', "sh", root, path, *(command or ("printf", "%s"))],
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/run/socket", "/run/socket"),
        ("/var/run/socket", "/run/socket"),
        ("/var/run", "/run"),
        ("/var/run/", "/run"),
        ("//var/./run//absolute/file", "/run/deep/file"),
        ("/var/run/up/passwd", "/etc/passwd"),
        ("/var/run/out/passwd", "/etc/passwd"),
        ("/var/run/../../../etc", "/etc"),
        ("/var/run/ends in a line\n/x", "/etc/x"),
        ("/var/run/missing/file", "/run/missing/file"),
        ("/var/run/a b*'\"$x", "/run/a b*'\"$x"),
        ("/", "/"),
        ("/..", "/"),
    ],
)
def test_links_are_followed_as_the_process_does(root: Path, path: str, expected: str) -> None:
    assert walked(root, path) == f"{root}{expected}"


def test_a_command_gets_the_path(root: Path) -> None:
    assert walked(root, "/var/run/socket", "cat") == "its own"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, root: Path) -> Places:
    """Commands for host1 run on this machine, for a process with that root directory."""

    def run(place: Place, argv: Sequence[str], *, timeout: float = 60.0) -> Completed:
        argv = [word.replace("/proc/47/root", str(root)) for word in argv]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=timeout)
        return Completed(place.host, "", ended.returncode, ended.stdout, ended.stderr, 0.0)

    places = Places(namespaces_lab("roots", "10.75.0.0/24"), Play(title="none", networks={"net": Network()}), Hosts({}))
    monkeypatch.setattr(places, "run", run)
    return places


def test_links_that_lead_nowhere_are_no_path(root: Path, here: Places) -> None:
    assert path_inside("host1", "47", "/var/run/socket", here) == f"{root}/run/socket"
    with pytest.raises(NotUnderstood, match=r"/run/loop of process 47 on host1 cannot be resolved: too many symbolic"):
        path_inside("host1", "47", "/run/loop", here)


def test_a_ca_of_a_container_is_looked_up_before_it_is_typed() -> None:
    manual = Path(__file__).parent.parent / "manual"
    lab = load_lab(manual / "inventory.yml", ["networks"], manual / "plays")
    probe = KINDS["tls"].model.model_validate({"in": "left", "to": "10.9.8.7", "name": "web", "ca": "/var/run/ca.pem"})
    *asked, line = KINDS["tls"].manual(probe, Where(lab, "networks", {}))
    assert [one.sets for one in asked] == ["process_of_left", "CA_var_run_ca_pem_of_left"]
    assert asked[-1].command.endswith("""' sh /proc/"$process_of_left"/root /var/run/ca.pem printf '%s\\n'""")
    assert line.command.count('-CAfile "$CA_var_run_ca_pem_of_left"') == 1
    assert "/root/var" not in line.proof


def test_lines_are_appended_to_a_file_and_never_create_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    argv = ["sh", "-c", APPEND, "sh", str(file), "one", "2"]
    refused = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, f"{file} is not a file\n")
    assert not list(tmp_path.iterdir())
    victim = tmp_path / "victim"
    victim.touch()
    file.symlink_to(victim)
    assert subprocess.run(argv, capture_output=True, check=False).returncode == 1
    assert victim.read_text() == ""
    file.unlink()
    file.touch()
    subprocess.run(argv, check=True)
    assert file.read_text() == "one 1\none 2\n"
