"""What arrives of the packets that nodes send each other with --probe: UDP of gossip and of overlays, and ESP.

Every node sends each peer a token that begins with zero bytes, so that neither gossip nor VXLAN nor IPsec takes it for
its own, and listens for the tokens of its peers in two places: at its interfaces, before its packet filter, and after
the filter, where raw sockets get a copy without taking a port. It ends as soon as each peer says that it heard all.

Hosts do not begin at the same moment. That a token did not arrive says something only where both listened at the same
time: so each node also prints when it listened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .section import Section

Kind = Literal["gossip", "data", "esp"]
Heard = Literal["open", "filtered", "nothing", "unsent"]
"""It arrives; it reaches the interface and not what is behind the packet filter; it reaches not even the interface;
the sender's own packet filter refuses it."""

KINDS: tuple[Kind, ...] = ("gossip", "data", "esp")
_KIND: dict[str, Kind] = {kind: kind for kind in KINDS}
_LEVELS: dict[str, Heard] = {"0": "nothing", "1": "filtered", "2": "open"}
_SECONDS, _MORE = 4.0, 0.1
"""For which a node listens: of two nodes, and for each further one."""
_LONGEST = 18.0
_KILL = 25.0
_SENDS = 3
"""Tokens that must have been sent while a peer listened before their absence means anything."""


@dataclass(frozen=True)
class Listening:
    """What a node heard of its peers, and when it listened, in seconds since it booted."""

    levels: dict[tuple[str, Kind], Heard]  # by the peer's name
    unsent: frozenset[tuple[str, Kind]]  # what its own packet filter did not let it send to a peer
    asked: float  # when the section began
    began: float  # when all sockets were open
    ended: float
    slowest: float  # the longest time between two tokens, in seconds

    def certain(self, began: float, ended: float, uptime: float) -> tuple[float, float]:
        """When it listened for certain, by the clock of the one who asked.

        The whole command began and ended at these times of that clock, and the host's `uptime` was read before its
        end. Without the host's own clock, which may be wrong, only that much is known. The second time is not after
        the first one when nothing is certain.
        """
        latest, earliest = ended - uptime, began - self.asked  # of the host's start
        return self.began + latest, self.ended + earliest

    @property
    def needed(self) -> float:
        """Seconds in which it sent enough tokens to every peer."""
        return _SENDS * self.slowest


def _heard(text: str) -> Listening:
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != "heard end":
        raise ValueError("cut off")
    levels: dict[tuple[str, Kind], Heard] = {}
    unsent: set[tuple[str, Kind]] = set()
    times: list[float] = []
    for line in filter(None, lines[:-1]):
        match line.split():
            case ["asked", at]:
                times[:0] = [float(at)]
            case ["listened", began, ended, slowest]:
                times += map(float, (began, ended, slowest))
            case [peer, kind, "unsent"]:
                unsent.add((peer, _KIND[kind]))
            case [peer, kind, level]:
                levels[peer, _KIND[kind]] = _LEVELS[level]
            case _:
                raise ValueError(line)
    at_first, first, last, longest = times
    return Listening(levels, frozenset(unsent), at_first, first, last, longest)


