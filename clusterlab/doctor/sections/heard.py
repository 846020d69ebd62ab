"""What arrives of the packets that nodes send each other with --probe: UDP of gossip and of overlays, and ESP.

Every node sends each peer a token that begins with zero bytes, so that neither gossip nor VXLAN nor IPsec takes it for
its own, and listens for the tokens of its peers in two places: at its interfaces, before its packet filter, and after
the filter, where raw sockets get a copy without taking a port. It ends as soon as each peer says that it heard all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from .section import Section

Kind = Literal["gossip", "data", "esp"]
Heard = Literal["open", "filtered", "nothing"]
"""It arrives; it reaches the interface and not what is behind the packet filter; it reaches not even the interface."""

KINDS: tuple[Kind, ...] = ("gossip", "data", "esp")
_LEVELS: dict[str, Heard] = {"0": "nothing", "1": "filtered", "2": "open"}


def _heard(text: str) -> dict[tuple[str, Kind], Heard]:
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != "heard end":
        raise ValueError("cut off")
    found: dict[tuple[str, Kind], Heard] = {}
    for line in filter(None, lines[:-1]):
        peer, kind, level = line.split()
        found[peer, KINDS[KINDS.index(kind)]] = _LEVELS[level]
    return found


# The filter of the sockets lets only packets with four zero bytes pass where UDP's payload or ESP's SPI begins: a busy
# host would otherwise fill their buffers. Its numbers are instructions of classic BPF: see bpf(4).
_PERL = r"""
use strict; use Socket;
my ($token, $me, $gossip, $data, $rounds, @peers) = @ARGV;
$0 = "org.clusterlab.doctor: probes of the network";
my %address = map { split /=/, $_, 2 } @peers;
my @kinds = ("gossip", "data", "esp");
my %port = (gossip => $gossip, data => $data);
my @code = ([0x30,0,0,9], [0x15,0,2,17], [0x20,0,0,28], [0x05,0,0,2], [0x15,0,3,50], [0x20,0,0,20],
  [0x15,0,1,0], [0x06,0,0,65535], [0x06,0,0,0]);
my $filter = join "", map { pack "SCCL", @$_ } @code;
socket(my $wire, 17, SOCK_DGRAM, unpack("S", pack("n", 0x0800))) or die "packet socket: $!\n";
socket(my $udp, PF_INET, SOCK_RAW, 17) or die "raw socket of UDP: $!\n";
socket(my $esp, PF_INET, SOCK_RAW, 50) or die "raw socket of ESP: $!\n";
socket(my $out, PF_INET, SOCK_DGRAM, 17) or die "socket: $!\n";
my @sockets = ($wire, $udp, $esp);
for (@sockets) { setsockopt($_, SOL_SOCKET, 26, pack("Sx![P]P", scalar(@code), $filter)) or die "filter: $!\n" }
my (%heard, %sure, %told);
for my $round (1 .. $rounds) {
  for my $peer (sort keys %address) {
    next if ($told{$peer} || 0) > 1 && $sure{$peer};
    my $all = 3 == grep { ($heard{$peer}{$_} || 0) == 2 } @kinds;
    $told{$peer}++ if $all && $sure{$peer};
    for my $kind (@kinds) {
      my $text = pack("x8") . join " ", "clusterlab", $token, $kind, $me, $peer, $all ? "all" : "some", "";
      my $to = inet_aton($address{$peer}) or die "address $address{$peer}\n";
      if ($kind eq "esp") { send($esp, $text, 0, sockaddr_in(0, $to)) }
      else { send($out, $text, 0, sockaddr_in($port{$kind}, $to)) }
    }
  }
  my $wait = 0.3;
  while ($wait > 0) {
    my $bits = "";
    vec($bits, fileno($_), 1) = 1 for @sockets;
    my ($found, $left) = select(my $ready = $bits, undef, undef, $wait);
    last unless $found > 0;
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
  last unless grep { ($told{$_} || 0) < 2 } keys %address;
}
for my $peer (sort keys %address) { print "$peer $_ ", $heard{$peer}{$_} || 0, "\n" for @kinds }
print "heard end\n";
"""

HEARD: Section[dict[tuple[str, Kind], Heard]] = Section(
    "heard",
    'command -v perl >/dev/null || { echo "perl: not found" >&2; exit 127; }\n'
    f"timeout -s KILL 25 perl -e '{_PERL}' $listen",
    _heard,
)
"""By the peer's name and the kind of packet."""


def listen_words(token: str, name: str, ports: tuple[int, int], peers: Iterable[tuple[str, str]]) -> str:
    """The arguments of the probes; `ports` are those of gossip and of overlays, `peers` names with addresses."""
    others = [f"{peer}={address}" for peer, address in peers]
    rounds = 14 + len(others) // 3  # of 0.3 s, for the hosts do not begin at the same moment
    return " ".join([token, name, *map(str, ports), str(rounds), *others])
