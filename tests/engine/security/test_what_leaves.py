"""Secrets and hostile text on a real engine: nothing of them is in what any command prints or writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.redaction import REDACTED
from clusterlab.remote import Hosts
from tests.support.hostile import CONTROLS, HOSTILE, TOKEN, hostile_ssh_server
from tests.support.nightly_lab import NightlyLab

pytestmark = pytest.mark.engine

VALUES = {
    "DB_PASSWORD": "sesame-open-7",
    "GREETING": "velvet-morning",
    "RUN_SECRET": "quiet-harbour",
    "NEW": "tall-ship",
}
SAYS = f'printf "{HOSTILE} said $DB_PASSWORD and $GREETING, {TOKEN}\\n"'


def play(**changed: str) -> dict[str, Any]:
    environment = {name: VALUES[name] for name in ("DB_PASSWORD", "GREETING")} | changed
    talker = {"host": "host1", "image": "shell", "environment": environment}
    return {
        "title": "Secrets and hostile text",
        "containers": {
            "talker": {**talker, "command": ["sh", "-c", f"{SAYS}; sleep 1000"]},
        },
        "checks": [
            {"title": "what is printed", "command": {"in": "talker", "run": f"{SAYS}; env; exit 3"}},
            {"title": "an environment", "inspect": {"container": "talker", "path": "Config.Env", "value": []}},
            {"title": "a report", "inspect": {"container": "talker", "path": "Config", "value": ""}},
            {
                "title": "a container of its own",
                "run": {
                    "on": "host1",
                    "image": "shell",
                    "command": ["sh", "-c", "env; exit 1"],
                    "environment": {"RUN_SECRET": VALUES["RUN_SECRET"]},
                },
            },
        ],
    }


def write(nightly_lab: NightlyLab, text: dict[str, Any]) -> None:
    (nightly_lab.folder / "playbooks" / "proof.yml").write_text(yaml.safe_dump(text))


def files_below(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".sqlite3"]


def written(folder: Path) -> str:
    """All that is in the files below a folder, names included."""
    return "\n".join(f"{path}\n{path.read_text()}" for path in files_below(folder))


def assert_clean(text: str, secrets: Iterable[str] = (*VALUES.values(), TOKEN[12:])) -> None:
    assert [secret for secret in secrets if secret in text] == []
    assert CONTROLS.findall(text) == []
    assert "\\u001b" not in text


def run(nightly_lab: NightlyLab, *words: str, code: int | None = None) -> str:
    ended, out, err = nightly_lab.run(*words)
    assert code is None or ended == code, out + err
    assert "Traceback" not in err, err
    # A script has to have the play's own commands as they are, and the token is written in one.
    assert_clean(out + err, VALUES.values() if "--shell" in words else (*VALUES.values(), TOKEN[12:]))
    return out + err


def open_to_others(folder: Path) -> list[str]:
    """What other users could read or enter, below a folder that they may enter."""
    found = [path for path in folder.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o077]
    return [str(path.relative_to(folder)) for path in found]


def test_nothing_secret_or_hostile_leaves(nightly_lab: NightlyLab) -> None:
    write(nightly_lab, play())
    inventory = ("-i", "existing.yml")
    out = nightly_lab.folder / "out"
    text = run(nightly_lab, "plan", *inventory, "--json", str(out / "plan.json"), code=0)
    assert "--env DB_PASSWORD --env GREETING" in text
    assert "export it first" in text
    run(nightly_lab, "run", *inventory, "--json", str(out / "run.json"), "--junit", str(out / "run.xml"), code=1)
    document = json.loads((out / "run.json").read_text())
    evidence = {result["check"]: result["evidence"][-1] for result in document["results"]}
    assert f"said {REDACTED} and {REDACTED}, {REDACTED}" in evidence["what is printed"]["output"]
    assert evidence["what is printed"]["redacted"] >= 5
    assert f"DB_PASSWORD={REDACTED}" in evidence["an environment"]["found"]
    assert f'"GREETING={REDACTED}"' in evidence["a report"]["output"]
    assert "docker run --rm --env RUN_SECRET" in evidence["a container of its own"]["command"]
    assert f"RUN_SECRET={REDACTED}" in evidence["a container of its own"]["output"]

    write(nightly_lab, play(DB_PASSWORD="yes", NEW=VALUES["NEW"]))
    text = run(nightly_lab, "plan", *inventory, "--json", str(out / "second.json"), code=0)
    assert "environment.DB_PASSWORD: differs" in text
    assert "environment.NEW: is not set" in text
    assert "environment.GREETING" not in text
    write(nightly_lab, play())

    for words in (["explain", "proof"], ["explain", "proof", "--shell"]):
        assert "DB_PASSWORD" in run(nightly_lab, *words, *inventory, code=0)
    run(
        nightly_lab,
        "nightly",
        *inventory,
        "--json",
        str(out / "nightly.json"),
        "--junit",
        str(out / "nightly.xml"),
        code=1,
    )
    run(nightly_lab, "collect", *inventory, "--to", str(out / "logs"))
    for words in (["history"], ["report"], ["status"], ["labs"]):
        run(nightly_lab, *words, *([] if words == ["labs"] else inventory))
    assert_clean(written(out))
    runs = nightly_lab.state / "clusterlab" / "runs"
    (history,) = runs.rglob("history.sqlite3")
    assert [value for value in VALUES.values() if value.encode() in history.read_bytes()] == []
    assert_clean(written(runs))
    (log,) = nightly_lab.state.rglob("containers/host1/talker.log")
    assert f"linktxet\n said {REDACTED} and {REDACTED}, {REDACTED}" in log.read_text()
    (page,) = nightly_lab.state.rglob("report.html")
    assert re.search(r"\d+ secrets redacted in the evidence", page.read_text())
    assert open_to_others(nightly_lab.state / "clusterlab") == []
    assert [path for path in open_to_others(out) if (out / path).is_file()] == []


def test_a_hostile_banner_is_shown_as_text(nightly_lab: NightlyLab) -> None:
    with hostile_ssh_server() as port:
        inventory = yaml.safe_load((nightly_lab.folder / "existing.yml").read_text())
        inventory["hosts"]["host1"]["ssh"] |= {"address": "127.0.0.1", "port": port}
        (nightly_lab.folder / "existing.yml").write_text(yaml.safe_dump(inventory))
        for words in (["status"], ["provision"], ["plan"]):
            assert "host1" in run(nightly_lab, *words, "-i", "existing.yml")


def test_a_hostile_label_is_shown_as_text(nightly_lab: NightlyLab) -> None:
    write(nightly_lab, {**play(), "volumes": {"taken": {"hosts": ["host1"]}}})
    with Hosts(nightly_lab.machines.targets()) as hosts:
        label = f'org.clusterlab.lab="$(printf "{HOSTILE}")"'
        hosts["host1"].run(f"docker volume create --label {label} taken", check=True)
        text = run(nightly_lab, "plan", "-i", "existing.yml", "--json", str(nightly_lab.folder / "plan.json"))
        assert "link" in text
        assert_clean((nightly_lab.folder / "plan.json").read_text())
        run(nightly_lab, "apply", "-i", "existing.yml", "--json", str(nightly_lab.folder / "apply.json"), code=3)
        assert_clean((nightly_lab.folder / "apply.json").read_text())
        hosts["host1"].run("docker volume rm taken", check=True)
