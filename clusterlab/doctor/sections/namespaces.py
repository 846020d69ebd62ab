"""The network namespaces of Docker on a host.

Addresses, neighbours and forwarding entries in each.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from .network import Card, cards
from .section import Section


@dataclass(frozen=True)
class Entry:
    """A forwarding entry of a VXLAN device: frames for this MAC go to this host."""

    mac: str
    host: str


@dataclass(frozen=True)
class Namespace:
    """One of /run/docker/netns.

    An overlay's is called N-ID, with the first ten characters of the network's ID.
    """

    name: str
    cards: tuple[Card, ...]
    neighbours: dict[str, str]  # MAC by address: those that the engine entered
    learned: dict[str, str]  # those that the kernel found
    forwarding: tuple[Entry, ...]
    vxlan: int | None  # the VNI of its VXLAN device
    ipvs: bool | None  # whether this kernel has IPVS
    bad_checksums: int  # TCP segments that were dropped for their checksum since it exists

    @property
    def network(self) -> str:
        """The first characters of the ID of the overlay network that it is of.

        "" for other namespaces.
        """
        prefix, dash, rest = self.name.partition("-")
        return rest if dash and prefix.isdigit() else ""

    @cached_property
    def destinations(self) -> dict[str, set[str]]:
        """Where frames for a MAC go: the hosts of its forwarding entries."""
        found: dict[str, set[str]] = defaultdict(set)
        for one in self.forwarding:
            found[one.mac].add(one.host)
        return dict(found)

    def card(self, kind: str) -> Card | None:
        return next((card for card in self.cards if card.name.startswith(kind)), None)


def _namespaces(text: str) -> dict[str, Namespace]:
    found = {}
    for block in text.split("\nnetns ")[1:]:
        name, _, rest = block.partition("\n")
        parts: dict[str, str] = {}
        for line in rest.splitlines():
            key, _, value = line.partition(" ")
            parts[key] = value
        if "end" not in parts:
            raise ValueError(f"{name} is cut off")
        if parts["end"].strip() == "gone":
            continue  # while it was read
        if parts["end"].strip() != "0":
            raise ValueError(f"{name} could not be read")
        found[name.strip()] = _namespace(name.strip(), parts)
    if not text.rstrip().endswith("namespaces end"):
        raise ValueError("cut off")
    return found


def _namespace(name: str, parts: dict[str, str]) -> Namespace:
    neighbours = {True: dict[str, str](), False: dict[str, str]()}
    for one in json.loads(parts["neigh"] or "[]"):
        if "lladdr" in one:
            neighbours["PERMANENT" in one["state"]][one["dst"]] = one["lladdr"]
    entries = tuple(
        Entry(one["mac"], one["dst"])
        for one in json.loads(parts["fdb"] or "[]")
        if "dst" in one and one.get("mac") != "00:00:00:00:00:00"
    )
    links = json.loads(parts["link"] or "[]")
    vni = [one["linkinfo"]["info_data"]["id"] for one in links if one.get("linkinfo", {}).get("info_kind") == "vxlan"]
    return Namespace(
        name,
        cards(parts["addr"]),
        neighbours[True],
        neighbours[False],
        entries,
        int(vni[0]) if vni else None,
        {"yes": True, "no": False}.get(parts["ipvs"].strip()),
        _bad_checksums(parts["tcp"]),
    )


def _bad_checksums(text: str) -> int:
    """Of the two lines of /proc/net/snmp on TCP: names, then values."""
    _, names, values = (part.split() for part in text.split("Tcp:"))
    return int(dict(zip(names, values, strict=True))["InCsumErrors"])


NAMESPACES: Section[dict[str, Namespace]] = Section(
    "namespaces",
    r"""
command -v nsenter >/dev/null || { echo "nsenter: not found" >&2; exit 127; }
command -v bridge >/dev/null || { echo "bridge: not found" >&2; exit 127; }
one() {
  limit nsenter --net="$1" sh -c '
    addr=$(ip -j addr) && link=$(ip -j -d link) && neigh=$(ip -j -4 neigh) && fdb=$(bridge -j fdb show) || exit
    tcp=$(grep "^Tcp:" /proc/net/snmp) || exit
    if [ -e /proc/net/ip_vs ]; then ipvs=yes; else ipvs=no; fi
    show() { printf "%s %s\n" "$1" "$(echo "$2" | tr -d "\n")"; }
    show addr "$addr"; show link "$link"; show neigh "$neigh"; show fdb "$fdb"; show ipvs "$ipvs"; show tcp "$tcp"
  '
}
for file in /run/docker/netns/*; do
  [ -e "$file" ] || continue
  printf '\nnetns %s\n' "${file##*/}"
  one "$file" || one "$file"
  code=$?
  # An engine that was killed leaves files that no namespace is mounted on any more.
  case $(stat -f -c %T "$file" 2>/dev/null) in *nsfs*|*6e736673*) ;; *) code=gone ;; esac
  echo "end $code"
done
echo namespaces end
""",
    _namespaces,
)
