"""Which lines of logs are new, whatever bytes they have, and that none of them shows a secret.

Hosts here return what a real engine and journal return for such logs: bytes that real programs seldom print.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import docker.errors
import pytest

from clusterlab import following, redaction
from clusterlab.cli.verbs.logs import _show
from clusterlab.errors import HostError
from clusterlab.following import Follower, Line, _Containers, _Journal
from clusterlab.log_lines import Log
from clusterlab.redaction import REDACTED
from clusterlab.remote import Host, Hosts

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
KEY = ["-----BEGIN RSA PRIVATE KEY-----", *(f"MIIEvQIBADANBgkqhkiG9w0BAQEF{n:04}" for n in range(30))]
KEY_END = "-----END RSA PRIVATE KEY-----"


class Engine:
    """The containers of one host with their logs; `refuses` are those that the engine cannot read."""

    def __init__(self, **logs: list[str]) -> None:
        self.logs_of = {name: [stamped(number, text) for number, text in enumerate(log)] for name, log in logs.items()}
        self.env: dict[str, list[str]] = {}
        self.refuses: set[str] = set()
        self.inspected: list[str] = []

    def containers(self, all: bool) -> list[dict[str, Any]]:
        return [{"Id": name, "Names": [f"/{name}"], "State": "running"} for name in self.logs_of]

    def inspect_container(self, name: str) -> dict[str, Any]:
        self.inspected.append(name)
        return {"Config": {"Env": self.env.get(name)}}

    def logs(self, name: str, timestamps: bool, since: int, tail: int) -> bytes:
        if name in self.refuses:
            raise broken()
        lines = [line for line in self.logs_of[name] if line.partition(b" ")[0] >= stamp(since).encode()]
        return b"".join(line + b"\n" for line in lines[-tail:])

    def say(self, name: str, *texts: str, at: int | None = None) -> None:
        log = self.logs_of.setdefault(name, [])
        log += [stamped(len(log) + n if at is None else at, text) for n, text in enumerate(texts)]


def broken() -> docker.errors.APIError:
    return docker.errors.APIError("no", response=cast(Any, SimpleNamespace(status_code=500)), explanation="broken")


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def stamped(number: int, text: str) -> bytes:
    """A line as an engine returns it, with the time of its number in milliseconds."""
    return f"{stamp(NOW.timestamp() + number / 1000)} {text}".encode()


def host_of(engine: Any, journal: Callable[[], str] = str) -> Host:
    run = SimpleNamespace(name="host1", docker=engine, run=lambda *_, **__: SimpleNamespace(stdout=journal()))
    return cast(Host, run)


def containers(last: int = 50, *wanted: str) -> _Containers:
    return _Containers(set(wanted), NOW - timedelta(minutes=10), last)


def texts(lines: Iterable[Line]) -> list[str]:
    return [line.text for line in lines]


def before_error(lines: Iterable[Line]) -> tuple[list[str], str]:
    """The texts of the lines that came before an error, and the error."""
    found = []
    try:
        for line in lines:
            found.append(line.text)
    except HostError as error:
        return found, error.message
    return found, ""


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SECRETS", redaction.SECRETS)


@pytest.mark.parametrize("end", ["\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_only_a_line_feed_ends_a_line_of_a_container(end: str) -> None:
    engine = Engine(app=[f"10%{end}100%{end}ERROR", f"{end}9999-12-31T23:59:59Z x", f"{end}9999-12-31T23:59:59-01:00"])
    reader, host = containers(), host_of(engine)
    first = list(reader.new(host))
    shown = "".join(texts(first))
    assert [word for word in ("10%", "100%", "ERROR", "59Z x", "59-01:00") if word not in shown] == []
    assert {line.at.replace(microsecond=0) for line in first} == {NOW}
    _show(first)
    engine.say("app", "it goes on")
    assert texts(reader.new(host)) == ["it goes on"]


def test_states_of_a_progress_bar_are_lines_of_their_own() -> None:
    assert texts(containers().new(host_of(Engine(app=["10%\r100%\rdone\r", ""])))) == ["10%", "100%", "done", ""]


@pytest.mark.parametrize("end", ["\r", "\u2028", "\x85"])
def test_only_a_line_feed_ends_a_line_of_a_journal(end: str) -> None:
    printed = f"{NOW.isoformat()} host1 app[1]: one{end}9999-12-31T23:59:59-01:00 two\n"
    journal = _Journal(NOW - timedelta(minutes=1), 50)
    first = list(journal.new(host_of(None, lambda: printed)))
    assert {line.at for line in first} == {NOW}
    assert "two" in first[-1].text
    _show(first)
    more = f"{printed}{(NOW + timedelta(seconds=1)).isoformat()} host1 app[1]: three\n"
    assert texts(journal.new(host_of(None, lambda: more))) == ["app[1]: three"]


def test_a_time_that_no_time_zone_can_show_is_not_one() -> None:
    engine = Engine(app=["begins"])
    engine.logs_of["app"] += [b"9999-12-31T23:59:59-01:00 x"]
    shown = list(containers().new(host_of(engine)))
    assert texts(shown) == ["begins", "9999-12-31T23:59:59-01:00 x"]
    _show(shown)


def test_lines_of_a_clock_that_is_ahead_are_shown_once_and_mute_nothing() -> None:
    engine = Engine(app=["before"])
    reader, host = containers(), host_of(engine)
    assert texts(reader.new(host)) == ["before"]
    hour = 3600 * 1000
    engine.say("app", "ahead", at=hour)
    assert texts(reader.new(host)) == ["ahead"]
    engine.say("app", "ahead", at=hour)  # the same words again
    assert texts(reader.new(host)) == ["ahead"]
    assert texts(reader.new(host)) == []
    engine.say("app", "the clock is right again")
    assert texts(reader.new(host)) == ["the clock is right again"]
    assert texts(reader.new(host)) == []


def test_a_journal_with_a_clock_that_is_ahead_is_shown_once_and_goes_on() -> None:
    printed = [f"{NOW.isoformat()} host1 one", f"{(NOW + timedelta(hours=1)).isoformat()} host1 two"]
    journal, host = _Journal(NOW, 50), host_of(None, lambda: "\n".join(printed))
    assert texts(journal.new(host)) == ["one", "two"]
    assert texts(journal.new(host)) == []
    printed.append(f"{(NOW + timedelta(seconds=1)).isoformat()} host1 three")
    assert texts(journal.new(host)) == ["three"]


def test_more_new_lines_than_are_read_at_once_are_told() -> None:
    engine = Engine(app=[f"old {n}" for n in range(100)])
    reader, host = containers(last=50), host_of(engine)
    assert texts(reader.new(host)) == [f"old {n}" for n in range(50, 100)]
    engine.say("app", *(f"line {n}" for n in range(2000)))
    assert texts(reader.new(host)) == [f"line {n}" for n in range(2000)]
    engine.say("app", *(f"more {n}" for n in range(5000)))
    shown = texts(reader.new(host))
    assert shown[0] == "(only the last 2000 new lines are shown)"
    assert shown[1:] == [f"more {n}" for n in range(3000, 5000)]


@pytest.mark.parametrize("ahead", [0, 3600 * 1000])
def test_older_lines_than_the_last_ones_that_were_wanted_never_come(ahead: int) -> None:
    engine = Engine()
    for number in range(1000):
        engine.say("app", f"line {number}", at=ahead + number)
    reader, host = containers(last=2), host_of(engine)
    assert texts(reader.new(host)) == ["line 998", "line 999"]
    assert texts(reader.new(host)) == []
    engine.say("app", "new", at=ahead + 1000)
    assert texts(reader.new(host)) == ["new"]


def test_a_container_that_begins_later_is_shown_from_its_beginning() -> None:
    engine = Engine(quiet=[], old=[f"old {n}" for n in range(10)])
    reader, host = containers(last=2), host_of(engine)
    assert texts(reader.new(host)) == ["old 8", "old 9"]
    engine.say("new", *(f"new {n}" for n in range(10)))
    engine.say("quiet", *(f"quiet {n}" for n in range(10)))
    assert texts(reader.new(host)) == [f"{name} {n}" for name in ("quiet", "new") for n in range(10)]


def test_one_container_that_cannot_be_read_keeps_nothing_of_the_others_back() -> None:
    engine = Engine(a=["a1"], b=["b1"], c=["c1"])
    reader, host = containers(), host_of(engine)
    engine.refuses = {"b"}
    error = "host1: cannot read the containers' logs: broken"
    assert before_error(reader.new(host)) == (["a1", "c1"], error)
    engine.say("a", "a2")
    assert before_error(reader.new(host)) == (["a2"], error)
    engine.refuses = set()
    assert texts(reader.new(host)) == ["b1"]


class OneHost(dict[str, Host]):
    """One host, asked in this thread."""

    def each(self, names: Iterable[str], function: Callable[[Host], Any]) -> dict[str, Any]:
        return {name: function(self[name]) for name in names}


def test_journal_and_containers_are_read_though_the_other_cannot_be() -> None:
    engine = Engine(app=["app 1"])
    printed = [f"{NOW.isoformat()} host1 journal 1"]
    unread = False

    def journal() -> str:
        if unread:
            raise HostError("host1", "its journal cannot be read")
        return "\n".join(printed)

    hosts = OneHost(host1=host_of(engine, journal))
    follower = Follower(cast(Hosts, hosts), ["host1"], [], NOW - timedelta(minutes=1), 50)
    engine.refuses = {"app"}
    assert texts(follower.new()) == ["journal 1"]
    assert follower.problems == {"host1": "host1: cannot read the containers' logs: broken"}
    engine.refuses, unread = set(), True
    assert texts(follower.new()) == ["app 1"]
    assert follower.problems == {"host1": "host1: its journal cannot be read"}
    unread = False
    assert texts(follower.new()) == []
    assert follower.problems == {}
    engine.refuses, unread = {"app"}, True
    assert follower.new() == []
    assert follower.problems == {
        "host1": "host1: cannot read the containers' logs: broken; host1: its journal cannot be read"
    }


def test_no_line_of_a_private_key_is_shown() -> None:
    engine = Engine(app=["before", *KEY, KEY_END, "after"])
    lines = list(containers().new(host_of(engine)))
    assert texts(lines) == ["before", REDACTED, "after"]
    assert [line.at.microsecond // 1000 for line in lines] == [0, 1, len(KEY) + 2]


@pytest.mark.parametrize("cut", [1, 2, 15, len(KEY)])
def test_no_line_of_a_private_key_is_shown_that_is_read_in_two_parts(cut: int) -> None:
    engine = Engine(app=KEY[:cut])
    reader, host = containers(), host_of(engine)
    first = texts(reader.new(host))
    engine.say("app", *KEY[cut:], KEY_END, "after")
    assert [*first, *texts(reader.new(host))] == [REDACTED, "after"]
    engine.say("app", "id MIIEvQIBADANBgkqhkiG9w0BAQEF")
    assert texts(reader.new(host)) == ["id MIIEvQIBADANBgkqhkiG9w0BAQEF"]


def test_no_line_of_a_private_key_is_shown_of_which_the_last_lines_are_wanted() -> None:
    engine = Engine(app=[*KEY, KEY_END, "after"])
    assert texts(containers(last=5).new(host_of(engine))) == [REDACTED, "after"]


def test_no_line_of_a_private_key_in_a_journal_is_shown() -> None:
    printed = [f"{NOW.isoformat()} host1 app[7]: {line}" for line in (*KEY, KEY_END, "after")]
    journal = _Journal(NOW, 50)
    shown = texts(journal.new(host_of(None, lambda: "\n".join(printed[:9]))))
    shown += texts(journal.new(host_of(None, lambda: "\n".join(printed))))
    assert shown == [f"app[7]: {REDACTED}", "app[7]: after"]


def test_what_is_cleaned_together_keeps_its_order_and_times() -> None:
    """Of any mixture, each line that has no secret is shown once, with its own time or that of a twin before it."""
    dice = random.Random(7)
    kinds = [["plain"], ["other"], ["password=hunter2-x"], [*KEY, KEY_END], ["a\rb"], [""]]
    for _ in range(200):
        said = [text for kind in dice.choices(kinds, k=dice.randint(1, 12)) for text in kind]
        read = [(NOW + timedelta(seconds=n), text) for n, text in enumerate(said)]
        shown = Log(NOW).new(read)
        assert [at for at, _ in shown] == sorted(at for at, _ in shown)
        for text in ("plain", "other", "a", "b", ""):
            assert [one for _, one in shown].count(text) == "\r".join(said).split("\r").count(text)
        assert not any("MIIE" in one or "hunter2" in one for _, one in shown)


def test_values_of_a_container_s_environment_are_not_shown_in_its_log_nor_in_the_journal() -> None:
    engine = Engine(app=["it says correct-horse-7"], api=["it calls app"])
    engine.env = {"app": ["DB=correct-horse-7", "EMPTY=", "PEER=host1"], "api": ["UPSTREAM=app"]}
    hosts = OneHost(host1=host_of(engine, lambda: f"{NOW.isoformat()} host1 dockerd: correct-horse-7\n"))
    follower = Follower(cast(Hosts, hosts), ["host1"], [], NOW - timedelta(minutes=1), 50)
    assert sorted(texts(follower.new())) == [f"dockerd: {REDACTED}", "it calls app", f"it says {REDACTED}"]
    engine.say("app", "again correct-horse-7")
    assert texts(follower.new()) == [f"again {REDACTED}"]
    assert engine.inspected == ["app", "api"]


def test_only_containers_that_are_shown_are_inspected() -> None:
    engine = Engine(app=["one"], api=["two"])
    assert texts(containers(50, "api").new(host_of(engine))) == ["two"]
    assert engine.inspected == ["api"]


def test_a_container_that_cannot_be_inspected_is_not_shown() -> None:
    """Its values are not known."""
    engine = Engine(app=["it says correct-horse-7"], api=["two"])

    def refuse(name: str) -> dict[str, Any]:
        if name == "app":
            raise broken()
        return {"Config": {"Env": None}}

    engine.inspect_container = refuse  # type: ignore[method-assign]
    error = "host1: cannot read the containers' logs: broken"
    assert before_error(containers().new(host_of(engine))) == (["two"], error)
