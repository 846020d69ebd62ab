"""A nightly run as it may be found in the morning: things that hold, that broke, that are flaky, waived and unsupported."""

# ruff: noqa: E501  (tables read better with long lines)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clusterlab.nightly.history import PastResult, PastRun, trend
from clusterlab.nightly.nightly_run import Changes, CheckId, NightlyRun, run_verdict
from clusterlab.pipeline.stages import Stage
from clusterlab.reports.drawn import DrawnContainer, DrawnHost, DrawnService, DrawnShared, Picture
from clusterlab.results import Evidence, Link, Outcome, Result

BEGAN = datetime(2026, 3, 14, 3, 0, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\x1b[31m"


def ping(start: str, end: str, holds: bool = True, apart: bool = False) -> Evidence:
    words = f"{end} answers 2 of 2 pings"
    reached = holds is not apart
    found = "2 of 2 packets came back" if reached else "none of 2 packets came back: timed out"
    source, target = start.partition(" on ")[0], end.partition(" on ")[0]
    return Evidence(
        start,
        f"ping -c 2 -W 10 {end}",
        f"must not be: {words}" if apart else words,
        found,
        "PING beta (10.0.1.4): 56 data bytes\n\n--- beta ping statistics ---\n2 packets transmitted",
        holds,
        {} if holds else {"journal of host2": "kernel: vxlan: dropped", "log of beta": HOSTILE},
        links=(Link(source, target, "ping", not apart, reached, found),),
    )


MATRIX = "writer \\ reader  apphost1  apphost2\napphost1         -         no such file\napphost2         ok        -"

RESULTS = [
    Result("nightly", "host1 answers", "host", Outcome.PASS, evidence=(Evidence("host1", "ssh", "answers", "yes"),)),
    Result(
        "networks/overlay",
        "alpha on host1 reaches beta on host2 by its name",
        "ping",
        Outcome.FAIL,
        9,
        20.4,
        (ping("alpha on host1", "beta", holds=False),),
        "UDP 4789 between the hosts",
    ),
    Result(
        "networks/overlay",
        "beta on host2 reaches alpha on host1 by its name",
        "ping",
        Outcome.PASS,
        1,
        1.2,
        (ping("beta on host2", "alpha"),),
    ),
    Result(
        "networks/overlay",
        "the LAN does not reach the address of beta",
        "ping",
        Outcome.PASS,
        1,
        3.0,
        (ping("gw", "beta on network shared_net", apart=True), ping("host1", "beta on network shared_net", apart=True)),
    ),
    Result(
        "networks/host",
        "host2 gets the page from the address of host1",
        "http",
        Outcome.FLAKY,
        2,
        7.1,
        (
            Evidence(
                "host2",
                "curl -sS -v http://192.168.98.11/",
                "http://192.168.98.11/ answers with status 200",
                "refused",
                "curl: (7) Failed to connect",
                False,
                links=(Link("host2", "host1", "http 80", True, False, "refused"),),
            ),
            Evidence(
                "host2",
                "curl -sS -v http://192.168.98.11/",
                "http://192.168.98.11/ answers with status 200",
                "status 200",
                links=(Link("host2", "host1", "http 80", True, True, "status 200"),),
            ),
        ),
    ),
    Result(
        "volumes/nfs",
        "what one container writes the other reads",
        "shared_file",
        Outcome.ERROR,
        1,
        41.0,
        (
            Evidence(
                "apphost1 on host1, apphost2 on host2",
                "docker exec apphost1 sh -c 'echo TEXT > /data/f'",
                "what each place writes, every other reads",
                "apphost1 -> apphost2: no such file",
                MATRIX,
                False,
                links=(
                    Link("apphost1", "apphost2", "file", True, False, "no such file"),
                    Link("apphost2", "apphost1", "file", True, True, "ok"),
                ),
            ),
        ),
        "the places do not share the file",
    ),
    Result(
        "volumes/nfs",
        "df in the containers shows the share",
        "command",
        Outcome.WAIVED,
        1,
        0.4,
        (Evidence("apphost1 on host1", "df -h /data", "contains ':/shares'", HOSTILE, HOSTILE, False),),
        "waived by ada until 2026-12-31: the NAS is being replaced",
    ),
    Result(
        "services/vip",
        "the service answers at its virtual address",
        "http",
        Outcome.UNSUPPORTED,
        0,
        0.0,
        hint="needs ipvs: this kernel has no module ip_vs",
    ),
]

PICTURE = Picture(
    [DrawnHost("gw", "192.168.98.1", ["nfs_server"]), DrawnHost("host1", "192.168.98.11", ["docker", "swarm_manager"]),
     DrawnHost("host2", "192.168.98.12", ["docker", "swarm_worker"])],
    [DrawnContainer("apphost1", "host1", "shell", ["nfs_gw"]), DrawnContainer("alpha", "host1", "shell", ["shared_net"]),
     DrawnContainer("web", "host1", "web", []), DrawnContainer("apphost2", "host2", "shell", ["nfs_gw"]),
     DrawnContainer("beta", "host2", "shell", ["shared_net"])],
    [DrawnService("hello", "web", "2", ["shared_net"]), DrawnService("beta", "web", "one per node", ["nfs_gw"])],
    [DrawnShared("shared_net", "network", "overlay"), DrawnShared("nfs_gw", "volume", "nfs", "gw")],
)  # fmt: skip


def _past(result: Result, runs: int) -> list[PastResult]:
    """A check that held until two runs ago, and was flaky once a week."""
    past = []
    for number in range(1, runs):
        run = PastRun(number, f"r{number}", BEGAN - timedelta(days=runs - number), 300.0, "pass")
        broken = number >= runs - 2 and result.outcome in (Outcome.FAIL, Outcome.ERROR)
        outcome = result.outcome if broken else (Outcome.FLAKY if number % 7 == 0 else Outcome.PASS)
        past.append(PastResult(run, outcome, 1.0 + number % 3))
    last = PastRun(runs, "now", BEGAN, 300.0, "fail")
    return [*past, PastResult(last, result.outcome, result.seconds)]


def nightly_run() -> NightlyRun:
    """The whole of it."""
    made = NightlyRun(
        "demo", "20260314T030000Z", 15, started=BEGAN, seconds=412.5, inventory="/home/ada/lab/inventory/default.yml"
    )
    made.stages = [
        Stage("lock", "done", 0.0),
        Stage("start", "done", 152.0, "recreated the machines"),
        Stage("hosts", "done", 2.0, "3 of 3 answer"),
        Stage("provision", "done", 88.0, "14 changed"),
        Stage(
            "apply",
            "failed",
            64.0,
            "1 failed",
            "host2: container beta: see its log",
            f"host2: container beta: {HOSTILE}",
        ),
        Stage("check", "done", 70.0, "8 checks"),
        Stage("apply again", "skipped", 0.0, "provision and apply did not make everything"),
        Stage("collect", "done", 6.0),
        Stage("clean up", "skipped", 0.0, "the lab is kept for inspection, because not everything passed"),
        Stage("write", "done", 0.2),
    ]
    made.results = list(RESULTS)
    made.picture = PICTURE
    made.notes = ["nothing to worry about: " + HOSTILE]
    made.versions = {
        name: {"kernel": "6.12.48", "engine": "26.1.5", "nfs": "2.8.3"} for name in ("gw", "host1", "host2")
    }
    made.trends = [trend(CheckId(result.play, result.check), _past(result, 15)) for result in RESULTS]
    ids = [CheckId(result.play, result.check) for result in RESULTS]
    made.changes = Changes("20260313T030000Z", BEGAN - timedelta(days=1), [ids[1]], [ids[2]], [ids[4]], [ids[5]])
    made.finished = True
    made.outcome = run_verdict(made.results, made.stages)
    return made
