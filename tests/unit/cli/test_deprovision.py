"""What `deprovision` shows and writes: also what it leaves on the hosts."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from clusterlab.cli.main import main
from clusterlab.pipeline.pipeline import Pipeline
from clusterlab.pipeline.session import Session
from clusterlab.plan.deprovision import Withdrawal
from clusterlab.plan.report import Report
from clusterlab.resources.base import Change, Key, Skipped

INVENTORY = "lab: kept\nmachines: qemu\nhosts:\n  host1: {address: 192.168.98.11, roles: [docker]}\n"
KEPT = [Skipped(Key("host1", "package", "docker.io"), "packages stay unless --packages is given")]
CHANGE = Change(Key("host1", "sysctl", "net.core.somaxconn"), "remove", "provision added it", "", lambda: None)


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_json_document_lists_what_is_kept(
    dry_run: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def carried_out(pipeline: Pipeline, withdrawal: Withdrawal) -> str:
        pipeline.on_report("deprovision", Report())
        return ""

    (tmp_path / "lab.yml").write_text(INVENTORY)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Pipeline, "withdrawal", lambda *_, **__: Withdrawal([CHANGE], KEPT))
    monkeypatch.setattr(Pipeline, "deprovision", carried_out)
    monkeypatch.setattr(Session, "counts", lambda self: {})
    words = ["deprovision", "-i", str(tmp_path / "lab.yml"), "--json", str(tmp_path / "out.json")]
    with suppress(SystemExit):
        main(["clusterlab", *words, *(["--dry-run"] if dry_run else [])])
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["kept"] == [
        {"resource": "host1: package docker.io", "reason": "packages stay unless --packages is given"}
    ]
    assert ("changes" in document) is dry_run
    assert "– kept packages stay unless --packages is given" in capsys.readouterr().out
