"""What `test-cluster` costs on Swarms of several sizes, in namespaces: seconds and counts, as a table.

    sudo .venv/bin/python -m tests.bench.connectivity [--full] [NODES ...]        (default: 3 8 16, with --quick)

All pairs of nodes are tried. Connections, commands, those in containers (`execs`) and requests are the most that any
one host was asked for, as clusterlab itself counts them, and of all hosts together. The last line gives the exponent of
the growth of each column: 1 is linear in the hosts, as is the number of all commands when one host is asked for as many
whatever the cluster. What does not pass at once, since a busy computer brings up networks late, is asked again, each
host with one command more: `again` counts how often.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence

from clusterlab.connectivity import connectivity
from clusterlab.connectivity.names import TITLE
from clusterlab.connectivity.play import Options, with_test
from clusterlab.parallel import parallel, results_of
from clusterlab.pipeline.lock import Exclusive
from clusterlab.pipeline.pipeline import Pipeline
from clusterlab.pipeline.session import open_session
from clusterlab.pipeline.stages import Stages
from clusterlab.progress import Silent
from clusterlab.resources import swarm_actions
from clusterlab.results import Outcome
from tests.bench.growth import exponent
from tests.support.labs import EngineLab, lab_up, namespaces_lab

STAGES = ("leftovers", "survey", "apply", "check", "clean")
COUNTED = ("connections", "commands", "execs", "requests")
COLUMNS = (*(f"{stage} s" for stage in STAGES), "total s", *(f"{one}/host" for one in COUNTED), *COUNTED[1:])
_JOIN_AT_ONCE = 4


def main(sizes: Sequence[int], quick: bool) -> None:
    first = f"{'nodes':8}{'pairs':>7}{'passed':>8}{'other':>7}{'again':>7}"
    print(first + "".join(f"{column:>17}" for column in COLUMNS))
    rows = []
    for size in sizes:
        with lab_up(namespaces_lab(f"connectivity-{os.getpid()}", "10.65.0.0/24", docker_hosts=size)) as up:
            in_swarm(up)
            rows.append(measured(up, quick))
        print(_line(f"{size:<8}{size * (size - 1):7}", rows[-1]), flush=True)
    if len(sizes) > 1:
        each = {column: exponent(sizes, [row[column] for row in rows]) for column in COLUMNS}
        print(f"{'exponent':37}" + "".join(f"{each[column]:17.2f}" for column in COLUMNS))


def in_swarm(up: EngineLab) -> None:
    """All Docker hosts of a lab in one Swarm, the first its manager."""
    addresses = {name: str(host.address) for name, host in up.lab.inventory.hosts.items()}
    first, *others = up.lab.inventory.swarm_hosts
    manager = swarm_actions.Wanted(up.hosts[first], "manager", addresses[first])
    swarm_actions.init(manager, up.lab.name, up.lab.inventory.swarm)
    nodes = [swarm_actions.Wanted(up.hosts[name], "worker", addresses[name]) for name in others]
    joining = parallel(
        lambda node: swarm_actions.join(node, up.lab.name, up.hosts[first]), nodes, limit=_JOIN_AT_ONCE, name="join"
    )
    results_of(joining)


def measured(up: EngineLab, quick: bool) -> dict[str, float]:
    """One test of all nodes, which must pass; what the machines cannot do is unsupported."""
    options, began = Options(quick=quick), time.monotonic()
    lab = with_test(up.lab, options)
    with open_session(lab, Silent(), Exclusive(TITLE)) as session:
        pipeline, stages = Pipeline(session), Stages()
        connectivity.carry_out(pipeline, stages, options)
        total, counts = time.monotonic() - began, session.counts()
    failed = [f"{stage.name}: {stage.message} {stage.detail}" for stage in stages.noted if stage.outcome != "done"]
    bad = [one for one in pipeline.results if one.outcome not in (Outcome.PASS, Outcome.UNSUPPORTED)]
    for one in bad:
        print(f"{one.outcome}: {one.check}: {one.hint} {[item.found for item in one.evidence if not item.holds][:3]}")
    assert not failed, failed
    row = {f"{name} s": seconds for name, seconds in stages.seconds().items()} | {"total s": total}
    for name in COUNTED:
        each = [counts[host].get(name, 0) for host in lab.inventory.swarm_hosts]
        row |= {f"{name}/host": float(max(each)), name: float(sum(each))}
    passed = sum(one.outcome is Outcome.PASS for one in pipeline.results)
    again = sum(one.attempts - 1 for one in pipeline.results if one.attempts)
    return row | {"passed": passed, "other": len(pipeline.results) - passed, "again": again}


def _line(begin: str, row: dict[str, float]) -> str:
    counted = f"{row['passed']:8g}{row['other']:7g}{row['again']:7g}"
    return begin + counted + "".join(f"{row[column]:17.1f}" for column in COLUMNS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="not with --quick")
    parser.add_argument("nodes", nargs="*", type=int, metavar="NODES", default=[])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        main(given.nodes or [3, 8, 16], not given.full)
    sys.exit()
