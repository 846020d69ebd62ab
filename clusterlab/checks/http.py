"""http: what a web server answers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from clusterlab.model.checks import HttpProbe
from clusterlab.remote.host import Completed

from . import lan, reach
from .finding import Finding, ask_each, finding
from .matcher import match
from .place import NotUnderstood, Place, Places
from .reach import Reach

_HINT = (
    "refused: nothing listens there on that address; timed out: something drops the packets; "
    "look at `docker ps` (ports) and the container's log"
)
_STATUS = re.compile(r"^(?:< | +)HTTP/[\d.]+ (\d{3})", re.MULTILINE)
_TIMED_OUT = (28, 124, 143)  # exit codes of curl, of timeout(1), and of busybox's


@dataclass(frozen=True)
class Answer:
    """What the server answered; `status` is 0 when there was no answer, for the reason in `reach`."""

    reach: Reach
    status: int = 0
    body: str = ""


def ask(probe: HttpProbe, places: Places) -> list[Finding]:
    """The status and body must be as wanted; for `reachable: false` no answer may come at all."""
    if probe.reachable:
        return ask_each(places.of(probe), told(probe), lambda place: _compare(probe, place, places))
    return reach.ask(
        places, probe, lambda asked, place, kept: get(asked, place, places, kept).reach, told_answer, _HINT
    )


def get(probe: HttpProbe, place: Place, places: Places, kept: bool = False) -> Answer:
    """Ask with curl, or with wget where there is no curl; on the LAN alone when it must be `kept` there.

    Raises NotUnderstood.
    """
    url = places.url(place, probe.url)
    card = lan.card(urlsplit(url).hostname or "", place, places) if kept else ""
    tool = places.tool(place, *(("curl",) if card else ("curl", "wget")))  # wget is bound to an address at most
    if tool == "wget":
        places.tool(place, "timeout")
    argv = command(probe, tool, url, card)
    completed = places.run(place, argv, timeout=probe.timeout + 30)
    return parse(completed, place.typed(argv))


def command(probe: HttpProbe, tool: str, url: str, card: str = "") -> list[str]:
    """What asks for the page with curl or wget; both write the status to their error output.

    `card` is the interface to which curl is bound.
    """
    wait = str(max(1, math.ceil(probe.timeout)))
    if tool == "curl":
        bound = ["--interface", card] if card else []
        return ["curl", "-sS", "-v", "--noproxy", "*", *bound, "--max-time", wait, url]
    return ["timeout", wait, "wget", "-S", "-O", "-", url]


def parse(completed: Completed, command: str) -> Answer:
    """Read what `curl -sS -v` or `wget -S -O -` wrote. Raises NotUnderstood."""
    status = _STATUS.search(completed.stderr)
    if status:
        found = Reach(True, f"status {status[1]}", command, completed.output)
        return Answer(found, int(status[1]), completed.stdout)
    if completed.exit in _TIMED_OUT:
        return Answer(Reach(False, "timed out", command, completed.output))
    if completed.ok:
        raise NotUnderstood("an answer without an HTTP status", command=command, detail=completed.output)
    return Answer(reach.kept_away(completed, command, completed.stderr))


def told(probe: HttpProbe) -> str:
    body = f", body {match(probe.body, '').wanted}" if probe.body else ""
    return f"{probe.url} answers with status {probe.status}{body}"


def told_answer(probe: HttpProbe) -> str:
    return f"{probe.url} answers"


def _compare(probe: HttpProbe, place: Place, places: Places) -> Finding:
    answer = get(probe, place, places)
    holds, found = answer.status == probe.status, answer.reach.found
    if answer.status and probe.body is not None:
        if not answer.body and answer.status >= 400 and " wget " in answer.reach.command:
            raise NotUnderstood(
                f"wget shows no body of an answer with status {answer.status}",
                command=answer.reach.command,
                remedy="use an image with curl",
            )
        compared = match(probe.body, answer.body)
        holds, found = holds and compared.holds, f"{found}, body {compared.found}"
    return finding(
        place,
        answer.reach.command,
        holds=holds,
        wanted=told(probe),
        found=found,
        output=answer.reach.output,
        hint=_HINT if not answer.status else "the server answers, but something else: is it the right server and page?",
    )
