"""What is told of a machine from the files it left, and which processes are ours."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clusterlab.build import cpio
from clusterlab.build.machine_image import _additions
from clusterlab.errors import ClusterlabError
from clusterlab.machines.qemu.accelerator import _kvm_works, accelerator
from clusterlab.machines.qemu.console import last_line, last_lines
from clusterlab.machines.qemu.lan import Lan
from clusterlab.machines.qemu.machine import Machine
from clusterlab.machines.qemu.processes import end, processes_in
from clusterlab.machines.qemu.readiness import why_ended
from clusterlab.machines.ssh_banner import greets


@pytest.mark.parametrize(
    ("console", "line"),
    [
        ("", "nothing on its console yet"),
        ("one\n\n", "one"),
        (
            "[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mssh.service\x1b[0m - OpenSSH.\r\n",
            "Started ssh.service - OpenSSH.",
        ),
        (
            "\x1b[K[ \x1b[0;31m*\x1b[0;1;31m*\x1b[0m] Job docker.service/start running (9s)",
            "Job docker.service/start running (9s)",
        ),
        ("[    3.120000] Freeing memory\n", "Freeing memory"),
    ],
)
def test_last_line_of_a_console(console: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "console.log").write_text(console)
    assert last_line(tmp_path / "console.log") == line


def test_last_lines_of_a_console_that_is_not_there(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "console.log") == ""


@pytest.mark.parametrize(
    ("console", "log", "reason"),
    [
        ("[  OK  ] Reached target\n[   50.1] reboot: Power down\n", "", "it was powered off from inside"),
        ("Kernel panic - not syncing: Attempted to kill init!\n", "", "its kernel panicked"),
        (
            "up\n",
            "qemu: terminating on signal 15 from pid 7\n",
            "QEMU ended: qemu: terminating on signal 15 from pid 7",
        ),
        ("up\n", "", "its QEMU ended without a message: it was killed, or this computer was restarted"),
    ],
)
def test_why_a_machine_ended(console: str, log: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "console.log").write_text(console)
    (tmp_path / "qemu.log").write_text(log)
    assert why_ended(tmp_path) == reason


def test_status_of_what_was_never_made_and_of_what_was_half_made(tmp_path: Path) -> None:
    machine = Machine("host1", tmp_path / "host1")
    assert machine.status(None).state == "absent"
    machine.folder.mkdir()
    assert (machine.status(None).state, machine.status(None).detail) == ("stopped", "up was interrupted")


@pytest.mark.parametrize(
    ("flags", "works"), [("fpu sse2 vmx", True), ("fpu svm", True), ("fpu sse2", False), ("vmxnet", False)]
)
def test_kvm_needs_the_processors_support(flags: str, works: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: True)  # /dev/kvm may open without the support
    assert _kvm_works(f"model name\t: any\nflags\t\t: {flags}\n") is works


def test_kvm_needs_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert not _kvm_works("flags\t\t: vmx\n")


@pytest.mark.parametrize(
    ("present", "missing", "package"),
    [
        ([], "qemu-system-x86_64", "qemu-system-x86"),
        (["qemu-system-x86_64"], "qemu-img", "qemu-utils"),
        (["qemu-system-x86_64", "qemu-img"], "vde_switch", "vde2"),
    ],
)
def test_what_is_not_installed_is_named_with_its_package(
    present: list[str], missing: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in present:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterlabError, match=f"{missing} is not installed") as raised:
        accelerator.__wrapped__()
    assert raised.value.remedy == f"install it: sudo apt-get install {package}"


def test_long_paths_get_short_sockets(tmp_path: Path) -> None:
    short, long = Path("/state/demo"), Path("/state/" + "x" * 120)
    assert Lan(short).sockets == short / "lan"
    assert len(str(Lan(long).sockets)) < 80
    assert Lan(long).sockets != Lan(long.with_name("y" * 120)).sockets


def test_nobody_greets_at_a_port_that_is_closed_or_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert not greets("127.0.0.1", port, 0.2)
    assert not greets("127.0.0.1", port, 0.2)


@contextmanager
def pretending_to_be(name: str, folder: Path, argument: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has this name and argument in its command line, and that ignores SIGTERM."""
    code = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    program = [name, "-c", code, "-name", "clusterlab/demo/host1", argument]
    with subprocess.Popen(program, executable=sys.executable, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_processes_are_found_by_what_they_were_started_with_and_ended_by_force(tmp_path: Path) -> None:
    with pretending_to_be("qemu-system-x86_64", tmp_path, f"{tmp_path}/lab/qemu.log") as process:
        found = processes_in(tmp_path / "lab")
        assert [(one.pid, one.machine) for one in found] == [(process.pid, "host1")]
        assert end(found, seconds=0.3) == []
        assert process.wait(5) == -signal.SIGKILL
        assert not found[0].alive


def test_processes_of_others_are_not_ours(tmp_path: Path) -> None:
    with pretending_to_be("qemu-system-x86_64", tmp_path, f"{tmp_path}/lab2/qemu.log"):
        assert processes_in(tmp_path / "lab") == []
    with pretending_to_be("tail", tmp_path, f"{tmp_path}/lab/qemu.log"):
        assert processes_in(tmp_path / "lab") == []


def test_an_initrd_has_the_kernels_form() -> None:
    """Header, name and content each padded to four bytes; folders before what is in them; the trailer at the end."""
    rest = cpio.archive({"init": (b"#!/bin/sh\n", 0o755), "a/b/c": (b"x" * 7, 0o644)})
    found = []
    while rest:
        assert rest[:6] == b"070701"
        mode, size, name_size = (int(rest[start : start + 8], 16) for start in (14, 54, 94))
        name = rest[110 : 110 + name_size - 1].decode()
        start = -(-(110 + name_size) // 4) * 4
        found.append((name, oct(mode), rest[start : start + size]))
        rest = rest[start + -(-size // 4) * 4 :]
    assert found == [
        ("a", "0o40755", b""),
        ("a/b", "0o40755", b""),
        ("init", "0o100755", b"#!/bin/sh\n"),
        ("a/b/c", "0o100644", b"x" * 7),
        ("TRAILER!!!", "0o0", b""),
    ]


def test_scripts_of_the_image_are_valid() -> None:
    scripts = [content for member, content in _additions() if member.mode == 0o755 and member.type == tarfile.REGTYPE]
    assert len(scripts) == 3
    for content in scripts:
        checked = ["perl", "-c"] if content.startswith(b"#!/usr/bin/perl\n") else ["sh", "-n"]
        subprocess.run(checked, input=content, check=True)


@pytest.mark.parametrize("theirs", ["link", "folder"])
def test_sockets_never_go_to_a_folder_that_somebody_else_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str
) -> None:
    """In /tmp everybody can create a folder of that name before."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lan = Lan(tmp_path / ("long" * 20))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (elsewhere / "kept").touch()
    if theirs == "link":
        lan.sockets.symlink_to(elsewhere)
    else:
        lan.sockets.mkdir()
        lan.sockets.chmod(0o777)
    for use in (lan.start, lan.stop):
        with pytest.raises(ClusterlabError, match="clusterlab does not use it"):
            use()
    assert (elsewhere / "kept").exists()
    assert not processes_in(tmp_path / ("long" * 20))
