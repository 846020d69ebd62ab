"""Many network probes of a host in one command.

Pings, TCP connections and DNS questions in the networks of processes.

They use the host's tools (bash, ping, timeout, dd, od, nsenter; awk and curl to stay near) in the network namespace of
a process, so that nothing has to be in its image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from clusterlab.parallel import parallel

from .dns_message import Answer, parse, question
from .network import entering, require_entered
from .place import MissingTool, NotUnderstood, Place
from .places import Places
from .reached import CONNECTED, reason

HERE = 0
"""Instead of a process id: in the host's own network."""

_AT_ONCE = 16
_SECONDS = 4  # for each probe
_HELD = 20  # seconds until a connection that is held open ends by itself
_MISSING = 127
_TIMED_OUT = 124
NEAR = """awk 'FNR == 1 { next }
NR == FNR {
  if ($1 ~ /^docker(0|_gwbridge)$/ || ($1 ~ /^br-[0-9a-f]+$/ && length($1) == 15)) bridge[$2, $8]
  next
}
{ all[$1] } ($2, $8) in bridge { out[$1] }
END { for (one in all) if (!(one in out)) print one }' /proc/net/route"""
"""Prints the cards in a /proc/PID/net/route but those on Docker's own bridges of the host, which have its subnets."""
_SCRIPT = r"""
probe() {
  local enter=() card=$6 said code
  [ "$2" = 0 ] || enter=(ENTERING)
  case $3 in
    ping) said=$(timeout SECONDS "${enter[@]}" ping -n -c 2 -i 0.2 -W 2 ${card:+-I "$card"} "$4" 2>&1);;
    tcp) if [ "$card" ]; then
        said=$(timeout SECONDS "${enter[@]}" curl -sS -v --noproxy '*' --interface "$card" "telnet://$4:$5" \
          < /dev/null 2>&1)
      else
        said=$(timeout SECONDS "${enter[@]}" bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$4" "$5" 2>&1)
      fi;;
    held) said=$(timeout SECONDS "${enter[@]}" bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit
      socket=$(readlink "/proc/$$/fd/3"); socket=${socket//[!0-9]/}
      while read -r _ from _ _ _ _ _ _ _ number _; do [ "$number" != "$socket" ] || break; done < /proc/net/tcp
      sleep HELD > /dev/null 2>&1 & echo "$((16#${from#*:})) $!"' bash "$4" "$5" 2>&1);;
    dns) said=$(timeout SECONDS "${enter[@]}" bash -c 'exec 3<>/dev/udp/127.0.0.11/53 &&
      printf %b "$1" | dd bs=1500 iflag=fullblock status=none >&3 &&
      dd bs=1500 count=1 status=none <&3 | od -An -v -tx1 | tr -d " \n"' bash "$4" 2>&1);;
  esac
  code=$?
  if [[ $card && $3 = tcp ]]; then # with -v, curl says what the network answered before its own words for it
    ! grep -qE 'CONNECTED' <<< "$said" || code=0
    said=$(grep -E '^\* (Immediate connect fail|connect to .* failed)' <<< "$said" || echo "$said")
  fi
  printf '%s %s %s\n' "$1" "$code" "$(tail -n 1 <<< "$said")"
}
own() {
  local kind rest last=
  while read -r kind rest; do
    [ "$kind $rest" != "/32 host LOCAL" ] || printf ' %s' "$last"
    last=$rest
  done < "/proc/$1/net/fib_trie"
}
number=0
declare -A known
for job; do
  read -r pid kind target port near <<< "$job"
  [ "$pid" = 0 ] || [ -n "${known[$pid]}" ] || echo "own $pid$(own "$pid" 2> /dev/null)"
  known[$pid]=1
  if [ "$pid" != 0 ] && [ ! -e "/proc/$pid/ns/net" ]; then echo "$number 1 gone"
  elif [ "$near" ]; then
    cards=$(NEAR "/proc/$pid/net/route")
    [ "$cards" ] || echo "$number 1 none"
    for card in $cards; do probe "$number" "$pid" "$kind" "$target" "$port" "$card" & done
  else probe "$number" "$pid" "$kind" "${target//%/\\x}" "$port" & fi
  number=$((number + 1))
  [ $((number % AT_ONCE)) -ne 0 ] || wait
done
wait
"""
_SCRIPT = _SCRIPT.replace("SECONDS", str(_SECONDS)).replace("AT_ONCE", str(_AT_ONCE)).replace("HELD", str(_HELD))
_SCRIPT = _SCRIPT.replace("ENTERING", " ".join(entering("$2"))).replace("NEAR", NEAR).replace("CONNECTED", CONNECTED)


