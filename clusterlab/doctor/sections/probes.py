"""Whether a host reaches its peers and NFS servers.

TCP connections, and packets through the ingress network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .section import Section

Outcome = Literal["open", "refused", "no answer", "no route"]


@dataclass(frozen=True)
class Probe:
    """`kind` "tcp": a connection to a port.

    "mesh": a packet from the ingress sandbox to that of a peer.
    """

    kind: Literal["tcp", "mesh", "mesh-full"]
    address: str
    port: int = 0

    def __str__(self) -> str:
        return f"{self.kind}/{self.address}/{self.port}"


def _probes(text: str) -> dict[str, Outcome]:
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != "probes end":
        raise ValueError("cut off")
    found: dict[str, Outcome] = {}
    for line in filter(None, lines[:-1]):
        name, code, why = (*line.split(" ", 2), "")[:3]
        outcome = _outcome(name, int(code), why)
        if outcome is not None:
            found[name] = outcome
    return found


def _outcome(name: str, code: int, why: str) -> Outcome | None:
    """What a probe showed; None when it could not be carried out."""
    if code == 0:
        return "open"
    if name.startswith("mesh"):
        return "no answer" if code == 1 and "packet loss" in why else None  # else ping could not be started
    if code in (124, 137):
        return "no answer"
    if "refused" in why:
        return "refused"
    if "No route" in why or "unreachable" in why:
        return "no route"
    return "no answer" if "timed out" in why else None


_SCRIPT = r"""
sandbox=/run/docker/netns/ingress_sbox
probe() {
  kind=${1%%/*}; rest=${1#*/}; address=${rest%/*}; port=${rest#*/}
  case $kind in
    tcp) why=$(limit bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$address" "$port" 2>&1); code=$? ;;
    mesh) why=$(limit nsenter --net=$sandbox ping -n -q -c 2 -i 0.3 -W 1 "$address" 2>&1); code=$? ;;
    mesh-full)
      mtu=$(limit nsenter --net=$sandbox ip -o link show dev eth0 | sed -n 's/.* mtu \([0-9]*\).*/\1/p')
      why=$(limit nsenter --net=$sandbox ping -n -q -c 2 -i 0.3 -W 1 -M do -s $((${mtu:-1450} - 28)) "$address" 2>&1)
      code=$? ;;
  esac
  echo "$1 $code $(printf '%s\n' "$why" | tail -n 1)"
}
for one in $probes; do probe "$one" & done
wait
echo probes end
"""

PROBES: Section[dict[str, Outcome]] = Section("probes", _SCRIPT, _probes)
"""Outcomes by the probe's text; those that could not be carried out are absent."""


def words(probes: Iterable[Probe]) -> str:
    """The probes as the script takes them."""
    return " ".join(dict.fromkeys(map(str, probes)))
