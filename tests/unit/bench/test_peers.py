from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusterlab.remote.target import Target
from tests.bench.peers.environment import NotRun, Reach, run
from tests.bench.peers.report import BEGIN, END, Measured, rows, table, write
from tests.bench.peers.rounds import interleaved

MEASURED = [
    Measured(
        "one command on 50 hosts",
        {"clusterlab": [2.0, 3.0, 1.0], "Ansible": [40.0, 30.0, 20.0], "asyncssh": [1.0, 1.0, 1.9]},
    ),
    Measured("another work", {"clusterlab": [1.0], "somebody": [1.5]}),
]


def test_each_peer_is_compared_by_medians() -> None:
    assert rows(MEASURED) == [
        ["one command on 50 hosts", "Ansible", "2.0 (1.0 to 3.0)", "30.0 (20.0 to 40.0)", "15.0", "1.0: met"],
        ["one command on 50 hosts", "asyncssh", "2.0 (1.0 to 3.0)", "1.0 (1.0 to 1.9)", "0.5", "0.8: missed"],
        ["another work", "somebody", "1.0 (1.0 to 1.0)", "1.5 (1.5 to 1.5)", "1.5", "-"],
    ]


def test_the_table_stands_between_the_marks(tmp_path: Path) -> None:
    file = tmp_path / "performance.md"
    file.write_text(f"before\n{BEGIN}\nan older one\n{END}\nafter\n")
    write(file, table(MEASURED, {"ansible": "1.2"}, "Two processors."))
    text = file.read_text()
    assert text.startswith(f"before\n{BEGIN}\nTwo processors. Medians")
    assert text.endswith(f"|\n{END}\nafter\n")
    assert "ansible 1.2" in text
    assert "an older one" not in text


def test_a_file_without_marks_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "performance.md"
    file.write_text("before\n")
    with pytest.raises(ValueError, match="lacks the lines"):
        write(file, "text")
    assert file.read_text() == "before\n"


def test_rounds_are_interleaved_and_turn() -> None:
    done: list[str] = []
    measured = interleaved(
        "w", {"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 2, lambda: done.append("-")
    )
    assert "".join(done) == "-a-b-b-a"
    assert {name: len(seconds) for name, seconds in measured.seconds.items()} == {"a": 2, "b": 2}


def test_a_command_that_ends_otherwise_is_an_error() -> None:
    assert run(["sh", "-c", "echo out; exit 1"], code=1).stdout == "out\n"
    with pytest.raises(NotRun, match="ended with 3 instead of 0:\nout"):
        run(["sh", "-c", "echo out; exit 3"])


def test_hosts_are_known_to_each_peer_by_the_keys_that_we_know(tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text("a.lab ssh-ed25519 AAAA1 comment\nb.lab ssh-ed25519 AAAA2\n")
    target = Target("a", "127.0.0.1", 2201, key=tmp_path / "key", known_hosts=(known,), alias="a.lab")
    reach = Reach.of(tmp_path / "reach", {"a": target}, {"docker": ["a"]})
    assert reach.known_hosts.read_text() == "[127.0.0.1]:2201 ssh-ed25519 AAAA1 comment\n"
    assert reach.ansible_hosts.read_text() == "[docker]\na\n"
    assert "docker = [('a', {" in reach.pyinfra_hosts.read_text()
    assert json.loads(reach.hosts.read_text())["a"]["ssh_port"] == 2201
    assert "HostKeyAlias a.lab" in reach.ssh_config.read_text()
