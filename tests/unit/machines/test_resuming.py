"""Machines that are stopped to be saved run on, however the saving ends. Their monitors are stand-ins."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.machines.qemu import saving
from clusterlab.machines.qemu.files import LabFiles
from clusterlab.machines.qemu.qmp import Monitor
from clusterlab.machines.qemu.resume_watchdog import run_on, watched
from clusterlab.machines.qemu.saving import FILES, save_all
from clusterlab.model.inventory import Inventory
from clusterlab.progress import Silent

HOSTS = ("gw", "host1", "host2")
INVENTORY: dict[str, Any] = {
    "lab": "one",
    "machines": "qemu",
    "network": {"subnet": "192.168.96.0/24"},
    "hosts": {host: {"address": f"192.168.96.{number}"} for number, host in enumerate(HOSTS, 1)},
}


class Machine:
    """What answers at the monitor of a machine, one connection at a time."""

    def __init__(self, folder: Path, server: socket.socket) -> None:
        self.running = True
        self.connections = 0
        self._folder = folder
        self._server = server

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:  # the end of the test
                return
            self.connections += 1
            with connection, connection.makefile("rwb") as stream:
                self._send(stream, {"QMP": {}})
                for line in stream:
                    request = json.loads(line)
                    self._send(stream, {"return": self._answer(request["execute"]), "id": request["id"]})

    def _answer(self, command: str) -> dict[str, Any]:
        if command in ("stop", "cont"):
            self.running = command == "cont"
        return {"status": "completed"} if command == "query-migrate" else {}

    @staticmethod
    def _send(stream: Any, message: dict[str, Any]) -> None:
        stream.write(json.dumps(message).encode() + b"\n")
        stream.flush()


@contextmanager
def served(folder: Path) -> Iterator[Machine]:
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).touch()
    with socket.socket(socket.AF_UNIX) as server, monkeypatched_folder(folder):
        server.bind("qmp")
        server.listen(1)
        machine = Machine(folder, server)
        thread = threading.Thread(target=machine.serve, daemon=True)
        thread.start()
        try:
            yield machine
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def monkeypatched_folder(folder: Path) -> Iterator[None]:
    """The path of a socket is limited to 107 bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


@pytest.fixture
def files() -> LabFiles:
    return LabFiles("one", Inventory.model_validate(INVENTORY), Path("/"))


@pytest.fixture
def machines(files: LabFiles, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Machine]]:
    monkeypatch.setattr(saving, "_all_running", lambda files: {})
    monkeypatch.setattr(saving, "_check_same_qemu", lambda qemus: None)
    with ExitStack() as stack:
        yield {host: stack.enter_context(served(machine.folder)) for host, machine in files.machines.items()}


def save(files: LabFiles, folder: Path, machines: dict[str, Machine]) -> list[list[bool]]:
    """Save; returns which machines ran whenever their clocks were set."""
    clocks: list[list[bool]] = []
    with Silent().task("one", "saving") as task, pytest.raises((KeyboardInterrupt, ClusterlabError)):
        save_all(files, folder, task, lambda: clocks.append([machine.running for machine in machines.values()]))
    return clocks


@pytest.mark.parametrize("host", ["host1"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError()])
def test_machines_run_on_when_resuming_them_is_interrupted(
    host: str,
    error: BaseException,
    files: LabFiles,
    machines: dict[str, Machine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resume, resumed = run_on, iter(HOSTS)

    def interrupted(qemu: Monitor) -> None:
        if next(resumed) == host:
            raise error
        resume(qemu)

    monkeypatch.setattr(saving, "run_on", interrupted)
    clocks = save(files, tmp_path, machines)
    assert [machine.running for machine in machines.values()] == [True] * 3
    assert clocks == [[True] * 3], "set once all of them run"


@pytest.mark.parametrize("step", ["_stop", "_write_states", "copy"])
def test_machines_run_on_when_their_saving_is_interrupted(
    step: str, files: LabFiles, machines: dict[str, Machine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, step, interrupted)
    assert save(files, tmp_path, machines) == [[True] * 3]
    assert [machine.connections for machine in machines.values()] == [2] * 3, "the other process had nothing to do"


def test_the_other_process_resumes_machines_only_if_nobody_said_that_they_run(
    files: LabFiles, machines: dict[str, Machine]
) -> None:
    folders = [machine.folder for machine in files.machines.values()]
    for said in (True, False):
        for machine in machines.values():
            machine.running = False
        with watched(folders) as all_resumed:
            if said:
                all_resumed()
        assert [machine.running for machine in machines.values()] == [not said] * 3


def test_a_reply_that_an_interrupt_left_unread_is_not_taken_for_the_next_one() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        messages = [{"QMP": {}}, {"return": {}, "id": 1}, {"return": "stale", "id": 2}, {"event": "STOP"}]
        messages.append({"return": "expected", "id": 3})
        theirs.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
        qemu = Monitor(ours, "gw")
        stream, qemu._stream = qemu._stream, cast(Any, Interrupting(qemu._stream))
        with pytest.raises(KeyboardInterrupt):
            qemu.execute("query-migrate")
        qemu._stream = stream
        assert qemu.execute("cont") == "expected"


class Interrupting:
    """A stream whose reader is interrupted."""

    def __init__(self, stream: Any) -> None:
        self.write, self.flush = stream.write, stream.flush

    def readline(self) -> bytes:
        raise KeyboardInterrupt
