"""Scenarios about machines that clusterlab itself creates, and their state on this computer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clusterlab.waiting import wait_until
from tests.bench.safety.scenario import OWN, Seen, scenario
from tests.bench.safety.stand import Stand, Workstation
from tests.support import footprint
from tests.support.small_disk import small_disk


@contextmanager
def is_up(stand: Stand, name: str) -> Iterator[Workstation]:
    """A lab of one host that the version created, brought down after the block."""
    one = stand.owner(name)
    try:
        one.must("up")
        yield one
    finally:
        one("down")
        _end(one.lab)


def _end(lab: str) -> list[str]:
    """End what is left of a lab; its commands."""
    left = footprint.processes(lab)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    wait_until(lambda: not footprint.processes(lab), "the processes of the lab to end", 20)
    return list(left.values())


@scenario(OWN, "gc offers a lab that is merely switched off for removal")
def gc_of_a_lab_switched_off(stand: Stand) -> Seen:
    with is_up(stand, "off") as one:
        _end(one.lab)
        ran = one.gc()
        offered = one.lab in ran.text
    return Seen(offered, "offered" if offered else "not offered")


@scenario(OWN, "`gc --remove` removes the state of a running lab whose record it cannot read")
def gc_of_an_unreadable_record(stand: Stand) -> Seen:
    with is_up(stand, "newer") as one:
        folder = one.cli.state / "clusterlab" / "labs" / one.lab
        record = folder / "record.json"
        text = record.read_text()
        record.write_text(json.dumps({**json.loads(text), "form": 99, "schema_version": 99, "newer": True}))
        one.gc("--remove")
        gone = not record.exists()
        if not gone:
            record.write_text(text)
    return Seen(gone, "keys, disks and record are gone while it runs" if gone else "all of it is there")


@scenario(OWN, "a lab of the same name in another checkout takes down one's machines")
def same_name_in_two_checkouts(stand: Stand) -> Seen:
    with is_up(stand, "twice") as one:
        other = stand.owner("twice", folder="elsewhere", state=one.cli.state)
        ran = other("down")
        gone = not footprint.processes(one.lab)
    return Seen(gone, f"its machines {'are gone' if gone else 'run'}; exit code {ran.code}")


def _full(stand: Stand, size: str) -> Seen:
    one = stand.owner(f"full{size}")
    with small_disk(one.cli.state, size):
        try:
            ran = one("up")
            left = len(footprint.processes(one.lab))
            words = "no space" in ran.text.lower() and "Traceback" not in ran.text
        finally:
            subprocess.run(["mount", "-o", "remount,size=64m", str(one.cli.state)], check=True)
            one("down")
            _end(one.lab)
            _unmount(one.cli.state)
    if ran.code == 0:
        return Seen(False, f"{size} is enough")
    said = "it says so" if words else "it does not say so"
    return Seen(left > 0 or not words, f"{size}: {said}, processes left: {left}")


def _unmount(folder: Path) -> None:
    """What a lab left mounted below a folder."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    for path in sorted((line.split()[4] for line in lines if line.split()[4].startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", path], check=True)


@scenario(OWN, "a full disk during `up` hides its error, and new machines stay")
def full_disk(stand: Stand) -> Seen:
    seen = [_full(stand, size) for size in ("48k", "128k")]
    return Seen(any(one.harm for one in seen), "; ".join(f"{one.what}" for one in seen))
