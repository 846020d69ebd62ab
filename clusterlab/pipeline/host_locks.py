"""A lock on the hosts themselves, so that two workstations exclude each other.

Each host has a file that names the holder. It is created, renewed and removed by one short script that runs under a
lock of the host's own (flock on the folder), so all of it is atomic there. Who is killed cannot remove the file: it
expires when it was not renewed for a while, by the host's own clock.
"""

from __future__ import annotations

import json
import secrets
import signal
import threading
import time
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from clusterlab import workstation
from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError
from clusterlab.machines.lab_lock import LabBusy
from clusterlab.progress import Progress
from clusterlab.remote import Host, Hosts
from clusterlab.waiting import seconds_left

EXPIRES = 120.0
"""Seconds without a renewal after which a lock may be taken over."""
_TIMEOUT = 20.0  # seconds for one script on a host
_YIELD = 10.0  # seconds that the winner of a race waits for the loser to let go
_LONGEST = 200  # characters of what a host says about a holder

_FREE, _HELD, _LOST, _UNUSABLE = 0, 10, 11, 12
_SCRIPT = r"""
action=$1 token=$2 expires=$3 dead=$4
for folder in /run/lock /var/lock /tmp; do [ -d "$folder" ] && [ -k "$folder" ] && break; done
lock=$folder/clusterlab.lock
command -v flock >/dev/null || { echo "it has no flock(1)"; exit 12; }
exec 9<"$folder" && flock -w 10 9 || { echo "$folder cannot be locked"; exit 12; }
if [ -L "$lock" ] || { [ -e "$lock" ] && [ ! -f "$lock" ]; }; then echo "$lock is not a file"; exit 12; fi
holder=
if [ -e "$lock" ]; then
    holder=$(head -c 2000 "$lock")
    age=$(($(date +%s) - $(stat -c %Y "$lock")))
fi
has() { case $holder in *"\"token\": \"$1\""*) return 0;; esac; return 1; }
case $action in
acquire)
    if [ -n "$holder" ] && ! has "$token" && ! { [ -n "$dead" ] && has "$dead"; } \
        && [ "$age" -lt "$expires" ] && [ "$age" -gt "-$expires" ]; then
        echo "$age"; echo "$holder"; exit 10
    fi
    umask 022
    new=$(mktemp "$folder/.clusterlab.XXXXXX") && cat >"$new" && chmod 644 "$new" && mv -fT "$new" "$lock" \
        || { rm -f "$new"; echo "$lock cannot be written"; exit 12; }
    ;;
renew)
    has "$token" || { echo "$age"; echo "$holder"; exit 11; }
    touch "$lock" || exit 12
    ;;
release)
    if has "$token"; then rm -f "$lock" || { echo "$lock cannot be removed"; exit 12; }; fi
    ;;
esac
"""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    `space` and `started` distinguish a process from a later one with its number.
    """

    token: str
    owner: str = "somebody"
    verb: str = "?"
    lab: str = "?"
    pid: int = 0
    since: str = "?"
    space: str = ""
    started: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether it is known to have ended.

        It ran on this computer, and its process is gone.
        """
        return self.space == workstation.process_space() and workstation.process_started(self.pid) != self.started

    @property
    def rank(self) -> tuple[str, str]:
        """Of two that acquire at the same time, the lower one wins."""
        return self.since, self.token


@dataclass(frozen=True)
class _Answer:
    """What a host's script said; `age` is in seconds since the last renewal."""

    code: int
    text: str
    holder: Holder | None = None
    age: int = 0


class NotLockable(HostError):
    """A host answers and cannot be locked: somebody else may be at work there."""


