from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clusterlab.remote import Target
from clusterlab.remote.known_hosts import known_keys, lookup_name

BODY = "AAAAC3NzaC1lZDI1NTE5AAAAIE8YDPlTv1xuPfQeDnnXiS6ZbAXAaNsH0VaMRa1LCNAF"
KEY = f"ssh-ed25519 {BODY}"


def lines_about(file: Path, text: str, address: str = "host1", port: int = 22, alias: str | None = None) -> list[int]:
    file.write_text(text)
    return [key.line for key in known_keys(Target("x", address, port, known_hosts=(file,), alias=alias))]


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("host1", True),
        ("HOST1", True),
        ("host2,host1", True),
        ("host*", True),
        ("host?", True),
        ("host??", False),
        ("*,!host1", False),
        ("!host1,*", False),
        ("!host2,host*", True),
        ("[host1]:22", False),
        ("[host1]:2222", False),
        ("host", False),
        ("ost1", False),
        ("|1|broken", False),
        ("|1|!!!|???", False),
    ],
)
def test_host_field(tmp_path: Path, field: str, found: bool) -> None:
    assert lines_about(tmp_path / "file", f"{field} {KEY}\n") == ([1] if found else [])


def test_port(tmp_path: Path) -> None:
    text = f"host1 {KEY}\n[host1]:2222 {KEY}\n[host?]:2222 {KEY}\n"
    assert lines_about(tmp_path / "file", text, port=2222) == [2, 3]


def test_alias_is_taken_without_port(tmp_path: Path) -> None:
    assert lines_about(tmp_path / "file", f"host1 {KEY}\nother {KEY}\n", port=2222, alias="other") == [2]


def test_what_openssh_hashed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(f"[host1]:2222,host1 {KEY}\nhost2 {KEY}\n")
    subprocess.run(["ssh-keygen", "-H", "-f", str(file)], check=True, capture_output=True)
    hashed = file.read_text()
    assert "host1" not in hashed
    assert len(lines_about(file, hashed)) == 1
    assert len(lines_about(file, hashed, port=2222)) == 1
    assert len(lines_about(file, hashed, address="host3")) == 0


def test_lines_that_say_nothing(tmp_path: Path) -> None:
    text = (
        f"\n# host1 {KEY}\nhost1\nhost1 ssh-ed25519\nhost1 ssh-ed25519 (none)\n@cert-authority host1 {KEY}\nhost1 {KEY}"
    )
    assert lines_about(tmp_path / "file", text) == [7]


def test_revoked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(f"@revoked * {KEY}\n")
    (key,) = known_keys(Target("x", "host1", known_hosts=(tmp_path / "file",)))
    assert key.revoked


def test_missing_files(tmp_path: Path) -> None:
    (tmp_path / "b").write_text(f"host1 {KEY}\n")
    (key,) = known_keys(Target("x", "host1", known_hosts=(tmp_path / "a", tmp_path / "b", tmp_path / "b" / "c")))
    assert key.file == tmp_path / "b"


def test_lookup_name() -> None:
    assert lookup_name(Target("x", "host1")) == "host1"
    assert lookup_name(Target("x", "host1", 2222)) == "[host1]:2222"
    assert lookup_name(Target("x", "host1", 2222, alias="a")) == "a"
