"""command: any command, by its exit code and output."""

from __future__ import annotations

from clusterlab.model.checks import CommandProbe
from clusterlab.remote.host import Completed

from .finding import Finding, ask_each, finding
from .matcher import describe, match
from .place import MissingTool, Place, Places

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # exit codes of a shell, and of docker exec


def ask(probe: CommandProbe, places: Places) -> list[Finding]:
    """The exit code must be wanted and both streams must match, at every place."""
    return ask_each(places.of(probe), told(probe), lambda place: _run(probe, place, places))


def told(probe: CommandProbe) -> str:
    parts = [f"exit code {' or '.join(map(str, probe.exits))}"]
    parts += [f"output {describe(probe.stdout)}"] if probe.stdout else []
    parts += [f"error output {describe(probe.stderr)}"] if probe.stderr else []
    return ", ".join(parts)


def _run(probe: CommandProbe, place: Place, places: Places) -> Finding:
    completed = places.run(place, words(probe), timeout=probe.timeout, user=probe.user or "")
    if completed.exit in (_NOT_FOUND, _NOT_EXECUTABLE) and completed.exit not in probe.exits:
        raise MissingTool(
            f"a command is missing at {place}: {completed.output or f'exit code {completed.exit}'}",
            remedy="use an image that has the command" if place.container else f"install it on {place.host}",
            detail=completed.output,
        )
    return _judge(probe, place, completed, typed(probe, place))


def words(probe: CommandProbe) -> list[str]:
    """The command as a list."""
    return ["sh", "-c", probe.run] if isinstance(probe.run, str) else probe.run


def typed(probe: CommandProbe, place: Place) -> str:
    """The command as a person would type it on the host."""
    return probe.run if isinstance(probe.run, str) and not place.container else place.typed(words(probe))


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
    return finding(place, command, holds=holds, wanted=told(probe), found=", ".join(found), output=completed.output)
