"""A run every night: a systemd timer of the user, or a line for cron.

The latter where there is no systemd.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clusterlab.errors import ClusterlabError, UsageError

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MORE = 900  # seconds beyond the run's own deadline, after which systemd ends it
_SYSTEMCTL_SECONDS = 30
_FOLDERS = ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")


@dataclass(frozen=True)
class Schedule:
    """What is run, where, and when.

    `at` is a local time such as 03:00, `seconds` the deadline of a run.

    `environment` is what neither systemd nor cron has of the user's own.
    """

    lab: str
    command: Sequence[str]
    folder: Path
    at: str
    seconds: float
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _TIME.fullmatch(self.at):
            raise UsageError(f"{self.at!r} is not a time of day", remedy="Write it as 03:00.")
        for word in (*self.command, str(self.folder), *self.environment.values()):
            if any(ord(character) < 32 for character in word):
                raise UsageError(f"a schedule cannot contain control characters: {word!r}")

    @property
    def unit(self) -> str:
        return unit_name(self.lab)

    def service(self) -> str:
        """The service's unit file, as in systemd.service(5).

        KillMode=process leaves the machines of a kept lab alone when the run has ended.
        """
        command = " ".join(_quoted(word) for word in self.command)
        own = "".join(f"Environment={_quoted_setting(f'{name}={at}')}\n" for name, at in self.environment.items())
        return f"""\
[Unit]
Description=Nightly validation of the lab {self.lab}
Documentation=man:systemd.timer(5)

[Service]
Type=oneshot
WorkingDirectory={_specifiers(str(self.folder))}
{own}\
ExecStart={command}
TimeoutStartSec={self.seconds + _MORE:.0f}
KillMode=process
"""

    def timer(self) -> str:
        """The timer's unit file, as in systemd.timer(5).

        A run that was slept through is made up for.
        """
        return f"""\
[Unit]
Description=Every night: validation of the lab {self.lab}

[Timer]
OnCalendar=*-*-* {self._clock()}:00
Persistent=true

[Install]
WantedBy=timers.target
"""

    def cron_line(self) -> str:
        """The same as a line of crontab(5), where a bare % would end the command."""
        hour, minute = self._clock().split(":")
        own = [f"{name}={shlex.quote(at)}" for name, at in self.environment.items()]
        line = " ".join([f"cd {shlex.quote(str(self.folder))} &&", *own, shlex.join(self.command)])
        return f"{int(minute)} {int(hour)} * * * {line.replace('%', chr(92) + '%')}"

    def _clock(self) -> str:
        hour, minute = self.at.split(":")
        return f"{int(hour):02d}:{minute}"


def unit_name(lab: str) -> str:
    """The units' name without suffix."""
    return f"clusterlab-nightly-{lab}"


def units_folder() -> Path:
    """Where the user's own units are, as in systemd.unit(5)."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".config") / "systemd" / "user"


def own_folders() -> dict[str, str]:
    """The user's own choice of folders.

    Without it, a scheduled run would keep its runs elsewhere.
    """
    return {name: os.environ[name] for name in _FOLDERS if os.environ.get(name)}


def systemd_runs() -> bool:
    """Whether this machine was booted with systemd, as sd_booted(3) determines it."""
    return Path("/run/systemd/system").is_dir()


def write_units(schedule: Schedule, folder: Path) -> list[Path]:
    """Write service and timer into `folder`.

    Raises ClusterlabError when that is not possible.
    """
    texts = {f"{schedule.unit}.service": schedule.service(), f"{schedule.unit}.timer": schedule.timer()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text)
    except OSError as error:
        raise ClusterlabError(f"cannot write the units in {folder}: {error.strerror}") from error
    return [folder / name for name in texts]


def install(schedule: Schedule) -> list[str]:
    """Write the units and start the timer.

    Returns what was done and what remains to be done, a line each.
    """
    paths = write_units(schedule, units_folder())
    timer = f"{schedule.unit}.timer"
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", timer)
    return [
        *(f"wrote {path}" for path in paths),
        f"the lab {schedule.lab} is validated every night at {schedule.at}; see: systemctl --user list-timers {timer}",
        "so that it also runs while you are logged out: loginctl enable-linger",
    ]


def uninstall(lab: str) -> list[str]:
    """Stop the timer and remove the units; returns what was done, a line each."""
    paths = [units_folder() / f"{unit_name(lab)}.{suffix}" for suffix in ("timer", "service")]
    there = [path for path in paths if path.exists()]
    if not there:
        return [f"no units of the lab {lab} exist in {units_folder()}; nothing was removed"]
    if systemd_runs():
        _systemctl("disable", "--now", there[0].name)
    try:
        for path in there:
            path.unlink()
    except OSError as error:
        raise ClusterlabError(f"cannot remove {error.filename}: {error.strerror}") from error
    if systemd_runs():
        _systemctl("daemon-reload")
    return [f"removed {path}" for path in there]


def _systemctl(*words: str) -> None:
    command = ["systemctl", "--user", *words]
    manual = f"Run it yourself, logged in as the user: {shlex.join(command)}"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SYSTEMCTL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterlabError(f"{shlex.join(command)} cannot be run: {error}", remedy=manual) from error
    if done.returncode:
        raise ClusterlabError(
            f"{shlex.join(command)} ended with exit code {done.returncode}", remedy=manual, detail=done.stderr.strip()
        )


def _quoted(word: str) -> str:
    """A word of ExecStart, where systemd would replace $NAME too."""
    return _quoted_setting(word.replace("$", "$$"))


def _quoted_setting(word: str) -> str:
    """A word in quotes, with what systemd would replace written twice."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_specifiers(escaped)}"'


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")
