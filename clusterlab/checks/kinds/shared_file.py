"""shared_file: files that are written from several places and are the same in all of them.

Each place writes a file and reads those of all others; then all append to one of them at the same time under flock(1),
and each reads the whole. Each step is one command at each place, so that their number is that of the places and not of
the pairs. The files are new ones per run beside `path`: nobody's data is touched, and no NFS client can have cached
that one does not exist (it keeps that for up to a minute). A reader opens after all writers closed, which is when NFS
promises to show what was written. All append to a file that the others have read before: a client that goes on showing
what it read then is found out.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model.base import Issue
from clusterlab.model.playbook import Play
from clusterlab.model.probes import Probe, absolute
from clusterlab.model.problems import Problem, listed
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import names_exist
from clusterlab.parallel import parallel, results_of
from clusterlab.remote.completed import Completed
from clusterlab.results import Outcome

from .. import history
from ..finding import Finding, ask_each, finding, outcome_of, unasked
from ..inside import path_inside
from ..kind import CheckKind
from ..manual.line import Line
from ..manual.where import Where
from ..place import Place, WrongAnswer
from ..places import Places
from ..shared_pairs import OK, Cells, Pair, cell, links, matrix
from ..volume_paths import volumes_at

WRITE = 'printf "%s\\n" "$2" > "$1"'
# The file is opened for the append after the lock is held, and closed before it is released: so NFS shows it whole.
# An NFS client that waits for a lock may ask its server again only after up to 30 s: so each try is a request of its
# own. flock(1) ends with 1 when somebody else holds the lock. Each place has written the file by now: to create one
# would be to write another. A link in its place is refused, also one that takes its place meanwhile: on the host it may
# lead out of the container, as root. So what is opened, for reading and thus creating nothing, must be what the name
# itself stands for, and all lines go through what is open.
APPEND = (
    '[ -f "$1" ] && exec 8< "$1" && '
    'file=$(stat -c "%F %d %i" "$1") && [ "$file" = "$(stat -L -c "%F %d %i" /proc/self/fd/8)" ] || '
    '{ echo "$1 is not a file" >&2; exit 1; }; '
    'n=1; while [ "$n" -le "$3" ]; do exec 9>> /proc/self/fd/8; '
    "until flock -n 9; do [ $? -eq 1 ] || exit 1; sleep 0.1 || sleep 1; done; "
    'printf "%s %s\\n" "$2" "$n" >> /proc/self/fd/9 || exit 1; exec 9>&-; n=$((n+1)); done'
)
_TOOLS = ("flock", "stat")
_BOUNDED = (
    'seconds=$1; shift; if command -v timeout > /dev/null; then exec timeout -s KILL "$seconds" "$@"; fi; exec "$@"'
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
    appends: int = Field(default=5, ge=0, description="lines that each place appends; with 0 nothing is appended")

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        yield from absolute(self.path)


class SharedFile(CheckKind[SharedFileProbe]):
    name = "shared_file"
    model = SharedFileProbe
    effort = 10.0
    tools = _TOOLS

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: SharedFileProbe) -> Iterator[Problem]:
        yield from names_exist(files, file, path, probe)
        if len({*files.expand(probe.on), *probe.in_}) == 1:
            yield file.problem(path, "one place alone shares nothing", "Name at least two places.", key=True)

    def opens(self, probe: SharedFileProbe, play: Play) -> frozenset[str]:
        return volumes_at(play, probe.in_, probe.path)

    def ask(self, probe: SharedFileProbe, places: Places) -> list[Finding]:
        """One finding for writing and reading, one at each place for the appends.

        The files are removed however it ends.
        """
        everywhere = list(dict.fromkeys(places.of(probe)))
        if len(everywhere) < 2:
            raise UsageError(f"shared_file needs two places or more, and has only {everywhere[0]}")
        identity = uuid.uuid4().hex[:8]
        run, shared = _Run(places, everywhere, f"{probe.path}.{identity}", identity, probe.appends), False
        try:
            findings = _write_and_read(run)
            shared = outcome_of(findings) is Outcome.PASS
            if shared and probe.appends:
                findings += _append_and_read(run)
        finally:
            leftover = _remove(run, shared)
        return findings + leftover

    def manual(self, probe: SharedFileProbe, where: Where) -> Iterator[Line]:
        """Each writes a file and reads all others.

        Then all append to the first at the same time, and each must read all lines in order.
        """
        everywhere = list(dict.fromkeys(where.of(probe)))
        names = [place.container or place.host for place in everywhere]
        files = [f"{probe.path}.manual.{name}" for name in names]
        for writer, name, file in zip(everywhere, names, files, strict=True):
            yield Line(writer.host, writer.typed(["sh", "-c", WRITE, "sh", file, name]))
        for reader, own in zip(everywhere, names, strict=True):
            others = [name for name in names if name != own]
            reading = reader.typed(["cat", *(file for file, name in zip(files, names, strict=True) if name != own)])
            written = "\n".join(others)
            proof = f'[ "$({reading})" = {shlex.quote(written)} ]'
            yield Line(reader.host, reading, f"what {listed(others)} wrote", proof)
        if probe.appends:
            yield from _appended(probe.appends, everywhere, names, files[0])
        yield Line(everywhere[0].host, everywhere[0].typed(["rm", "-f", *files]))


def _appended(appends: int, everywhere: list[Place], names: list[str], file: str) -> Iterator[Line]:
    """All append at the same time, and each reads the whole."""
    for place, name in zip(everywhere, names, strict=True):
        yield Line(place.host, _aside(place, ["sh", "-c", APPEND, "sh", file, name, str(appends)]))
    total = appends * len(names)
    for place in everywhere:
        reading = place.typed(["cat", file])
        proof = [f'[ "$({reading} | wc -l)" -eq {total + 1} ]']
        proof += [f'[ "$({reading} | grep "^{name} ")" = "$(seq -f "{name} %.0f" {appends})" ]' for name in names]
        wanted = f"all {total} lines: none lost, none duplicated, each place's in order"
        yield Line(place.host, reading, wanted, " && ".join(proof), within=append_patience(appends))


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

    def text(self, place: Place) -> str:
        """What a place writes."""
        return f"{self.identity} {self.name(place)}"

    def file(self, place: Place) -> str:
        """The file that a place writes; the name of none begins with that of another."""
        return f"{self.path}.{self.everywhere.index(place):04}"

    @property
    def files(self) -> list[str]:
        return list(map(self.file, self.everywhere))

    @property
    def appended(self) -> Place:
        """The place to whose file all append."""
        return self.everywhere[0]

    @property
    def pairs(self) -> list[Pair]:
        """Each writer with every reader, by name."""
        names = list(map(self.name, self.everywhere))
        return [(writer, reader) for writer in names for reader in names if writer != reader]


def _write_and_read(run: _Run) -> list[Finding]:
    """One finding for all pairs, as a matrix.

    When a place cannot write, that instead; one for each place that cannot be asked what it reads.
    """
    wanted = "what each place writes, every other reads"

    def write(place: Place) -> None:
        _do(run.places, place, WRITE, run.file(place), run.text(place))

    written = parallel(write, run.everywhere, name="write")
    unwritten = [
        unasked(place, wanted, error, links({}, [pair for pair in run.pairs if pair[0] == run.name(place)]))
        for place, error in zip(run.everywhere, written, strict=True)
        if isinstance(error, ClusterlabError)
    ]
    if unwritten:
        return unwritten
    cells: dict[Pair, str] = {}
    findings = []
    read = parallel(lambda place: _read_others(run, place), run.everywhere, name="read")
    for reader, found in zip(run.everywhere, read, strict=True):
        if isinstance(found, ClusterlabError):
            unread = [pair for pair in run.pairs if pair[1] == run.name(reader)]
            findings.append(unasked(reader, wanted, found, links({}, unread)))
        else:
            cells |= found
    return [*findings, *([_of_pairs(run, wanted, cells)] if cells else [])]


def _of_pairs(run: _Run, wanted: str, cells: Cells) -> Finding:
    known = [pair for pair in run.pairs if pair in cells]
    wrong = [
        f"{writer} -> {reader}: {cells[writer, reader]}" for writer, reader in known if cells[writer, reader] != OK
    ]
    return finding(
        ", ".join(map(str, run.everywhere)),
        _typed_write(run),
        holds=not wrong,
        wanted=wanted,
        found="; ".join(wrong) or f"{len(known)} of {len(run.pairs)} pairs read what was written",
        output=matrix([run.name(place) for place in run.everywhere], cells),
        hint=_HINT,
        links=links(cells, known),
    )


def _read_others(run: _Run, reader: Place) -> Cells:
    """What a place finds in the files of all others, which it reads with one command."""
    others = [place for place in run.everywhere if place != reader]
    completed = _bounded(run.places, reader, ["cat", *map(run.file, others)])
    return {
        (run.name(one), run.name(reader)): cell(run.path, run.file(one), run.text(one), completed) for one in others
    }


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
    file, first = run.file(run.appended), run.text(run.appended)

    def read(place: Place) -> Finding:
        argv = ["cat", file]
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

    An image without flock(1), such as Debian's busybox, gets that of its host, which sees the same mount through /proc.
    """
    try:
        path, actual = run.file(run.appended), place
        if place.container and not all(run.places.has(place, tool) for tool in _TOOLS):
            pid = run.places.inspect(place)["State"]["Pid"]
            path, actual = path_inside(place.host, str(pid), path, run.places), Place(place.host)
        for tool in _TOOLS:
            run.places.tool(actual, tool)
        patience = append_patience(run.appends)
        _do(run.places, actual, APPEND, path, run.text(place), str(run.appends), patience=patience)
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
    """Run a command that a dead file server may hold up, and end it then, where the image has timeout(1).

    Raises WrongAnswer when it did not end.
    """
    completed = places.run(place, ["sh", "-c", _BOUNDED, "sh", f"{patience:g}", *argv], timeout=patience + 40)
    if completed.exit == _KILLED:
        raise WrongAnswer(
            f"did not end within {patience:g} s", command=place.typed(argv), remedy="does the file server answer?"
        )
    return completed


def _remove(run: _Run, shared: bool) -> list[Finding]:
    """Remove the files: those that all places share at the first that can, others at each.

    A finding names them when no place could.
    """

    def remove(place: Place) -> None:
        _do(run.places, place, 'rm -f "$@"', *run.files)

    errors: list[ClusterlabError] = []
    for some in [[place] for place in run.everywhere] if shared else [run.everywhere]:
        removed = parallel(remove, some, name="remove")
        errors = [one for one in removed if isinstance(one, ClusterlabError)]
        if len(errors) < len(some):
            return []
    return [unasked(run.everywhere[-1], f"{run.path}.* are removed again", errors[-1])]


def _typed_write(run: _Run) -> str:
    place = run.everywhere[0]
    typed = place.typed(["sh", "-c", f"echo TEXT > {shlex.quote(run.file(place))}"])
    return f"{typed}; each other writes a file, too; then at each: cat the files of the others"


def _aside(place: Place, argv: list[str]) -> str:
    """A command that goes on while the next line is typed."""
    if place.container:
        return shlex.join(["docker", "exec", "--detach", place.container, *argv])
    return f"nohup {shlex.join(argv)} > /dev/null 2>&1 &"
