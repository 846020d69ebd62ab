"""False alarms of doctor, and what it costs: python -m tests.bench.doctor [--runs N] [PHASE ...]

Every phase runs doctor N times (default: 10) on a sound lab, and prints the seconds and counts of the runs, where the
seconds went, and each code that was found. An error, or something that could not be asked, is a false alarm: then it
ends with 1.

    idle      three engines in namespaces with a service, volumes, binds and an overlay
    probe     the same with --probe
    update    the same during rolling updates of the service, one after the other
    plays     the plays of the project are applied, on two engines in namespaces
    checks    the same while their checks run
    many      engines in namespaces in one Swarm, as many as --hosts says (default: 50)
    lab       the lab of --inventory, which must be up (virtual machines, say)
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

from clusterlab.doctor.examination import Examination
from clusterlab.doctor.finding import Finding, Severity, Unknown
from clusterlab.doctor.run import Scope, examined, of_lab
from clusterlab.model import load_inventory
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent, Task
from tests.support.doctor_lab import patient
from tests.support.labs import lab_up, namespaces_lab
from tests.support.play_bench import stand_up

PHASES = ("idle", "probe", "update", "plays", "checks", "many", "lab")


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phases", nargs="*", metavar="PHASE", choices=[[], *PHASES], default=[], help="default: idle")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--inventory", type=Path)
    given = parser.parse_args(words)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    alarms = 0
    for phase in given.phases or ["idle"]:
        with scope_of(phase, given) as scope:
            alarms += watched(phase, scope, given.runs)
    print(f"{alarms} false alarms")
    return 1 if alarms else 0


@contextmanager
def scope_of(phase: str, given: argparse.Namespace) -> Iterator[Scope]:
    """A sound lab that is up for a phase."""
    name = f"bench-doctor-{os.getpid()}"
    if phase == "lab":
        yield of_lab(load_inventory(given.inventory))
    elif phase == "many":
        with lab_up(namespaces_lab(name, "10.62.0.0/22", docker_hosts=given.hosts)) as up:
            report = carry_out(provision(up.lab, up.hosts, up.machines.unsupported()), Silent())
            assert report.ok, report.failed
            yield of_lab(up.lab)
    elif phase in ("plays", "checks"):
        with tempfile.TemporaryDirectory() as folder, stand_up(Path(folder)) as stand:
            report = stand.apply([])
            assert not report.failed, report.failed
            lab = stand.lab([])
            with repeated(lambda: stand.check([])) if phase == "checks" else repeated(None):
                yield of_lab(lab)
    else:
        with patient(name, "10.62.0.0/24", "app") as up:
            update = "docker service update -q --force --update-delay 1s web"
            work = (lambda: up.hosts["host1"].run(update, timeout=120)) if phase == "update" else None
            with repeated(work):
                yield replace(of_lab(up.lab), probe=phase == "probe")


@contextmanager
def repeated(work: Callable[[], object] | None) -> Iterator[None]:
    """The work is done again and again in another thread while the block runs."""
    if work is None:
        yield
        return
    ended = Event()

    def loop() -> None:
        while not ended.is_set():
            work()

    thread = Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Timed(Silent):
    """Adds up how long each of doctor's tasks takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def task(self, subject: str, doing: str) -> Iterator[Task]:
        began = time.monotonic()
        with super().task(subject, doing) as task:
            yield task
        self.seconds[doing] += time.monotonic() - began


def watched(phase: str, scope: Scope, runs: int) -> int:
    """Run doctor that often; the number of runs with a false alarm."""
    found: Counter[str] = Counter()
    seconds, alarms, last, timed = list[float](), 0, None, Timed()
    for _ in range(runs):
        last = examined(scope, timed)
        seconds.append(last.seconds)
        codes = {f"{one.severity} {one.code}" for one in last.findings}
        codes |= {f"unknown {one.code} {one.subject}: {one.reason}" for one in _unknown(phase, last)}
        found.update(codes)
        errors = [one for one in last.findings if one.severity is Severity.ERROR and not _true(phase, one)]
        alarms += bool(errors) or any(code.startswith("unknown") for code in codes)
        for one in errors:
            print(f"    {one.key}: {one.cause}")
    assert last is not None
    most = {kind: max(one.get(kind, 0) for one in last.counts.values()) for kind in ("connections", "commands")}
    requests = sum(one.get("requests", 0) for one in last.counts.values()) / len(last.hosts)
    middle, longest = statistics.median(seconds), max(seconds)
    print(
        f"{phase:<7} {runs} runs on {len(last.hosts)} hosts: {middle:.1f} s, at most {longest:.1f} s; a host: {most}, "
    )
    print(f"        {requests:.1f} requests on average; {dict(found)}")
    parts = {doing: took / runs for doing, took in timed.seconds.items()}
    parts["diagnosing and connecting"] = statistics.mean(seconds) - sum(parts.values())
    print(f"        {', '.join(f'{doing} {took:.2f} s' for doing, took in parts.items())}", flush=True)
    return alarms


def _true(phase: str, found: Finding) -> bool:
    """Whether an error is no false alarm: engines in namespaces have this kernel, which may have no IPVS."""
    return phase != "lab" and "its kernel has no IPVS" in found.cause and not Path("/proc/net/ip_vs").exists()


def _unknown(phase: str, run: Examination) -> list[Unknown]:
    """What could not be asked; mounts where the kernel has no NFS do not count."""
    return [one for one in run.unknown if not (phase == "probe" and "No such device" in one.reason)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
