"""http: what a web server answers."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from clusterlab.model.base import Duration, Issue
from clusterlab.model.matcher import Matcher
from clusterlab.model.probes import NegatableProbe, Target, only
from clusterlab.redaction import without_patterns
from clusterlab.remote.completed import Completed

from .. import lan
from ..manual.absence import answered, kept_out
from ..manual.lan import card as lan_card
from ..manual.shell_matchers import as_wanted
from ..manual.where import Where
from ..matcher import describe, match
from ..network import is_name
from ..place import NotUnderstood, Place
from ..places import Places
from ..reach import ReachKind, Shown, Verdict
from ..reached import CONNECTED, TIMED_OUT, TRIED, Reach, kept_away

_HINT = (
    "refused: nothing listens there on that address; timed out: something drops the packets; "
    "see `docker ps` (ports) and the container's log"
)
_OTHER_ANSWER = "the server answers, but not as expected: is it the right server and page?"
_NO_ANSWER = "something accepts the connection, and does not answer: is it a web server, and is it overloaded?"
_STATUS = re.compile(r"^(?:< | +)HTTP/[\d.]+ (\d{3})", re.MULTILINE)
_STATUS_LINE = "^(< | +)HTTP/[0-9.]+ "  # as curl -v and wget -S write it
_ERRORS = "2>&1 > /dev/null"
# curl: "* Connected to web (10.0.1.2) port 80", or "... connection to web (10.0.1.2 port 80) from 10.0.1.3 port 40000";
# wget: "Connecting to web (10.0.1.2:80)"
_USED = re.compile(rf"(?:{CONNECTED}|^Connecting to )\S+ \((?P<address>[0-9.]+)[: )]", re.MULTILINE)
# curl: since 8.16 "Established" comes after the handshake of TLS, which begins with ALPN; wget: "Connecting to
# web:80... connected.". Busybox's wget writes the line of _UNTOLD before it connects, and nothing once it has.
_MADE = rf"{CONNECTED}|^\* ALPN: |\.\.\. connected\.$"
_CONNECTED = re.compile(_MADE, re.MULTILINE)
_UNTOLD = re.compile(r"^Connecting to \S+ \(\S+\)$", re.MULTILINE)
_TIMED_OUT = (28, 124, 143)  # exit codes of curl, of timeout(1), and of busybox's


class HttpProbe(NegatableProbe):
    """Get a page."""

    verdict: ClassVar[str] = "reachable"
    target: ClassVar[tuple[str, ...]] = ("url",)
    only_positive: ClassVar[tuple[str, ...]] = ("status", "body")

    url: str | list[str] = Field(examples=["http://${hosts.host1.address}/"])
    reachable: bool = True
    status: int = Field(default=200, ge=100, le=599)
    body: Matcher | None = None
    timeout: Duration = 10.0

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        for index, url in enumerate(self.url if isinstance(self.url, list) else [self.url]):
            at = ("url", index) if isinstance(self.url, list) else ("url",)
            if not re.match(r"https?://[^\s/]+", url):
                yield Issue(at, f"'{url}' is not the URL of a page", "Begin it with http:// or https://.")
                continue
            try:
                _ = urlsplit(url).port
            except ValueError:
                yield Issue(at, f"'{url}' has a port that is not a number from 0 to 65535")


@dataclass(frozen=True)
class Answer(Reach):
    """What the server answered; `status` is 0 when there was no answer."""

    status: int = 0
    body: str | None = ""  # None when the tool shows none of an answer like this


class Http(ReachKind[HttpProbe]):
    """The status and body must be as expected.

    For `reachable: false` not even a connection may be made.
    """

    name = "http"
    model = HttpProbe
    tools = ("curl", "timeout", "wget")
    hint = _HINT

    def summary(self, probe: HttpProbe) -> str:
        return f"{_page(probe)} answers"

    def expected(self, probe: HttpProbe) -> str:
        body = f", body {match(probe.body, '').wanted}" if probe.body else ""
        return f"{_page(probe)} answers with status {probe.status}{body}"

    def target(self, probe: HttpProbe) -> Target:
        return urlsplit(only(probe.url)).hostname or only(probe.url)

    def how(self, probe: HttpProbe) -> str:
        url = urlsplit(only(probe.url))
        return f"http {url.port or (443 if url.scheme == 'https' else 80)}"

    def reach(self, probe: HttpProbe, place: Place, places: Places, kept: bool) -> Answer:
        """Ask with curl, or with wget where there is no curl."""
        url = places.url(place, only(probe.url))
        card = lan.card(urlsplit(url).hostname or "", place, places) if kept else ""
        # wget is bound to an address at most
        tool = places.network_tool(place, *(("curl",) if card else ("curl", "wget")))
        if tool == "wget":
            places.network_tool(place, "timeout")
        argv, names = command(probe, tool, url, card), is_name(urlsplit(url).hostname or "")
        completed = places.in_network(place, argv, names=names, timeout=probe.timeout + 30)
        answer = parse(completed, completed.command)
        if probe.negative and answer.found == TIMED_OUT and _UNTOLD.search(completed.stderr):
            raise NotUnderstood(
                "busybox's wget does not report whether it was connected when the time was over",
                command=completed.command,
                detail=completed.output,
                remedy="install curl on the host",
            )
        unseen = tool == "wget" and answer.status >= 400 and not answer.body
        return replace(answer, body=None) if unseen else answer

    def judge(self, probe: HttpProbe, met: Reach, places: Places) -> Verdict:
        assert isinstance(met, Answer)
        holds, found = met.status == probe.status, met.found
        if met.status and probe.body is not None:
            if met.body is None:
                raise NotUnderstood(
                    f"wget does not show the body of an answer with status {met.status}",
                    command=met.command,
                    remedy="install curl on the host",
                )
            compared = match(probe.body, met.body)
            holds, found = holds and compared.holds, f"{found}, body {compared.found}"
        hint = _OTHER_ANSWER if met.status else _NO_ANSWER if met.reached else _HINT
        return Verdict(holds, found, self.expected(probe), hint)

    def shown(self, probe: HttpProbe, place: Place, where: Where, kept: bool) -> Shown:
        # Busybox's wget would not report a connection: the host's curl does, which `reach` demands, too.
        tool = "curl" if probe.negative else where.tool(place, "curl", "wget")
        url = where.url(place, only(probe.url))
        card = lan_card(urlsplit(url).hostname or "", place, where) if kept else ""
        argv, names = command(probe, tool, url, card), is_name(urlsplit(url).hostname or "")
        typed = where.in_network(place, argv, names=names, host_tool=probe.negative)
        if probe.negative:
            name = urlsplit(url).hostname or ""
            proof = kept_out(typed, name, f"{_STATUS_LINE}|{_MADE}|^exit 0$", card=card)
            return Shown(typed, self.summary(probe), answered(place, name, where) + proof)
        proof = f"{typed} {_ERRORS} | grep -qE {shlex.quote(f'{_STATUS_LINE}{probe.status}')}"
        if probe.body is not None:
            proof += f" && found=$({typed} 2> /dev/null) && {as_wanted(probe.body)}"
        wanted = f"{_page(probe)} answers with status {probe.status}"
        return Shown(typed, wanted + (f" and a body that {describe(probe.body)}" if probe.body else ""), proof)


KIND = Http()


def _page(probe: HttpProbe) -> str:
    """The address of the page for people: without the password that it may have."""
    return without_patterns(only(probe.url))


def command(probe: HttpProbe, tool: str, url: str, card: str = "") -> list[str]:
    """What asks for the page with curl or wget.

    Both write the status to their error output.

    `card` is the interface to which curl is bound.
    """
    wait = str(max(1, math.ceil(probe.timeout)))
    if tool == "curl":
        bound = ["--interface", card] if card else []
        return ["curl", "-sS", "-v", "--noproxy", "*", *bound, "--max-time", wait, url]
    return ["timeout", wait, "wget", "-S", "-O", "-", url]


def parse(completed: Completed, command: str) -> Answer:
    """Read what `curl -sS -v` or `wget -S -O -` wrote. Raises NotUnderstood.

    Who ran out of time before an address was tried has waited for the name.
    """
    status = _STATUS.search(completed.stderr)
    if status:
        found = f"status {status[1]}"
        used = tuple(met["address"] for met in _USED.finditer(completed.stderr))[-1:]
        return Answer(True, found, command, completed.output, used, status=int(status[1]), body=completed.stdout)
    tried = TRIED.search(completed.stderr)
    if _CONNECTED.search(completed.stderr):
        if completed.exit in _TIMED_OUT:
            return Answer(True, "connected, but no answer in time", command, completed.output)
        raise NotUnderstood(
            f"connected, but no answer with an HTTP status: {completed.stderr.strip().splitlines()[-1]}",
            command=command,
            detail=completed.output,
        )
    if completed.exit in _TIMED_OUT:
        return Answer(False, TIMED_OUT, command, completed.output, unresolved=not tried)
    if completed.ok:
        raise NotUnderstood("an answer without an HTTP status", command=command, detail=completed.output)
    away = kept_away(completed, command, completed.stderr)
    unresolved = away.unresolved or (away.found == TIMED_OUT and not tried)
    return Answer(away.reached, away.found, away.command, away.output, unresolved=unresolved)
