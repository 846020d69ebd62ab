from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.nightly.notify import notify, parse_command, summary
from clusterlab.results import Outcome
from tests.support.nightly_runs import nightly_run, result


def test_the_command_gets_the_summary(tmp_path: Path) -> None:
    got = tmp_path / "got.json"
    notify(["tee", str(got)], summary(nightly_run(3, result(Outcome.FAIL), result(Outcome.PASS, "b")), "/r.html"), 10)
    document = json.loads(got.read_text())
    assert tuple(document[key] for key in ("lab", "outcome", "exit", "report")) == (
        "demo",
        "fail",
        1,
        "/r.html",
    )
    assert document["counts"] == {"pass": 1, "fail": 1}
    assert document["failing"] == [
        {"play": "volumes/nfs", "check": "it works", "outcome": "fail", "found": "no", "since": ""}
    ]


def test_it_is_never_given_to_a_shell(tmp_path: Path) -> None:
    command = parse_command(f"touch '{tmp_path}/$(touch evil)' ; touch {tmp_path}/second")
    assert command == ["touch", f"{tmp_path}/$(touch evil)", ";", "touch", f"{tmp_path}/second"]


@pytest.mark.parametrize("text", ["'open", "  "])
def test_a_command_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError):
        parse_command(text)


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(ClusterlabError, match="ended with exit code 7") as raised:
        notify(["sh", "-c", "cat >/dev/null; echo no route; exit 7"], {}, 10)
    assert raised.value.detail == "no route"


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(ClusterlabError, match="cannot be run: /no/such: No such file"):
        notify(["/no/such"], {}, 10)


def test_a_command_that_does_not_read_is_no_failure() -> None:
    notify(["true"], {"long": "x" * 1_000_000}, 10)


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(ClusterlabError, match=r"did not end within 0\.5 s"):
        notify(["sh", "-c", f"sleep 600 & echo $! > {pid}; wait"], {}, 0.5)
    assert time.monotonic() - began < 5
    end = time.monotonic() + 5
    while time.monotonic() < end and _runs(int(pid.read_text())):
        time.sleep(0.05)
    assert not _runs(int(pid.read_text()))


def _runs(pid: int) -> bool:
    """Whether the process lives; one that nobody has waited for yet does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
