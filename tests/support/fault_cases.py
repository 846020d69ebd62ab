"""Faults as cases of data, and the labs that they are tried on.

A file of cases is a list: `inject` is a fault as plays have it, `seen` and `unseen` are texts of the proof; or
`error` and `message` say what is raised. `before` and `after` are commands by host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import yaml

from clusterlab.errors import ClusterlabError
from clusterlab.faults.errors import EndedEarly, NotHealed, Residue, Unsupported
from clusterlab.faults.injection import inject
from clusterlab.faults.scene import Scene
from clusterlab.model.faults import FaultSpec, parse_fault
from clusterlab.remote import Hosts
from clusterlab.resources.base import LABEL_LAB
from tests.support.labs import EngineLab

TESTS = Path(__file__).parents[1]
QEMU = TESTS / "lab" / "faults"
NAMESPACES = TESTS / "engine" / "faults" / "cases"
REMAINS = (
    "pgrep -f '[d]ead-man-'; ls /run/clusterlab/faults 2>/dev/null; PATH=$PATH:/usr/sbin; "
    "nft list tables | grep clusterlab_; tc qdisc show | grep -E 'c1ab:|clsact'; ip route show proto 193"
)
"""Prints what faults would leave on a host."""

SERVICE = "sleeper"
"""What the cases about tasks name."""
_IMAGE = "tar --create --dereference --directory / bin/busybox | docker import - tiny"
_SERVICE = (
    "docker service create --quiet --name {name} --constraint node.role==worker --no-resolve-image --stop-signal KILL "
    "{more} tiny /bin/busybox sleep infinity"
)


def cases(folder: Path) -> list[dict[str, Any]]:
    """All cases of a folder."""
    return [case for path in sorted(folder.glob("*.yml")) for case in yaml.safe_load(path.read_text())]


def name(case: Mapping[str, Any]) -> str:
    """The fault and the title of a case."""
    return f"{next(iter(case['inject']))}: {case['title']}"


def with_service(up: EngineLab) -> None:
    """Run a service of the lab with one task, on a worker."""
    for worker in up.lab.inventory.with_role("swarm_worker"):
        up.hosts[worker].run(_IMAGE, check=True, timeout=180)
    create_service(up, SERVICE, f"--label {LABEL_LAB}={up.lab.name}")


def create_service(up: EngineLab, name: str, more: str = "") -> None:
    """Run a service with one task where `with_service` has run one, with these options more."""
    manager = up.hosts[up.lab.inventory.with_role("swarm_manager")[0]]
    manager.run(_SERVICE.format(name=name, more=more), check=True, timeout=180)


@contextmanager
def prepared(case: Mapping[str, Any], hosts: Hosts) -> Iterator[None]:
    """The commands of a case before it, and those after it."""
    for host, command in case.get("before", {}).items():
        hosts[host].run(command, check=True)
    try:
        yield
    finally:
        for host, command in case.get("after", {}).items():
            hosts[host].run(command, check=True)


@dataclass(frozen=True)
class Tried:
    """What came of a fault.

    The proof of its effect, the proof that it is gone, and what remained, or why not.
    """

    fault: str
    effect: str
    healed: str = "-"
    residue: str = "-"
    seconds: float = 0.0
    ok: bool = False


def tried(spec: FaultSpec, scene: Scene) -> Tried:
    """Inject a fault, see that it lasts, heal it, and see that nothing remains.

    Raises nothing that a fault raises.
    """
    began = monotonic()
    try:
        injection = inject(spec, scene)
    except Unsupported as error:
        return Tried(spec.name, f"cannot: {error.message}", seconds=monotonic() - began, ok=True)
    except ClusterlabError as error:
        notes = "; ".join(getattr(error, "__notes__", []))
        return Tried(spec.name, f"no ({type(error).__name__}): {error.message} {notes}", seconds=monotonic() - began)
    effect, healed, residue, ok = f"yes: {injection.seen}", "no", "-", False
    try:
        injection.still()
        injection.heal()
    except Residue as error:
        healed, residue = "yes", error.message
    except (EndedEarly, NotHealed) as error:
        healed = f"no ({type(error).__name__}): {error.message}"
    except ClusterlabError as error:
        healed = f"no: {error.message}"
    else:
        healed, residue, ok = f"yes: {injection.seen_gone}", "none", True
    return Tried(spec.name, effect, healed, residue, monotonic() - began, ok)


def sound(*folders: Path) -> dict[str, Mapping[str, Any]]:
    """Of each fault the first case in which it takes effect, in the first folder that has one."""
    found: dict[str, Mapping[str, Any]] = {}
    for case in (case for folder in folders for case in cases(folder)):
        if "error" not in case:
            found.setdefault(next(iter(case["inject"])), case)
    return found


def table(machines: str, rows: Sequence[Tried]) -> list[str]:
    """The lines of a table in Markdown."""
    lines = ["| fault | machines | took effect | healed | residue | s |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = (row.fault, machines, row.effect, row.healed, row.residue, f"{row.seconds:.1f}")
        lines.append(f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in cells)} |")
    return lines


def spec_of(case: Mapping[str, Any]) -> FaultSpec:
    """The fault of a case."""
    return parse_fault(case["inject"])
