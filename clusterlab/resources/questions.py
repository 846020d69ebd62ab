"""Asking a host many things with one command."""

from __future__ import annotations

from collections.abc import Mapping

from clusterlab.errors import HostError
from clusterlab.redaction import clean
from clusterlab.remote import Host

_MARK = "@@ clusterlab: "
_TIMEOUT = 120.0  # seconds; an emulated machine that is busy starting needs them


def script(questions: Mapping[str, str]) -> str:
    """One shell script of many: each prints its answer below a line that names it.

    Each question is a POSIX shell script that stands alone; its exit code and what it says on stderr do not matter.
    """
    parts = ["PATH=$PATH:/usr/sbin:/sbin", "LC_ALL=C; export PATH LC_ALL"]
    # A mark begins a line even after a file that does not end with one.
    parts += [f"printf '\\n{_MARK}{name}\\n'\n(\n{text}\n) 2>/dev/null" for name, text in questions.items()]
    return "\n".join([*parts, f"printf '\\n{_MARK}end\\n'"])


def answers(output: str) -> dict[str, str]:
    """The answers in the output of `script`, by question, to the letter.

    Raises ValueError when it is not whole.
    """
    found: dict[str, list[str]] = {}
    name = ""
    for line in output.split("\n"):
        if line.startswith(_MARK):
            name = line.removeprefix(_MARK)
            found[name] = []
        elif name:
            found[name].append(line)
    if name != "end":
        raise ValueError(f"cut off after {name!r}" if name else "empty")
    return {name: "\n".join(lines) for name, lines in found.items() if name != "end"}


def ask(host: Host, questions: Mapping[str, str]) -> dict[str, str]:
    """Ask `host` all `questions` with one command.

    Raises ClusterlabError when it cannot answer.
    """
    completed = host.run(script(questions), timeout=_TIMEOUT)
    try:
        return answers(completed.stdout)
    except ValueError as error:
        raise HostError(
            host.name,
            f"did not report what it has: the answer is {error} (exit code {completed.exit})",
            remedy=f"Try `clusterlab ssh {host.name} -- true`.",
            detail=clean(completed.output)[-2000:],
        ) from error
