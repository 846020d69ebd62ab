"""What doctor names on labs that the broken cases make: python -m tests.bench.doctor_table [CASE ...] [options]

The cases are those of tests/engine/plays/broken, on engines in namespaces; with --lab those of tests/lab/broken, on
virtual machines that are created for them and removed, or on the lab of FILE, which must be up and have the subnet that
the cases name (192.168.94.0/24). A row has the case, what doctor names that it does not name on the sound lab, how
long it took, and whether that is the cause. NAMED lists the causes; of the other cases doctor must say nothing: they
break what a play wants of its own containers, which is no fault of a cluster. It ends with 1 for a wrong row. With
--write, a run of all cases of a lab replaces their part of docs/doctor-broken.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from clusterlab.doctor.run import examined, of_lab
from clusterlab.machines import open_machines
from clusterlab.model import Lab, load_inventory
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.bench.broken import FOLDERS
from tests.support.check_cases import PLAYBOOKS, broken, case_files, read_case
from tests.support.play_bench import Stand, stand_up

NAMED = {
    "overlay-small-packets": {"CL111"},
    "overlay-vxlan-dropped": {"CL305"},
    "vxlan-dropped": {"CL305"},
    "service-vxlan-dropped": {"CL305"},
    "overlay-esp-dropped": {"CL308"},
    "overlay-no-nat": {"CL109"},
    "bridge-default-no-nat": {"CL109"},
    "nfs-server-stopped": {"CL403"},
    "export-removed": {"CL404"},
    "ports-forwarded": {"CL301"},
    "swarm-left": {"CL209"},
    "volume-made-manually": {"CL401"},
}
"""Codes by case."""
PAGE = PLAYBOOKS.parent / "docs" / "doctor-broken.md"
_HEADINGS = {False: "## Engines in namespaces", True: "## Virtual machines"}
_MACHINES = PLAYBOOKS.parent / "inventory" / "default.yml"
_ROUNDS = 3
"""After some cases what puts the lab right must be done more than once."""


@dataclass(frozen=True)
class Row:
    """A case, and what doctor names on the lab that it breaks."""

    case: str
    title: str
    named: tuple[str, ...]  # keys of findings
    right: bool


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--lab", type=Path, nargs="?", const=_MACHINES, metavar="FILE")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(words)
    folder = FOLDERS["qemu" if given.lab else "namespaces"]
    paths = [path for path in case_files(folder) if path.stem in given.cases or not given.cases]
    machines = given.lab is not None
    with _stand(given.lab) as stand:
        print(f"{'case':<30} {'doctor names':<40} seconds verdict")
        rows = [row(stand, path, machines) for path in paths]
    wrong = sum(not one.right for one in rows)
    print(f"{len(paths)} cases, {wrong} wrong")
    if given.write and not given.cases:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), rows, machines), encoding="utf-8")
    return 1 if wrong else 0


@contextmanager
def _stand(inventory: Path | None) -> Iterator[Stand]:
    if inventory is None:
        with tempfile.TemporaryDirectory() as folder, stand_up(Path(folder)) as stand:
            yield stand
        return
    opened: AbstractContextManager[Path] = _created() if inventory == _MACHINES else nullcontext(inventory)
    with opened as file:
        machines = open_machines(load_inventory(file))
        with Hosts(machines.targets()) as hosts:
            yield Stand(file, hosts, machines.unsupported())


@contextmanager
def _created() -> Iterator[Path]:
    """The inventory of virtual machines that are up inside the block."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "inventory.yml"
        text = _MACHINES.read_text().replace("lab: demo", f"lab: doctor-table-{os.getpid()}")
        file.write_text(text.replace("192.168.98.", "192.168.94."))
        machines = open_machines(load_inventory(file))
        try:
            machines.up(Silent())
            yield file
        finally:
            machines.down(Silent())


def page(text: str, rows: list[Row], machines: bool) -> str:
    """The page with these rows in place of those that it has of the same lab."""
    heading = _HEADINGS[machines]
    before, found, rest = text.partition(f"{heading}\n")
    assert found, f"{PAGE} has no line {heading}"
    following = rest.find("\n## ")
    named = [f"| {one.title} | {', '.join(f'`{key}`' for key in one.named)} |" for one in rows if one.named]
    silent = [f"- {one.title}" for one in rows if not one.named]
    table = ["| what is broken | doctor names |", "|---|---|", *named]
    part = ["", *table, "", "Nothing is named when a play's own objects are not what it wants:", "", *silent, ""]
    return f"{before}{heading}\n" + "\n".join(part) + (rest[following:] if following >= 0 else "")


def row(stand: Stand, path: Path, machines: bool) -> Row:
    """Break the lab as a case says, print what doctor names then, and put it right."""
    case = read_case(path)
    lab = stand.lab(case["plays"])
    _put_right(stand, lab, case["plays"], machines)
    sound = _codes(lab, stand.hosts)
    with broken(case, stand.hosts):
        began = time.monotonic()
        named = _codes(lab, stand.hosts)
        seconds = time.monotonic() - began
    _put_right(stand, lab, case["plays"], machines)
    new = {key: cause for key, cause in named.items() if key not in sound}
    codes = {key.partition(":")[0] for key in new}
    right = codes == NAMED.get(path.stem, set())
    names = ", ".join(sorted(new)) or "nothing"
    print(f"{path.stem:<30} {names:<40} {seconds:>7.1f} {'ok' if right else 'WRONG'}", flush=True)
    for key, cause in new.items() if not right else ():
        print(f"    {key}: {cause}")
    return Row(path.stem, case["title"], tuple(sorted(new)), right)


def _put_right(stand: Stand, lab: Lab, plays: list[str], machines: bool) -> None:
    """The plays are applied; machines are provisioned before, since cases take what provisioning gave them."""
    for _ in range(_ROUNDS):
        reports = [carry_out(provision(lab, stand.hosts, stand.unsupported), Silent())] if machines else []
        reports.append(stand.apply(plays))
        if all(report.ok for report in reports):
            return
    raise AssertionError([(one.failed, one.blocked) for one in reports])


def _codes(lab: Lab, hosts: Hosts) -> dict[str, str]:
    run = examined(of_lab(lab), Silent(), hosts={name: hosts[name] for name in hosts})
    return {one.key: one.cause for one in run.findings}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
