"""`-v`: the flag is taken from the command line, and what is shown has no secrets."""

from __future__ import annotations

import pytest

from clusterlab import redaction
from clusterlab.cli.verbose import shown_steps, without_flag
from clusterlab.remote.trace import Step, step, watching


@pytest.mark.parametrize(
    ("given", "wanted", "verbose"),
    [
        ("clusterlab check -v volumes/nfs", "clusterlab check volumes/nfs", True),
        ("clusterlab --verbose up", "clusterlab up", True),
        ("clusterlab up", "clusterlab up", False),
        ("clusterlab ssh host1 -- ls -v", "clusterlab ssh host1 -- ls -v", False),
        ("clusterlab ssh host1 -v -- ls -v", "clusterlab ssh host1 -- ls -v", True),
    ],
)
def test_the_flag_may_stand_anywhere_before_a_command_for_a_host(given: str, wanted: str, verbose: bool) -> None:
    assert without_flag(given.split()) == (wanted.split(), verbose)


def test_a_step_is_one_line_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    redaction.SECRETS.learn([("DB_PASSWORD", "correct-horse-7")])
    with shown_steps():
        with step("host1", "mysql -pcorrect-horse-7\necho two\necho three") as outcome:
            outcome.text = "exit 1"
        with pytest.raises(OSError, match="gone"), step("host2", "connect"):
            raise OSError("gone with correct-horse-7")
    with step("host1", "nobody watches"):
        pass
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("  host1: mysql -p")
    assert first.endswith("(and 2 more lines) -> exit 1, 0.0 s")
    assert second.startswith("  host2: connect -> OSError: gone with ")
    assert "correct-horse-7" not in first + second


def test_who_stops_watching_hears_no_more() -> None:
    heard: list[Step] = []
    with watching(heard.append), step("host1", "one"):
        pass
    with step("host1", "two"):
        pass
    assert [one.what for one in heard] == ["one"]
