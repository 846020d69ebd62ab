"""shared_file: one file, seen and written from several places.

Each place writes the file and every other reads it; then all append at the same time under flock(1), and each reads the
whole. The file is a new one per run beside `path`: nobody's data is touched, and no NFS client can have cached that it
does not exist (it keeps that for up to a minute). A reader opens after the writer closed, which is when NFS promises to
show what was written.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import Field

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model.base import Issue
from clusterlab.model.playbook import Play
from clusterlab.model.probes import Probe, absolute
from clusterlab.model.problems import Problem
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import names_exist
from clusterlab.parallel import parallel, results_of
from clusterlab.remote.completed import Completed
from clusterlab.results import Link, Outcome

from .. import history
from ..finding import Finding, ask_each, finding, outcome_of, unasked
from ..inside import path_inside
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where
from ..place import Place, WrongAnswer
from ..places import Places
from ..volume_paths import volumes_at

WRITE = 'printf "%s\\n" "$2" > "$1"'
# The file is opened for the append after the lock is held, and closed before it is released: so NFS shows it whole.
# An NFS client that waits for a lock may ask its server again only after up to 30 s: so each try is a request of its
# own. flock(1) ends with 1 when somebody else holds the lock. Each place has written the file by now: to create one
# would be to write another. A link in its place is refused: on the host it may lead out of the container, as root.
APPEND = (
    'n=1; while [ "$n" -le "$3" ]; do '
    '[ -f "$1" ] && [ ! -L "$1" ] || { echo "$1 is not a file" >&2; exit 1; }; exec 9>> "$1"; '
    "until flock -n 9; do [ $? -eq 1 ] || exit 1; sleep 0.1 || sleep 1; done; "
    'printf "%s %s\\n" "$2" "$n" >> "$1" || exit 1; exec 9>&-; n=$((n+1)); done'
)
_PATIENCE = 20.0  # seconds for one step; a dead NFS server makes everything hang
_LOCK_PATIENCE = 100.0  # seconds: a server that has just started grants no lock for 90 s
_PER_APPEND = 0.5  # seconds more for each line: every one waits for the lock
_KILLED = 137
_HINT = (
    "the places do not share the file: are the volumes' options the same on each host, and does `df` show the same "
    "source? Lost lines mean that locks do not reach the server"
)


class SharedFileProbe(Probe):
    """Each place writes and every other reads.

    Then each appends under a lock, and every place reads all of it.
    """

    path: str = Field(description="a file that is the same in every place", examples=["/data/sharedfile"])
    appends: int = Field(default=5, ge=1, description="lines that each place appends")

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        yield from absolute(self.path)


class SharedFile(CheckKind[SharedFileProbe]):
    name = "shared_file"
    model = SharedFileProbe
    effort = 10.0
    tools = ("flock", "timeout")

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: SharedFileProbe) -> Iterator[Problem]:
        yield from names_exist(files, file, path, probe)
        if len({*files.expand(probe.on), *probe.in_}) == 1:
            yield file.problem(path, "one place alone shares nothing", "Name at least two places.", key=True)

    def opens(self, probe: SharedFileProbe, play: Play) -> frozenset[str]:
        return volumes_at(play, probe.in_, probe.path)

    def ask(self, probe: SharedFileProbe, places: Places) -> list[Finding]:
        """One finding for writing and reading, one for the appends.

        The file is removed however it ends.
        """
        everywhere = places.of(probe)
        if len(everywhere) < 2:
            raise UsageError(f"shared_file needs two places or more, and has only {everywhere[0]}")
        identity = uuid.uuid4().hex[:8]
        run = _Run(places, everywhere, f"{probe.path}.{identity}", identity, probe.appends)
        try:
            findings = _write_and_read(run)
            if outcome_of(findings) is Outcome.PASS:
                findings += _append_and_read(run)
        finally:
            leftover = _remove(run)
        return findings + leftover

    def manual(self, probe: SharedFileProbe, where: Where) -> Iterator[Line]:
        """Each writes and all others read.

        Then all append at the same time, and each must read all lines in order.
        """
        path, everywhere = f"{probe.path}.manual", where.of(probe)
        names = [place.container or place.host for place in everywhere]
        for writer, name in zip(everywhere, names, strict=True):
            yield Line(writer.host, writer.typed(["sh", "-c", WRITE, "sh", path, name]))
            for reader in everywhere:
                if reader != writer:
                    reading = reader.typed(["cat", path])
                    yield Line(reader.host, reading, f"what {name} wrote", f'[ "$({reading})" = {shlex.quote(name)} ]')
        for place, name in zip(everywhere, names, strict=True):
            yield Line(place.host, _aside(place, ["sh", "-c", APPEND, "sh", path, name, str(probe.appends)]))
        total = probe.appends * len(names)
        for place in everywhere:
            reading = place.typed(["cat", path])
            proof = [f'[ "$({reading} | wc -l)" -eq {total + 1} ]']
            proof += [
                f'[ "$({reading} | grep "^{name} ")" = "$(seq -f "{name} %.0f" {probe.appends})" ]' for name in names
            ]
            wanted = f"all {total} lines: none lost, none duplicated, each place's in order"
            yield Line(place.host, reading, wanted, " && ".join(proof), within=append_patience(probe.appends))
        yield Line(everywhere[0].host, everywhere[0].typed(["rm", "-f", path]))


KIND = SharedFile()


@dataclass(frozen=True)
class _Run:
    """One run: what is written where.

    `identity` makes every line of it unlike those of any other.
    """

    places: Places
    everywhere: list[Place]
    path: str
    identity: str
    appends: int

    def name(self, place: Place) -> str:
        return place.container or place.host


def _write_and_read(run: _Run) -> list[Finding]:
    """One finding for all pairs, as a matrix.

    When a place cannot be asked, that instead.
    """
    wanted = "what each place writes, every other reads"
    cells: dict[tuple[str, str], str] = {}
    for writer in run.everywhere:
        text = f"{run.identity} {run.name(writer)}"
        try:
            _do(run.places, writer, WRITE, run.path, text)
            cells |= {(run.name(writer), reader): cell for reader, cell in _read_by_all(run, writer, text).items()}
        except ClusterlabError as error:
            return [unasked(writer, wanted, error, _links(run, cells, writer))]
    wrong = [f"{writer} -> {reader}: {cell}" for (writer, reader), cell in cells.items() if cell != "ok"]
    return [
        finding(
            ", ".join(map(str, run.everywhere)),
            _typed_write(run),
            holds=not wrong,
            wanted=wanted,
            found="; ".join(wrong) or f"{len(cells)} of {len(cells)} pairs read what was written",
            output=matrix([run.name(place) for place in run.everywhere], cells),
            hint=_HINT,
            links=_links(run, cells),
        )
    ]


def _links(run: _Run, cells: Mapping[tuple[str, str], str], *writers: Place) -> list[Link]:
    """From each of the writers to every other place; one without a cell is unknown."""
    pairs = [(writer, reader) for writer in writers or run.everywhere for reader in run.everywhere if writer != reader]
    found = []
    for pair in [(run.name(writer), run.name(reader)) for writer, reader in pairs]:
        seen = cells[pair] == "ok" if pair in cells else None
        found.append(Link(*pair, "file", True, seen, cells.get(pair, "")))
    return found


def matrix(names: list[str], cells: dict[tuple[str, str], str]) -> str:
    """Writers down, readers across."""
    rows = [["writer \\ reader", *names]]
    rows += [[writer, *(cells.get((writer, reader), "-") for reader in names)] for writer in names]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _read_by_all(run: _Run, writer: Place, text: str) -> dict[str, str]:
    """What each place but the writer finds, all at the same time."""
    readers = [place for place in run.everywhere if place != writer]
    found = parallel(lambda reader: _read_back(run, reader, text), readers, name="read")
    return dict(zip(map(run.name, readers), results_of(found), strict=True))


def _read_back(run: _Run, place: Place, text: str) -> str:
    """What a reader finds: "ok", or what is wrong."""
    completed = _bounded(run.places, place, ["cat", run.path])
    if not completed.ok:
        missing = "No such file or directory" in completed.stderr  # as the C library says it
        return "no such file" if missing else completed.output or f"exit code {completed.exit}"
    return "ok" if completed.stdout == f"{text}\n" else f"reads {completed.stdout[:60]!r}"


def _append_and_read(run: _Run) -> list[Finding]:
    names = [run.name(place) for place in run.everywhere]
    wanted = (
        f"{run.appends} lines appended by each place at the same time: "
        "none lost, none duplicated, each place's in order"
    )
    # All at the same time, however many there are: that is what the statement is about.
    appended = results_of(
        parallel(lambda place: _append(run, place, wanted), run.everywhere, limit=len(names), name="append")
    )
    failed = [item for item in appended if item is not None]
    if failed:
        return failed
    first = f"{run.identity} {names[-1]}"  # the last that wrote the file

    def read(place: Place) -> Finding:
        argv = ["cat", run.path]
        completed = _run_bounded(run.places, place, argv)
        wrong = history.problems(run.identity, first, names, run.appends, completed.stdout)
        return finding(
            place,
            place.typed(argv),
            holds=not wrong,
            wanted=wanted,
            found="; ".join(wrong) or f"all {run.appends * len(names)} lines, in order",
            output=completed.stdout,
            hint=_HINT,
        )

    return ask_each(run.everywhere, wanted, read)


def _append(run: _Run, place: Place, wanted: str) -> Finding | None:
    """Append from one place; the finding when that did not work.

    An image without flock(1), as Debian's busybox, gets that of its host, which sees the same mount through /proc.
    """
    try:
        path, actual, name = run.path, place, run.name(place)
        if place.container and not run.places.has(place, "flock"):
            pid = run.places.inspect(place)["State"]["Pid"]
            path, actual = path_inside(place.host, str(pid), run.path, run.places), Place(place.host)
        run.places.tool(actual, "flock")
        patience = append_patience(run.appends)
        _do(run.places, actual, APPEND, path, f"{run.identity} {name}", str(run.appends), patience=patience)
    except ClusterlabError as error:
        return unasked(place, wanted, error)
    return None


def append_patience(appends: int) -> float:
    """Seconds until this many lines of each place exist, when all append at once."""
    return _LOCK_PATIENCE + _PER_APPEND * appends


def _do(places: Places, place: Place, script: str, *arguments: str, patience: float = _PATIENCE) -> None:
    _run_bounded(places, place, ["sh", "-c", script, "sh", *arguments], patience)


def _run_bounded(places: Places, place: Place, argv: list[str], patience: float = _PATIENCE) -> Completed:
    """As `_bounded`; raises WrongAnswer unless the command succeeds."""
    completed = _bounded(places, place, argv, patience)
    if not completed.ok:
        raise WrongAnswer(completed.output or f"exit code {completed.exit}", command=place.typed(argv), remedy=_HINT)
    return completed


def _bounded(places: Places, place: Place, argv: list[str], patience: float = _PATIENCE) -> Completed:
    """Run a command that a dead file server may hold up, and end it then.

    Raises WrongAnswer when it did not end.
    """
    if places.has(place, "timeout"):
        argv = ["timeout", "-s", "KILL", f"{patience:g}", *argv]
    completed = places.run(place, argv, timeout=patience + 40)
    if completed.exit == _KILLED:
        raise WrongAnswer(
            f"did not end within {patience:g} s", command=place.typed(argv), remedy="does the file server answer?"
        )
    return completed


def _remove(run: _Run) -> list[Finding]:
    """Remove the file from the first place that can.

    A finding names it when none could.
    """
    last: Finding | None = None
    for place in run.everywhere:
        try:
            _do(run.places, place, 'rm -f "$1"', run.path)
            return []
        except ClusterlabError as error:
            last = unasked(place, f"{run.path} is removed again", error)
    return [last] if last else []


def _typed_write(run: _Run) -> str:
    place = run.everywhere[0]
    typed = place.typed(["sh", "-c", f"echo TEXT > {shlex.quote(run.path)}"])
    return f"{typed}; then on each other: cat {shlex.quote(run.path)}"


def _aside(place: Place, argv: list[str]) -> str:
    """A command that goes on while the next line is typed."""
    if place.container:
        return shlex.join(["docker", "exec", "--detach", place.container, *argv])
    return f"nohup {shlex.join(argv)} > /dev/null 2>&1 &"
