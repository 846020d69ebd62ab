"""Whether the NFS volumes of a host can be mounted, tried with --probe as the engine mounts them.

Each is mounted read-only in a mount namespace of its own, which ends with the command: nothing of it remains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .section import Section

_PLAIN = re.compile(r"[A-Za-z0-9_.,:=/@-]+")


@dataclass(frozen=True)
class Try:
    """A volume to mount, with the type, device and options that it has."""

    volume: str
    kind: str
    device: str
    options: str

    @property
    def plain(self) -> bool:
        """Whether it can be written as a word of the script."""
        return all(_PLAIN.fullmatch(one) for one in (self.volume, self.kind, self.device, self.options))

    def __str__(self) -> str:
        return "|".join((self.volume, self.kind, self.device, self.options))


def _mountable(text: str) -> dict[str, int]:
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != "mountable end":
        raise ValueError("cut off")
    pairs = [line.split() for line in lines[:-1] if line]
    return {volume: int(number) for volume, number in pairs}


_PERL = r"""
my ($volume, $type, $device, $options) = split /\|/, $ARGV[0], 4;
my %number = (x86_64 => 165, aarch64 => 40);
chomp(my $machine = `uname -m`);
die "mount(2) has no known number on $machine\n" unless $number{$machine};
my ($at, $read_only) = ("/mnt", 1);
my $failed = syscall($number{$machine}, $device, $at, $type, $read_only, $options);
print "$volume ", $failed ? $! + 0 : 0, "\n";
"""

MOUNTABLE: Section[dict[str, int]] = Section(
    "mountable",
    f"""
[ -z "$volumes" ] || command -v perl >/dev/null || {{ echo "perl: not found" >&2; exit 127; }}
[ -d /mnt ] || {{ echo "there is no directory /mnt" >&2; exit 1; }}
for one in $volumes; do limit unshare -m perl -e '{_PERL}' "$one" & done
wait
echo mountable end
""",
    _mountable,
)
"""The error number of mount(2) by volume, 0 for success; what did not end in time is absent."""


def mount_words(tries: Iterable[Try]) -> str:
    """The volumes as the script takes them."""
    return " ".join(dict.fromkeys(map(str, tries)))