class HostLocks:
    """The lock of one command on all hosts of its lab; a context manager.

    Entering raises LabBusy when somebody else is at work on one of the hosts, NotLockable when one cannot be locked,
    and DeadlineExceeded when one is too slow: then none is locked. A host that cannot be reached is not locked, which
    is said: what is done there fails anyway. Leaving releases all hosts, and raises LabBusy
    if somebody has taken one over meanwhile (after this computer slept, say).
    """

    def __init__(
        self,
        hosts: Hosts,
        lab: str,
        verb: str,
        progress: Progress,
        *,
        expires: float = EXPIRES,
        me: Holder | None = None,
    ) -> None:
        self._hosts = hosts
        self._progress = progress
        self._expires = expires
        self._me = me or _this_process(lab, verb)
        self._held: set[str] = set()
        self._lost: LabBusy | None = None
        self._ended = threading.Event()
        self._renewing: threading.Thread | None = None

    def __enter__(self) -> Self:
        try:
            self._acquire()
        except BaseException:
            self._release()
            raise
        self._ended.clear()
        self._renewing = threading.Thread(target=self._renew, name="host-locks", daemon=True)
        self._renewing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._renewing is not None:
            self._renewing.join()
        self._release()
        if self._lost is not None:
            raise self._lost from error

    def _acquire(self) -> None:
        deadline = time.monotonic() + _YIELD
        wanted = list(self._hosts)
        while True:
            answers = self._hosts.each(wanted, self._acquire_on)
            busy: dict[str, _Answer] = {}
            refused: ClusterlabError | None = None
            for name, answer in answers.items():
                if isinstance(answer, (NotLockable, DeadlineExceeded)):
                    refused = refused or answer
                elif isinstance(answer, ClusterlabError):
                    self._progress.say(name, f"not locked: {answer.message.removeprefix(f'{name}: ')}")
                elif answer.code == _HELD:
                    busy[name] = answer
                else:
                    self._held.add(name)
            if refused:
                raise refused
            if not busy:
                return
            # Whoever comes at the same moment has other hosts; one of the two must let go of what it has.
            loses = any(answer.holder is None or answer.holder.rank < self._me.rank for answer in busy.values())
            if loses or not self._held or not seconds_left(deadline):
                name, answer = next(iter(busy.items()))
                raise self._busy(name, answer)
            wanted = list(busy)
            self._ended.wait(0.2)

    def _acquire_on(self, host: Host) -> _Answer:
        answer = self._ask(host, "acquire")
        if answer.code == _HELD and answer.holder and answer.holder.has_ended:
            answer = self._ask(host, "acquire", answer.holder.token)
        return answer

    def _renew(self) -> None:
        while not self._ended.wait(self._expires / 4):
            for name, answer in self._hosts.each(sorted(self._held), lambda host: self._ask(host, "renew")).items():
                if isinstance(answer, _Answer) and answer.code == _LOST and not self._ended.is_set():
                    self._lost = self._taken_over(name, answer)
                    self._ended.set()
                    signal.raise_signal(signal.SIGINT)  # ends in order what is under way
                    return

    def _release(self) -> None:
        """Release what is held, or may be: an interrupted attempt does not know."""
        for name, answer in self._hosts.each(list(self._hosts), lambda host: self._ask(host, "release")).items():
            if isinstance(answer, ClusterlabError) and name in self._held:
                self._progress.say(name, f"its lock was not released, and expires in {self._expires:.0f} s")
        self._held.clear()

    def _ask(self, host: Host, action: str, dead: str = "") -> _Answer:
        """Run the script on a host.

        Raises NotLockable when the host answers that it cannot be locked.
        """
        argv = ["sh", "-c", _SCRIPT, "sh", action, self._me.token, f"{self._expires:.0f}", dead]
        completed = host.run(argv, stdin=json.dumps(asdict(self._me)), timeout=_TIMEOUT)
        if completed.exit in (_HELD, _LOST):
            age, _, text = completed.stdout.partition("\n")
            return _Answer(completed.exit, text, _holder(text), int(age) if age.lstrip("-").isdigit() else 0)
        if completed.exit != _FREE:
            raise NotLockable(
                host.name,
                f"it cannot be locked: {completed.output.strip() or f'exit code {completed.exit}'}",
                remedy="Nothing was changed. Correct that on the host, or wait until whoever locks it has ended, and "
                "run the same command again.",
            )
        return _Answer(completed.exit, completed.stdout)

    def _busy(self, host: str, answer: _Answer) -> LabBusy:
        holder = answer.holder or Holder("")
        rest = max(0.0, self._expires - max(0, answer.age))
        return LabBusy(
            f"{host} is in use: {holder.owner} has been running `clusterlab {holder.verb}` there since {holder.since} "
            f"(lab {holder.lab}, process {holder.pid})",
            remedy=f"Wait until that command has ended. If it was killed, its lock expires in {rest:.0f} s: it was "
            f"last renewed {max(0, answer.age)} s ago.",
        )

    def _taken_over(self, host: str, answer: _Answer) -> LabBusy:
        who = f"{answer.holder.owner} runs `clusterlab {answer.holder.verb}` there" if answer.holder else "it is gone"
        return LabBusy(
            f"{host}: the lock of this command expired, because it was not renewed for {self._expires:.0f} s: {who}",
            remedy="Did this computer sleep, or lose its network? Run the same command again when the other has ended.",
        )


def _this_process(lab: str, verb: str) -> Holder:
    import os

    pid = os.getpid()
    return Holder(
        token=secrets.token_hex(16),
        owner=workstation.owner(),
        verb=verb,
        lab=lab,
        pid=pid,
        since=datetime.now(UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC"),
        space=workstation.process_space(),
        started=workstation.process_started(pid),
    )


def _holder(text: str) -> Holder | None:
    """Whom a lock names; it may have been written by anybody.

    None when that cannot be read.
    """
    try:
        said = json.loads(text)
        values = {field.name: said[field.name] for field in fields(Holder)}
        if not isinstance(values.pop("pid"), int):
            return None
        texts = {name: _printable(str(value)) for name, value in values.items()}
        return Holder(**texts, pid=said["pid"])
    except (ValueError, KeyError, TypeError):
        return None


def _printable(text: str) -> str:
    return "".join(character for character in text[:_LONGEST] if character.isprintable())
