"""What `clusterlab doctor` names while each fault is in effect, as a table: fault, codes, and after how long.

    sudo .venv/bin/python -m tests.bench.faults_doctor [FAULT ...]
    .venv/bin/python -m tests.bench.faults_doctor --machines qemu [FAULT ...]

What is injected are the cases in which faults take effect, as in tests.bench.faults. Only what doctor does not name
before the fault counts. It is asked again until it names something, for up to 25 s: a node is Down after 15 s or more.
A fault that doctor does not name is shown as such, and so is what it still names 60 s after the heal. It ends with 1
when a fault had no effect or was not healed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from clusterlab.doctor.codes import DIAGNOSES
from clusterlab.doctor.run import examined, of_lab
from clusterlab.errors import ClusterlabError
from clusterlab.faults.errors import Unsupported
from clusterlab.faults.injection import injected
from clusterlab.faults.scene import Scene
from clusterlab.progress import Silent
from tests.support.fault_cases import prepared, sound, spec_of
from tests.support.labs import EngineLab

from .faults import LABS, await_task, parsed, unable

_NAMED_SECONDS, _SILENT_SECONDS = 25.0, 60.0
_UNKNOWN = "not evaluated"
Said = frozenset[tuple[str, str]]
"""Codes with their subjects; _UNKNOWN with what could not be read and why."""


def main(words: list[str]) -> int:
    given = parsed(words, __doc__)
    folders, lab = LABS[given.machines]
    cases = sound(*folders)
    print("| fault | doctor names | after, s | once it is healed |\n|---|---|---|---|", flush=True)
    wrong = 0
    with lab() as up:
        for fault in given.faults or cases:
            if why := unable(fault, up):
                _print(fault, f"cannot: {why}")
            else:
                wrong += not _row(fault, cases[fault], up)
    return 1 if wrong else 0


def _row(fault: str, case: Mapping[str, Any], up: EngineLab) -> bool:
    """Print the row of a fault; whether it took effect and was healed, or these machines cannot have it."""
    named, seconds, after, right = "", "", "-", True
    try:
        await_task(up)
        with prepared(case, up.hosts):
            before = _said(up)
            with injected(spec_of(case), Scene(up.lab, up.hosts)):
                new, took = _until(up, before, anything=True, limit=_NAMED_SECONDS)
            named, seconds = _text(new), f"{took:.0f}" if _codes(new) else ""
            left, _ = _until(up, before, anything=False, limit=_SILENT_SECONDS)
            after = _text(_codes(left))
    except Unsupported as error:
        named = f"cannot: {error.message}"
    except ClusterlabError as error:
        named, right = f"{type(error).__name__}: {error.message}", False
    _print(fault, named, seconds, after)
    return right


def _print(fault: str, named: str, seconds: str = "", after: str = "-") -> None:
    cells = (fault, named, seconds, after)
    print(f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in cells)} |", flush=True)


def _until(up: EngineLab, before: Said, *, anything: bool, limit: float) -> tuple[Said, float]:
    """What is said and was not before, once there are codes, or none of them; and the seconds until then."""
    began = time.monotonic()
    while True:
        new = _said(up) - before
        seconds = time.monotonic() - began
        if bool(_codes(new)) is anything or seconds > limit:
            return new, seconds


def _codes(said: Said) -> Said:
    return frozenset((code, subject) for code, subject in said if code != _UNKNOWN)


def _said(up: EngineLab) -> Said:
    """What doctor finds now, over connections of its own, and what it cannot evaluate."""
    run = examined(of_lab(up.lab), Silent())
    unknown = {(_UNKNOWN, f"{one.subject}: {one.reason}") for one in run.unknown}
    return frozenset({(one.code, one.subject) for one in run.findings} | unknown)


def _text(said: Said) -> str:
    """Codes with their titles and subjects, sorted."""
    found: dict[str, list[str]] = {}
    for code, subject in sorted(said):
        found.setdefault(f"{code} {DIAGNOSES[code].title}" if code in DIAGNOSES else code, []).append(subject)
    return "; ".join(f"{code} ({', '.join(subjects)})" for code, subjects in found.items()) or "nothing"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
