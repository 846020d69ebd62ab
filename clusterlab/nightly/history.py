"""The history of a lab's nightly runs.

Outcomes and durations of every check, kept longer than the runs themselves.

Runs are ordered by their number, never by the clock. A damaged file is kept aside, and a new one is filled from the
runs that are still there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

from clusterlab.errors import ClusterlabError
from clusterlab.files import make_private
from clusterlab.nightly.compare import FAILING, HOLDING
from clusterlab.nightly.nightly_run import CheckId, NightlyRun, Trend
from clusterlab.results import Outcome

SCHEMA_VERSION = 1
"""Version of the tables; raised when an older clusterlab could not read them rightly."""
TREND_RUNS = 20

_TABLES = """
BEGIN;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, run TEXT NOT NULL, started TEXT NOT NULL, seconds REAL NOT NULL, outcome TEXT NOT NULL
);
CREATE TABLE results (
    number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, play TEXT NOT NULL, title TEXT NOT NULL,
    outcome TEXT NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (number, play, title)
) WITHOUT ROWID;
CREATE INDEX results_by_check ON results (play, title, number);
PRAGMA user_version = 1;
COMMIT;
"""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True)
class PastRun:
    number: int
    run: str
    started: datetime
    seconds: float
    outcome: str


@dataclass(frozen=True)
class PastResult:
    run: PastRun
    outcome: Outcome
    seconds: float


class _Damaged(Exception):
    """The file is not a sound database."""


class History:
    """An open history; use as a context manager.

    Every method raises ClusterlabError when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        """What a person should know of the file itself."""
        self._db = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, run: NightlyRun) -> None:
        """Record a run, or record it again as it is now."""
        entry = (run.number, run.run, run.started.isoformat(), run.seconds, run.outcome)
        rows = [(run.number, result.play, result.check, result.outcome.value, result.seconds) for result in run.results]
        with self._explained(), self._db:
            self._db.execute("DELETE FROM results WHERE number = ?", (run.number,))
            self._db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)", entry)
            self._db.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?)", rows)

    def runs(self, most: int = 1_000_000) -> list[PastRun]:
        """The newest `most` runs, the oldest of them first."""
        with self._explained():
            rows = self._db.execute("SELECT * FROM runs ORDER BY number DESC LIMIT ?", (most,)).fetchall()
        return [_past_run(row) for row in reversed(rows)]

    def last_number(self) -> int:
        runs = self.runs(1)
        return runs[-1].number if runs else 0

    def before(self, number: int) -> tuple[PastRun, dict[CheckId, Outcome]] | None:
        """The newest run before `number` in which checks were run, with their outcomes.

        None when there is none.
        """
        query = "SELECT * FROM runs WHERE number = (SELECT max(number) FROM results WHERE number < ?)"
        with self._explained():
            row = self._db.execute(query, (number,)).fetchone()
            if row is None:
                return None
            found = self._db.execute("SELECT play, title, outcome FROM results WHERE number = ?", (row[0],)).fetchall()
        return _past_run(row), {CheckId(play, title): Outcome(outcome) for play, title, outcome in found}

    def checks(self) -> list[CheckId]:
        """Every check that was ever run."""
        with self._explained():
            rows = self._db.execute("SELECT DISTINCT play, title FROM results ORDER BY play, title").fetchall()
        return [CheckId(*row) for row in rows]

    def series(self, check: CheckId, most: int = 1_000_000) -> list[PastResult]:
        """The newest `most` results of a check, the oldest of them first."""
        query = (
            "SELECT runs.*, results.outcome, results.seconds FROM results JOIN runs USING (number) "
            "WHERE play = ? AND title = ? ORDER BY number DESC LIMIT ?"
        )
        with self._explained():
            rows = self._db.execute(query, (*check, most)).fetchall()
        return [PastResult(_past_run(row[:5]), Outcome(row[5]), row[6]) for row in reversed(rows)]

    def trend(self, check: CheckId, runs: int = TREND_RUNS) -> Trend:
        """A check over its last runs, the newest included."""
        return trend(check, self.series(check), runs)

    def _open(self) -> sqlite3.Connection:
        try:
            return self._sound(self.path)
        except _Damaged as damage:
            aside = self._put_aside()
            self.notes.append(
                f"the history was damaged ({damage}): it is kept as {aside}, "
                "and a new one was begun from the runs still kept"
            )
        try:
            return self._sound(self.path)
        except _Damaged as damage:
            raise ClusterlabError(f"a new history at {self.path} is damaged at once: {damage}") from damage

    def _sound(self, path: Path) -> sqlite3.Connection:
        """An open database with its tables.

        Raises _Damaged when it is none, or not a sound one.
        """
        with self._explained(damage=True):
            make_private(path.parent)
            path.touch(mode=0o600)
            database = sqlite3.connect(path)
            with ExitStack() as unless_good:
                unless_good.callback(database.close)
                database.execute("PRAGMA foreign_keys = ON")
                (form,) = database.execute("PRAGMA user_version").fetchone()
                (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise _Damaged(verdict)
                if form == 0:
                    database.executescript(_TABLES)
                if form > SCHEMA_VERSION:
                    raise ClusterlabError(f"{path} was written by a newer clusterlab", remedy="Use that version.")
                unless_good.pop_all()
        return database

    def _put_aside(self) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        try:
            self.path.rename(aside)
            for left in ("-wal", "-shm", "-journal"):
                self.path.with_name(self.path.name + left).unlink(missing_ok=True)
        except OSError as error:
            raise ClusterlabError(f"the damaged history {self.path} cannot be moved aside: {error.strerror}") from error
        return aside

    @contextmanager
    def _explained(self, damage: bool = False) -> Iterator[None]:
        """Turn what goes wrong with the file into an error that says so.

        With `damage`, damage is distinguished.
        """
        try:
            yield
        except sqlite3.Error as error:
            if damage and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                raise _Damaged(str(error)) from error
            raise ClusterlabError(
                f"the history {self.path} cannot be used: {error}",
                remedy="See `df` and the file's owner; without it, runs are still written.",
            ) from error
        except OSError as error:
            raise ClusterlabError(f"the history {self.path} cannot be created: {error.strerror}") from error


def trend(check: CheckId, series: Sequence[PastResult], runs: int = TREND_RUNS) -> Trend:
    """What a whole series of results, the oldest first, comes to.

    `runs` is how many of them are shown.
    """
    shown = series[-runs:]
    ran = [item for item in shown if item.outcome in (*HOLDING, Outcome.FAIL)]
    flaky = sum(item.outcome is Outcome.FLAKY for item in ran)
    usual = [item.seconds for item in shown[:-1] if item.outcome in HOLDING]
    streak: list[PastResult] = []
    for item in reversed(series):
        if item.outcome not in FAILING:
            break
        streak.append(item)
    return Trend(
        check.play,
        check.check,
        [item.outcome.value for item in shown],
        [round(item.seconds, 3) for item in shown],
        flaky / len(ran) if ran else 0.0,
        round(median(usual), 3) if usual else 0.0,
        streak[-1].run.started if streak else None,
        len(streak),
    )


def _past_run(row: Sequence[object]) -> PastRun:
    number, run, started, seconds, outcome = row
    return PastRun(int(str(number)), str(run), datetime.fromisoformat(str(started)), float(str(seconds)), str(outcome))