# The filter of the sockets lets only packets with four zero bytes pass where UDP's payload or ESP's SPI begins: a busy
# host would otherwise fill their buffers. Its numbers are instructions of classic BPF: see bpf(4). The socket at the
# interfaces is opened last: what it gets, the others were ready for.
_PERL = r"""
use strict; use Socket; use Errno;
my ($token, $me, $gossip, $data, $seconds, @peers) = @ARGV;
$0 = "org.clusterlab.doctor: probes of the network";
my %address = map { split /=/, $_, 2 } @peers;
my @kinds = ("gossip", "data", "esp");
my %port = (gossip => $gossip, data => $data);
my @code = ([0x30,0,0,9], [0x15,0,2,17], [0x20,0,0,28], [0x05,0,0,2], [0x15,0,3,50], [0x20,0,0,20],
  [0x15,0,1,0], [0x06,0,0,65535], [0x06,0,0,0]);
my $filter = join "", map { pack "SCCL", @$_ } @code;
sub filtered { setsockopt($_[0], SOL_SOCKET, 26, pack("Sx![P]P", scalar(@code), $filter)) or die "filter: $!\n" }
sub uptime { open(my $file, "<", "/proc/uptime") or die "/proc/uptime: $!\n"; (split " ", <$file>)[0] }
socket(my $out, PF_INET, SOCK_DGRAM, 17) or die "socket: $!\n";
socket(my $udp, PF_INET, SOCK_RAW, 17) or die "raw socket of UDP: $!\n";
socket(my $esp, PF_INET, SOCK_RAW, 50) or die "raw socket of ESP: $!\n";
filtered($udp); filtered($esp);
socket(my $wire, 17, SOCK_DGRAM, unpack("S", pack("n", 0x0800))) or die "packet socket: $!\n";
filtered($wire);
my @sockets = ($wire, $udp, $esp);
my (%heard, %sure, %told, %sent, %refused);
sub hear {
  my $wait = shift;
  while (1) {
    my $bits = "";
    vec($bits, fileno($_), 1) = 1 for @sockets;
    my ($found, $left) = select(my $ready = $bits, undef, undef, $wait);
    return unless $found > 0;
    $wait = $left;
    for my $at (0 .. 2) {
      next unless vec($ready, fileno($sockets[$at]), 1);
      next unless defined recv($sockets[$at], my $packet, 2048, 0);
      next unless $packet =~ /clusterlab $token (\w+) (\S+) (\S+) (all|some) / && $3 eq $me;
      my ($kind, $peer, $level) = ($1, $2, $at ? 2 : 1);
      $sure{$peer} = 1 if $4 eq "all";
      $heard{$peer}{$kind} = $level if ($heard{$peer}{$kind} || 0) < $level;
    }
  }
}
my $began = uptime();
my ($now, $slowest) = ($began, 0);
while (1) {
  for my $peer (sort keys %address) {
    next if ($told{$peer} || 0) > 1 && $sure{$peer};
    my $all = 3 == grep { ($heard{$peer}{$_} || 0) == 2 } @kinds;
    $told{$peer}++ if $all && $sure{$peer};
    for my $kind (@kinds) {
      my $text = pack("x8") . join " ", "clusterlab", $token, $kind, $me, $peer, $all ? "all" : "some", "";
      my $to = inet_aton($address{$peer}) or die "address $address{$peer}\n";
      my $done = $kind eq "esp" ? send($esp, $text, 0, sockaddr_in(0, $to))
        : send($out, $text, 0, sockaddr_in($port{$kind}, $to));
      if (defined $done) { $sent{$peer}{$kind} = 1 } elsif ($!{EPERM}) { $refused{$peer}{$kind} = 1 }
    }
  }
  hear(0.3);
  my $before = $now;
  $now = uptime();
  $slowest = $now - $before if $now - $before > $slowest;
  last if $now - $began >= $seconds || !grep { ($told{$_} || 0) < 2 } keys %address;
}
hear(0);
for my $peer (sort keys %address) {
  print "$peer $_ ", $heard{$peer}{$_} || 0, "\n" for @kinds;
  print "$peer $_ unsent\n" for grep { $refused{$peer}{$_} && !$sent{$peer}{$_} } @kinds;
}
print "listened $began $now $slowest\nheard end\n";
"""

HEARD: Section[Listening] = Section(
    "heard",
    'command -v perl >/dev/null || { echo "perl: not found" >&2; exit 127; }\n'
    "echo asked $(cut -d ' ' -f 1 /proc/uptime)\n"
    f"timeout -s KILL {_KILL:g} perl -e '{_PERL}' $listen",
    _heard,
)

UPTIME: Section[float] = Section("uptime", "cut -d ' ' -f 1 /proc/uptime", float)
"""Seconds since the host booted; read at the end of the probes."""


def listen_words(token: str, name: str, ports: tuple[int, int], peers: Iterable[tuple[str, str]], longer: int) -> str:
    """The arguments of the probes.

    `ports` are those of gossip and of overlays, `peers` names with addresses; it listens `longer` times as long as it
    usually does.
    """
    others = [f"{peer}={address}" for peer, address in peers]
    seconds = min(_LONGEST, longer * (_SECONDS + _MORE * len(others)))
    return " ".join([token, name, *map(str, ports), f"{seconds:g}", *others])
