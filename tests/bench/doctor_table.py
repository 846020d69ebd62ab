"""What doctor names on labs that the broken cases make: python -m tests.bench.doctor_table [--lab FILE] [CASE ...]

The cases are those of tests/engine/plays/broken, on engines in namespaces; with --lab those of tests/lab/broken, on the
lab of that inventory, which must be up and have the plays applied. A row has the case, what doctor names that it does
not name on the sound lab, and whether that is the cause. NAMED lists the causes; of the other cases doctor must say
nothing: they break what a play wants of its own containers, which is no fault of a cluster. It ends with 1 for a wrong
row.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clusterlab.doctor.run import examined, of_lab
from clusterlab.machines import open_machines
from clusterlab.model import Lab, load_inventory
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from tests.bench.broken import FOLDERS
from tests.support.check_cases import broken, case_files, read_case
from tests.support.play_bench import Stand, stand_up

NAMED = {
    "overlay-small-packets": {"CL111"},
    "overlay-vxlan-dropped": {"CL305"},
    "vxlan-dropped": {"CL305"},
    "service-vxlan-dropped": {"CL305"},
    "overlay-esp-dropped": {"CL308"},
    "nfs-server-stopped": {"CL403"},
    "export-removed": {"CL404"},
    "ports-forwarded": {"CL301"},
    "swarm-left": {"CL209"},
    "nfs-volume-missing": {"CL401"},
    "volume-made-manually": {"CL401"},
}
"""Codes by case."""


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--lab", type=Path)
    given = parser.parse_args(words)
    folder = FOLDERS["qemu" if given.lab else "namespaces"]
    paths = [path for path in case_files(folder) if path.stem in given.cases or not given.cases]
    wrong = 0
    with _stand(given.lab) as stand:
        print(f"{'case':<30} {'doctor names':<40} verdict")
        for path in paths:
            wrong += not row(stand, path)
    print(f"{len(paths)} cases, {wrong} wrong")
    return 1 if wrong else 0


@contextmanager
def _stand(inventory: Path | None) -> Iterator[Stand]:
    if inventory is None:
        with tempfile.TemporaryDirectory() as folder, stand_up(Path(folder)) as stand:
            yield stand
        return
    machines = open_machines(load_inventory(inventory))
    with Hosts(machines.targets()) as hosts:
        yield Stand(inventory, hosts, machines.unsupported())


def row(stand: Stand, path: Path) -> bool:
    """Break the lab as a case says, print what doctor names then, and put it right."""
    case = read_case(path)
    plays = [case["play"]] if isinstance(case.get("play"), str) else case["plays"]
    lab = stand.lab(plays)
    assert stand.apply(plays).ok
    sound = _codes(lab, stand.hosts)
    with broken(case, stand.hosts):
        named = _codes(lab, stand.hosts)
    assert stand.apply(plays).ok
    new = {key: cause for key, cause in named.items() if key not in sound}
    codes = {key.partition(":")[0] for key in new}
    right = codes == NAMED.get(path.stem, set())
    print(f"{path.stem:<30} {', '.join(sorted(new)) or 'nothing':<40} {'ok' if right else 'WRONG'}", flush=True)
    for key, cause in new.items() if not right else ():
        print(f"    {key}: {cause}")
    return right


def _codes(lab: Lab, hosts: Hosts) -> dict[str, str]:
    run = examined(of_lab(lab), Silent(), hosts={name: hosts[name] for name in hosts})
    return {one.key: one.cause for one in run.findings}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
