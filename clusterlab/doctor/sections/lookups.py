"""What the engine's name server answers inside containers of a host: names of services, asked on their networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clusterlab.checks.dns_message import Answer, parse, question

from .section import Section


@dataclass(frozen=True)
class Lookup:
    """A name to look up where a container is."""

    container: str  # its ID
    name: str


def _lookups(text: str) -> dict[Lookup, Answer]:
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != "lookups end":
        raise ValueError("cut off")
    found = {}
    for line in filter(None, lines[:-1]):
        container, name, *answer = line.split()
        if answer:
            found[Lookup(container, name)] = parse(bytes.fromhex(answer[0]))
    return found


LOOKUPS: Section[dict[Lookup, Answer]] = Section(
    "lookups",
    # A datagram leaves in one write, which a newline in it would split: dd collects it first.
    r"""
[ -z "$lookups" ] || command -v bash >/dev/null || { echo "bash: not found" >&2; exit 127; }
ask() {
  id=${1%%/*}
  pid=$(grep -o '"Pid":[0-9]*' "$root/containers/$id/config.v2.json" 2>/dev/null | head -n 1); pid=${pid#*:}
  [ "${pid:-0}" != 0 ] || return 0
  limit nsenter --net="/proc/$pid/ns/net" bash -c '
    for one in $1; do
      exec 3<>/dev/udp/127.0.0.11/53 || exit
      printf "$(printf %s "${one#*=}" | sed "s/../\\\\x&/g")" | dd bs=4096 iflag=fullblock 2>/dev/null >&3
      answer=$(dd bs=4096 count=1 <&3 2>/dev/null | od -An -v -tx1 | tr -d " \n")
      echo "$0 ${one%%=*} $answer"
    done' "$id" "$(echo "${1#*/}" | tr , ' ')"
  return 0
}
for one in $lookups; do ask "$one" & done
wait
echo lookups end
""",
    _lookups,
)
"""Answers by question; a question without an answer is absent."""


def lookup_words(lookups: Iterable[Lookup]) -> str:
    """The lookups as the script takes them: those of one container together, each with its question in hexadecimal."""
    names: dict[str, list[str]] = {}
    for one in dict.fromkeys(lookups):
        names.setdefault(one.container, []).append(f"{one.name}={question(one.name).hex()}")
    return " ".join(f"{container}/{','.join(asked)}" for container, asked in names.items())
