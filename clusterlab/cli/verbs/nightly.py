from __future__ import annotations

from invoke.exceptions import Exit

from clusterlab.cli.verb import DRY_RUN, INVENTORY, JSON, PLAY, PLAYBOOKS, Call, err, out, verb
from clusterlab.cli.verbs.check import JUNIT, STRICT
from clusterlab.pipeline.lock import Exclusive

AT = "03:00"


@verb(
    Exclusive("nightly"),
    {
        "play": PLAY,
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "json": JSON,
        "junit": JUNIT,
        "strict": STRICT,
        "cluster": "also test the connectivity of all nodes, as `clusterlab test-cluster` does",
        "drills": "also carry out the plays' drills, after everything else",
        "start": "where to start: fresh (recreated machines), apply (the lab as it is) or restore:SNAPSHOT "
        "(default: fresh; apply on existing machines)",
        "keep": "keep the lab afterwards: on-failure, always or never "
        "(default: on-failure; always on existing machines)",
        "wait": "how long to wait for another command that uses the lab to end",
        "deadline": "how long the whole run may take",
        "keep_runs": "how many runs are kept",
        "keep_days": "for how many days runs are kept",
        "notify": "a command that receives the summary as JSON on standard input; not run through a shell",
        "notify_deadline": "how long that command may take",
        "install": "schedule the run for every night: with a systemd timer, or with the cron line that is printed",
        "uninstall": "remove that timer; with --lab NAME when the inventory is gone",
        "at": f"when, with --install: a local time (default: {AT})",
        "lab": "the lab's name, with --uninstall",
        "dry_run": DRY_RUN,
    },
    lists=("play",),
)
def nightly(
    call: Call,
    play: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    json: str = "",
    junit: str = "",
    strict: bool = False,
    cluster: bool = False,
    drills: bool = False,
    start: str = "",
    keep: str = "",
    wait: str = "0s",
    deadline: str = "4h",
    keep_runs: int = 30,
    keep_days: int = 90,
    notify: str | None = None,
    notify_deadline: str = "60s",
    install: bool = False,
    uninstall: bool = False,
    at: str = "",
    lab: str = "",
    dry_run: bool = False,
) -> None:
    """Validate the lab from a known state, and keep a report of it."""
    from clusterlab.cli import nightly_request
    from clusterlab.cli.output_files import OutputFiles
    from clusterlab.cli.session import lab_name
    from clusterlab.errors import UsageError
    from clusterlab.reports.nightly import show_nightly_run

    if dry_run and (install or uninstall):
        raise UsageError("--dry-run shows a run, not its schedule", remedy="Leave --install or --uninstall out.")
    if install and uninstall:
        raise UsageError("--install and --uninstall are mutually exclusive", remedy="Give one of them.")
    for flag, given, belongs in (("--at", at, install), ("--lab", lab, uninstall)):
        if given and not belongs:
            needed = "--install" if flag == "--at" else "--uninstall"
            raise UsageError(f"{flag} has no effect without {needed}", remedy=f"Add {needed}, or leave {flag} out.")
    if uninstall:
        print("\n".join(nightly_request.unschedule(lab_name(inventory, lab))))
        return
    request = nightly_request.read(
        inventory=inventory,
        plays=play,
        playbooks=playbooks,
        strict=strict,
        cluster=cluster,
        drills=drills,
        start=start,
        keep=keep,
        wait=wait,
        deadline=deadline,
        keep_runs=keep_runs,
        keep_days=keep_days,
        notify=notify,
        notify_deadline=notify_deadline,
    )
    if install:
        print("\n".join(nightly_request.schedule(request, at or AT)))
        return
    if dry_run:
        for line in nightly_request.described(request):
            out().print(line, highlight=False, markup=False, soft_wrap=True)
        return
    files = OutputFiles(json, junit)
    record = nightly_request.begin_record(request)
    try:
        nightly_request.carry_out(request, record, err())
    finally:  # an interrupted run has what it found until then
        files.write(record.run.document(), record.run.as_run())
    if not files.to_stdout:
        show_nightly_run(out(), record.run)
    raise Exit(code=nightly_request.conclude(record, err()))
