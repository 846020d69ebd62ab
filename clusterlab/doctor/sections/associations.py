"""The kernel's security associations (SA) of encrypted overlays, without their keys."""

from __future__ import annotations

from dataclasses import dataclass

from .section import Section

_MARK = 0xD0C4E3
"""The engine's request ID, by which it knows its own associations (libnetwork, overlay/encryption.go)."""


@dataclass(frozen=True)
class Association:
    """For ESP packets from one address to another with this index (SPI)."""

    source: str
    target: str
    spi: int


@dataclass(frozen=True)
class Associations:
    """Those of Docker, and whether the kernel shows that it has ESP: as a module that is loaded, or built in."""

    esp: bool
    entries: frozenset[Association]


def _associations(text: str) -> Associations:
    """See ip-xfrm(8): an entry begins with its addresses, what belongs to it is indented."""
    first, *lines, last = text.rstrip().splitlines()
    if first not in ("esp yes", "esp no") or last != "states end":
        raise ValueError("cut off")
    found = set()
    source = target = ""
    for line in lines:
        match line.split():
            case []:
                continue
            case ["src", _, "dst", _, *_] if not line[0].isspace():
                _, source, _, target, *_ = line.split()
            case ["proto", "esp", "spi", spi, "reqid", mark, *_] if source:
                if int(mark) == _MARK:
                    found.add(Association(source, target, int(spi, 16)))
            case _ if not line[:1].isspace():
                raise ValueError(line)
    return Associations(first == "esp yes", frozenset(found))


ASSOCIATIONS: Section[Associations] = Section(
    "associations",
    """
awk '$2 == 6 {found = 1} END {exit !found}' /proc/net/netlink || { echo "IPsec is not in use" >&2; exit 1; }
if [ -e /sys/module/esp4 ] || grep -qs '/esp4[.]ko' "/lib/modules/$(uname -r)/modules.builtin"; then
  echo esp yes
else
  echo esp no
fi
limit ip xfrm state list nokeys && echo states end
""",
    _associations,
)
"""Only where netlink(7) has the protocol of IPsec (6) already: asking would load its module."""
