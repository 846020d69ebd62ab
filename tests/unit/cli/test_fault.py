"""A fault that the inventory cannot have is an error at once.

No host is asked, and none needs to be up.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterlab.cli.main import main

INVENTORY = """\
lab: shop
machines: namespaces
network: {subnet: 10.1.0.0/24}
allow_faults: [isolate, duplicate_address, clock]
hosts:
  web1: {address: 10.1.0.11, roles: [docker]}
  web2: {address: 10.1.0.12, roles: [docker]}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/default.yml").write_text(INVENTORY)


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        ("isolate: {host: web3}", 2, "'web3' is neither a host nor a role of the inventory"),
        ("duplicate_address: {of: web1, at: web3}", 2, "'web3' is neither a host nor a role"),
        ("clock: {host: web1, by: +1h}", 3, "the clock of this computer"),
        ("unplug: {host: web1}", 3, "`allow_faults` of the inventory does not name unplug"),
    ],
)
def test_it_is_told_at_once(fault: str, code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["clusterlab", "fault", fault])
    assert ended.value.code == code
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert "not up" not in said
