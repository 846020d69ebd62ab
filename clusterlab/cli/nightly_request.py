"""What the nightly verb asks for, and how it is carried out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from clusterlab.cli.locations import playbooks_path
from clusterlab.cli.session import load, say_shipped
from clusterlab.connectivity.play import with_test
from clusterlab.errors import UsageError
from clusterlab.machines import open_machines
from clusterlab.model import Lab, play_names
from clusterlab.model.base import seconds
from clusterlab.model.problems import either
from clusterlab.nightly import schedule as scheduling
from clusterlab.nightly.known_state import check_start, parse_start
from clusterlab.nightly.nightly_run import NightlyRun
from clusterlab.nightly.notify import parse_command
from clusterlab.nightly.record import Record, begin
from clusterlab.nightly.runner import KEEPS, NightlyRunner, Options
from clusterlab.nightly.runs import Runs, check_retention
from clusterlab.nightly.waivers import Waiver, load_waivers, unknown_waivers, waiver_file
from clusterlab.reports.picture import picture_of
from clusterlab.reports.progress import progress_on
from clusterlab.reports.terminal import show_error


@dataclass(frozen=True)
class Request:
    """A nightly run as the command line describes it, validated."""

    lab: Lab
    inventory: Path
    options: Options
    waivers: list[Waiver]
    keep_runs: int
    keep_days: float
    notes: list[str]
    strict: bool
    words: list[str]  # the command for the same from any folder


def read(
    *,
    inventory: str,
    plays: Sequence[str],
    playbooks: str,
    strict: bool,
    cluster: bool,
    drills: bool,
    start: str,
    keep: str,
    wait: str,
    deadline: str,
    keep_runs: int,
    keep_days: int,
    notify: str | None,
    notify_deadline: str,
) -> Request:
    """Validate all of it, the files too; raises UsageError."""
    path, lab = load(inventory, plays, playbooks)
    lab = with_test(lab) if cluster else lab
    folder = playbooks_path(playbooks, plays, path)
    kind = lab.inventory.kind
    options = Options(
        start=parse_start(start, kind),
        keep=_keep(keep or ("on-failure" if kind.creates else "always")),  # type: ignore[arg-type]
        wait=_duration("--wait", wait),
        deadline=_duration("--deadline", deadline),
        notify=() if notify is None else tuple(parse_command(notify)),
        notify_deadline=_duration("--notify-deadline", notify_deadline),
        connectivity=cluster,
        drills=drills,
    )
    if not options.deadline:
        raise UsageError("--deadline must be more than 0", remedy="For example --deadline 4h.")
    check_retention(keep_runs, keep_days)
    check_start(options.start, open_machines(lab))
    waivers = load_waivers(waiver_file(path))
    words = [*_program(), "nightly", *plays, "-i", str(path.absolute())]
    words += ["--playbooks", str(folder.absolute())]
    for flag, value in (("--start", start), ("--keep", keep), ("--notify", notify)):
        words += [f"{flag}={value}"] if value else []
    words += ["--strict"] if strict else []
    words += ["--cluster"] if cluster else []
    words += ["--drills"] if drills else []
    words += ["--wait", wait, "--deadline", deadline, "--keep-runs", str(keep_runs), "--keep-days", str(keep_days)]
    words += ["--notify-deadline", notify_deadline] if notify else []
    notes = unknown_waivers(waivers, lab, play_names(folder))
    strict = strict or kind.foreign
    return Request(lab, path, options, waivers, keep_runs, keep_days, notes, strict, words)


def described(request: Request) -> list[str]:
    """What the run would do, in its order; contacts no host, and keeps nothing."""
    lab, options = request.lab, request.options
    start = {
        "fresh": "remove the machines, and create them again",
        "apply": "take the machines as they are" + (", and start those that are down" if _creates(lab) else ""),
        "restore": f"restore the snapshot {options.start.snapshot}",
    }
    removed = "remove the machines" if _creates(lab) else "remove what the plays created"
    if options.start.kind == "restore":
        removed = "stop the machines, and keep the snapshot"
    end = {"always": "keep the lab", "never": removed, "on-failure": f"{removed}, unless a statement fails"}
    checks = sum(len(play.checks) for play in lab.plays.values())
    drills = sum(len(play.drills) for play in lab.plays.values())
    return [
        f"lab {lab.name} ({lab.inventory.kind.name}), {len(lab.plays)} plays",
        start[options.start.kind],
        "provision, and apply",
        f"prove {checks} statements",
        "apply again, which must find nothing to do, and run doctor",
        *([f"carry out {drills} drills of plays, and those of stacks"] if options.drills else []),
        end[options.keep],
        f"keep the run for {request.keep_days:g} days at most, and of all runs the last {request.keep_runs}",
        f"at most {options.deadline:g} s in all",
        *request.notes,
    ]


def _creates(lab: Lab) -> bool:
    return lab.inventory.kind.creates


def begin_record(request: Request) -> Record:
    """Begin to keep the run."""
    run = NightlyRun(
        request.lab.name,
        "",
        0,
        inventory=str(request.inventory.absolute()),
        notes=list(request.notes),
        strict=request.strict,
    )
    run.picture = picture_of(request.lab)
    return begin(run, Runs(request.lab.name), request.keep_runs, request.keep_days)


def carry_out(request: Request, record: Record, console: Console) -> None:
    """Carry the run out.

    What came of it is in the record, what could not be written in its problems.
    """
    with progress_on(console) as progress:
        say_shipped(request.inventory, progress)
        NightlyRunner(request.lab, request.options, request.waivers, record, progress).carry_out()


def conclude(record: Record, console: Console) -> int:
    """Say where the run is kept, or why it is not.

    Returns the exit code: 3 when it could not be kept whole.
    """
    for problem in record.problems:
        show_error(console, problem)
    if record.problems:
        return 3
    if record.report is not None:
        console.print(f"Report: {record.report}", highlight=False, soft_wrap=True)
    return record.run.exit_code


def schedule(request: Request, at: str) -> list[str]:
    """Schedule the run for every night; returns what to print.

    Without systemd, that is the line for cron.
    """
    wanted = scheduling.Schedule(
        request.lab.name,
        request.words,
        Path.cwd(),
        at,
        request.options.deadline + request.options.wait,
        scheduling.own_folders(),
    )
    if scheduling.systemd_runs():
        return scheduling.install(wanted)
    return ["This computer does not run systemd. Add this line with `crontab -e`:", "", wanted.cron_line()]


def unschedule(lab: str) -> list[str]:
    """Remove it from the schedule; returns what to print."""
    done = scheduling.uninstall(lab)
    return done if scheduling.systemd_runs() else [*done, "If you added a line for cron, remove it with `crontab -e`."]


def _program() -> list[str]:
    """What runs this program from the folder it was called in.

    Its script beside the interpreter, if installed.
    """
    installed = Path(sys.executable).with_name("clusterlab")
    return [str(installed)] if installed.is_file() else [sys.executable, "-m", "clusterlab"]


def _keep(text: str) -> str:
    if text not in KEEPS:
        raise UsageError(f"--keep cannot be {text!r}", remedy=f"Give {either(list(KEEPS))}.")
    return text


def _duration(flag: str, text: str) -> float:
    try:
        return float(str(seconds(text)))
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from error