@dataclass(frozen=True)
class Job:
    """One probe.

    For `dns` the target is a name, which Docker's DNS of the process is asked for.

    `held` is `tcp` whose connection stays open until it is released: see `released`.

    `near` asks over each network of the process but Docker's bridge to the outside of its host (docker_gwbridge):
    there a router may answer in the name of any address, as the user network of QEMU does. A macvlan or ipvlan network
    has the default route itself.
    """

    pid: int
    kind: Literal["ping", "tcp", "held", "dns"]
    target: str
    port: int = 0
    near: bool = False

    def __str__(self) -> str:
        return {"ping": "ping", "dns": self.target}.get(self.kind, f"port {self.port}")

    def argument(self) -> str:
        target = self.target
        if self.kind == "dns":
            target = "".join(f"%{byte:02x}" for byte in question(self.target))
        return f"{self.pid} {self.kind} {target} {self.port}{' near' if self.near else ''}"

    def typed(self) -> str:
        """Much the same, as a person types it on the host."""
        inside = f"{' '.join(entering(self.pid))} " if self.pid != HERE else ""
        if self.kind == "ping":
            return f"{inside}ping -c 2 {'-I CARD ' if self.near else ''}{self.target}"
        if self.kind == "dns":
            return f"{inside}nslookup {self.target} 127.0.0.11"
        if self.near:
            return f"{inside}curl --interface CARD --max-time {_SECONDS} telnet://{self.target}:{self.port}"
        return f"{inside}timeout {_SECONDS} bash -c '</dev/tcp/{self.target}/{self.port}'"


@dataclass(frozen=True)
class Met:
    """What came of a probe: whether it was answered, and in words what was seen.

    `answer` is that of a name server; `port` the own one of a connection that is held, by the process `holder`.
    `itself`: the address is one of the network from which it was asked for, so that nobody else was reached.
    """

    reached: bool
    found: str
    answer: Answer | None = None
    port: int = 0
    holder: int = 0
    itself: bool = False


def ask_all(host: str, jobs: Sequence[Job], places: Places) -> Mapping[Job, Met]:
    """Carry all jobs of a host out in one command.

    Raises MissingTool, NotUnderstood and NoAnswer.
    """
    unique = list(dict.fromkeys(jobs))
    place = Place(host)
    patience = 30.0 + (_SECONDS + 1) * (len(unique) // _AT_ONCE + 1)
    completed = places.run(
        place, ["bash", "-c", _SCRIPT, "bash", *(job.argument() for job in unique)], timeout=patience
    )
    lines: dict[str, list[str]] = {}
    for number, line in re.findall(r"^(\d+) (\d+ ?.*)$", completed.stdout, re.MULTILINE):
        lines.setdefault(number, []).append(line)
    own = {int(pid): text.split() for pid, text in re.findall(r"^own (\d+)(.*)$", completed.stdout, re.MULTILINE)}
    found = {}
    for index, job in enumerate(unique):
        if str(index) not in lines:
            raise NotUnderstood(
                f"{host} did not answer all probes (exit code {completed.exit})",
                command=job.typed(),
                detail=completed.output,
            )
        met = _of_all(job, lines[str(index)], place)
        found[job] = replace(met, itself=met.reached and job.target in own.get(job.pid, ()))
    return found


@contextmanager
def released(held: Mapping[str, Iterable[Met]], places: Places) -> Iterator[None]:
    """End the connections that hosts hold, by the host, when the block ends."""
    try:
        yield
    finally:
        holders = {host: [str(met.holder) for met in all_ if met.holder] for host, all_ in held.items()}
        ending = {host: ["kill", *pids] for host, pids in holders.items() if pids}
        # One that has ended by itself meanwhile is not an error, nor is a host that is gone: see _HELD.
        parallel(lambda host: places.run(Place(host), ending[host]), list(ending), name="release")


def _of_all(job: Job, lines: Sequence[str], place: Place) -> Met:
    """What came of a job over each of several networks.

    One over which it was answered counts. Without one, all of them must have been asked: raises MissingTool and
    NotUnderstood.
    """
    ended = [(int(code), said) for code, _, said in (line.partition(" ") for line in lines)]
    answered = [(code, said) for code, said in ended if code == 0]
    return [_met(job, code, said, place) for code, said in answered[:1] or ended][-1]


def _met(job: Job, code: int, said: str, place: Place) -> Met:
    if said == "gone":
        raise NotUnderstood(f"a task on {place} ended while it was probed", command=job.typed())
    if said == "none":
        raise NotUnderstood(
            f"a task on {place} has no network besides Docker's bridges on that host", command=job.typed()
        )
    if code == _MISSING:
        tool = "ping" if job.kind == "ping" else "curl" if job.near else "nsenter, dd or od"
        raise MissingTool(f"{place} has no {tool}", remedy=f"install {tool} on {place}")
    if job.kind == "dns":
        return _resolved(job, code, said)
    if code == 0 and job.kind == "held":
        port, holder = map(int, said.split())
        return Met(True, "open", port=port, holder=holder)
    if code == 0:
        return Met(True, "answers" if job.kind == "ping" else "open")
    require_entered(f"process {job.pid} on {place}", said, job.typed())
    if code == _TIMED_OUT:
        return Met(False, "timed out")
    if why := reason(said):
        return Met(False, why)
    if job.kind == "ping" and code == 1:
        return Met(False, "no answer")
    raise NotUnderstood(f"{job.typed()} failed on {place} for a reason other than the network: {said}", detail=said)


def _resolved(job: Job, code: int, said: str) -> Met:
    if code != 0 or not said:
        return Met(False, "Docker's DNS does not answer")
    try:
        answer = parse(bytes.fromhex(said))
    except ValueError as error:
        raise NotUnderstood(f"Docker's DNS sent an unusable answer: {error}", command=job.typed()) from error
    if answer.addresses:
        return Met(True, f"is {', '.join(answer.addresses)}", answer)
    return Met(False, f"does not resolve: {answer.code or 'no IPv4 address'}", answer)
