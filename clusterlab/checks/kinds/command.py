"""command: any command, by its exit code and output."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from pydantic import Field

from clusterlab.model.base import Duration, Issue
from clusterlab.model.matcher import Matcher
from clusterlab.model.playbook import Play
from clusterlab.model.probes import Probe
from clusterlab.remote.completed import Completed

from ..finding import Finding, ask_each, finding, said
from ..kind import CheckKind
from ..manual.line import Line, ends
from ..manual.where import Where
from ..matcher import describe, match
from ..place import CANNOT_START, MissingTool, Place
from ..places import Places
from ..volume_paths import volumes_at

_CANNOT_FAIL = re.compile(r"(^|(;|\|\||&&|\n)\s*)(true|:|exit 0|echo( [^;&|>]*)?)\s*;?\s*$")


class CommandProbe(Probe):
    """Run a command; a string goes to `sh -c`, a list is executed as it is."""

    run: str | list[str] = Field(examples=["showmount -e ${hosts.gw.address}"])
    exit: int | list[int] = Field(default=0, description="the accepted exit codes")
    stdout: Matcher | None = None
    stderr: Matcher | None = None
    user: str | None = Field(default=None, description="the user in the container or on the host")
    timeout: Duration = 30.0

    @property
    def exits(self) -> list[int]:
        return [self.exit] if isinstance(self.exit, int) else self.exit

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        if not self.run or (isinstance(self.run, str) and not self.run.strip()):
            yield Issue(("run",), "there is no command to run")
            return
        if not self.exits:
            yield Issue(
                ("exit",), "no exit code is accepted, so this check could never pass", "Give at least one exit code."
            )
        for code in self.exits:
            if not 0 <= code <= 255:
                yield Issue(("exit",), f"{code} is not an exit code: they go from 0 to 255")
        if not self.stdout and not self.stderr and self._cannot_fail():
            remedy = "Add stdout: with what must be printed, or remove the part that hides the failure."
            yield Issue(("run",), "this command cannot fail, so the check asserts nothing", remedy)

    def _cannot_fail(self) -> bool:
        text = self.run if isinstance(self.run, str) else " ".join(self.run)
        every_code = set(range(256)) <= set(self.exits)
        return every_code or (0 in self.exits and bool(_CANNOT_FAIL.search(text)))


class Command(CheckKind[CommandProbe]):
    name = "command"
    model = CommandProbe

    def opens(self, probe: CommandProbe, play: Play) -> frozenset[str]:
        return volumes_at(play, probe.in_, " ".join(argv(probe)))

    def ask(self, probe: CommandProbe, places: Places) -> list[Finding]:
        """The exit code and both streams must be as expected, at every place."""
        return ask_each(places.of(probe), summary(probe), lambda place: _run(probe, place, places))

    def manual(self, probe: CommandProbe, where: Where) -> Iterator[Line]:
        for place in where.of(probe):
            command = shell_command(probe, place)
            if probe.user:
                words = argv(probe)
                as_user = ["docker", "exec", "--user", probe.user, place.container] if place.container else []
                command = shlex.join([*(as_user or ["runuser", "-u", probe.user, "--"]), *words])
            whole = f"(\n{command.rstrip()}\n)" if isinstance(probe.run, str) and not place.container else command
            yield Line(place.host, command, summary(probe), ends(whole, probe.exits, probe.stdout, probe.stderr))


KIND = Command()


def summary(probe: CommandProbe) -> str:
    parts = [f"exit code {' or '.join(map(str, probe.exits))}"]
    parts += [f"output {describe(probe.stdout)}"] if probe.stdout else []
    parts += [f"error output {describe(probe.stderr)}"] if probe.stderr else []
    return ", ".join(parts)


def _run(probe: CommandProbe, place: Place, places: Places) -> Finding:
    completed = places.run(place, argv(probe), timeout=probe.timeout, user=probe.user or "")
    if completed.exit in CANNOT_START and completed.exit not in probe.exits:
        raise MissingTool(
            f"a command is missing at {place}: {completed.output or f'exit code {completed.exit}'}",
            remedy="use an image that has the command" if place.container else f"install it on {place.host}",
            detail=completed.output,
        )
    return _judge(probe, place, completed, shell_command(probe, place))


def argv(probe: CommandProbe) -> list[str]:
    """The command as a list."""
    return ["sh", "-c", probe.run] if isinstance(probe.run, str) else probe.run


def shell_command(probe: CommandProbe, place: Place) -> str:
    """The command as a person would type it on the host."""
    return probe.run if isinstance(probe.run, str) and not place.container else place.typed(argv(probe))


def _judge(probe: CommandProbe, place: Place, completed: Completed, command: str) -> Finding:
    holds, found = completed.exit in probe.exits, [f"exit code {completed.exit}"]
    for name, spec, text in (
        ("output", probe.stdout, completed.stdout),
        ("error output", probe.stderr, completed.stderr),
    ):
        if spec is not None:
            compared = match(spec, text)
            holds = holds and compared.holds
            found.append(f"{name} {compared.found}")
    if not holds:
        unseen = [completed.stdout] * (probe.stdout is None) + [completed.stderr] * (probe.stderr is None)
        found += said("\n".join(unseen))
    return finding(place, command, holds=holds, wanted=summary(probe), found=", ".join(found), output=completed.output)
