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
        name, word, *_ = line.split()
        if word != "error":  # it could not be carried out
            found[name] = _OUTCOMES[word]
    return found


_OUTCOMES: dict[str, Outcome] = {"open": "open", "refused": "refused", "silent": "no answer", "unroutable": "no route"}


# What was begun decides, not how long this process was kept from running: a connection that the kernel has made
# meanwhile is found in the end.
_CONNECT = r"""
use strict; use Socket qw(:DEFAULT SOCK_NONBLOCK getaddrinfo); use Errno qw(:POSIX);
my %word = (0 => "open", ECONNREFUSED, "refused", ETIMEDOUT, "silent", EHOSTUNREACH, "unroutable",
  ENETUNREACH, "unroutable");
my (@waiting, %best);
sub known { my ($probe, $code) = @_; $best{$probe} = $code unless exists $best{$probe} && $best{$probe} == 0 }
for my $probe (@ARGV) {
  my (undef, $address, $port) = split m{/}, $probe;
  my ($failed, @found) = getaddrinfo($address, $port, {socktype => SOCK_STREAM});
  for my $to ($failed ? () : @found) {
    socket(my $socket, $to->{family}, SOCK_STREAM | SOCK_NONBLOCK, 6) or next;
    if (connect($socket, $to->{addr})) { known($probe, 0) }
    elsif ($! == EINPROGRESS) { push @waiting, [$probe, $socket] }
    else { known($probe, $! + 0) }
  }
}
my $wait = 2;
while (@waiting) {
  my $bits = "";
  vec($bits, fileno($_->[1]), 1) = 1 for @waiting;
  my $last = $wait <= 0;
  (undef, $wait) = select(undef, my $ready = $bits, undef, $last ? 0 : $wait);
  my @left;
  for (@waiting) {
    if (vec($ready, fileno($_->[1]), 1)) { known($_->[0], unpack("i", getsockopt($_->[1], SOL_SOCKET, SO_ERROR))) }
    else { push @left, $_ }
  }
  @waiting = @left;
  last if $last;
}
known($_->[0], ETIMEDOUT) for @waiting;
print "$_ ", $word{$best{$_}} || "error $best{$_}", "\n" for sort keys %best;
"""

# 35105 reads the size of packets of a card, 10 with 2 forbids to fragment them, and 255, 1 leaves only answers: see
# netdevice(7), ip(7) and icmp in linux/icmp.h.
_PING = r"""
use strict; use Socket; use Errno qw(:POSIX);
socket(my $in, PF_INET, SOCK_RAW, 1) or die "raw socket of ICMP: $!\n";
socket(my $out, PF_INET, SOCK_RAW, 1) or die "raw socket of ICMP: $!\n";
setsockopt($in, 255, 1, pack("L", 0xfffffffe)) or die "filter: $!\n";
setsockopt($out, 255, 1, pack("L", 0xffffffff)) or die "filter: $!\n";
setsockopt($out, 0, 10, pack("i", 2)) or die "path MTU discovery: $!\n";
my $card = pack("a16 x24", "eth0");
ioctl($out, 35105, $card) or die "eth0: $!\n";
my $mtu = unpack("x16 i", $card);
my $id = $$ & 0xffff;
my (%code, %at);
sub packed {
  my ($number, $size) = @_;
  my $rest = pack("nn", $id, $number) . "\0" x $size;
  my $sum = unpack("%32n*", pack("CCn", 8, 0, 0) . $rest . "\0" x (length($rest) & 1));
  $sum = ($sum & 0xffff) + ($sum >> 16) for 1 .. 2;
  pack("CCn", 8, 0, ~$sum & 0xffff) . $rest;
}
sub hear {
  my $wait = shift;
  while (1) {
    my $bits = "";
    vec($bits, fileno($in), 1) = 1;
    my ($found, $left) = select(my $ready = $bits, undef, undef, $wait);
    return unless $found > 0;
    $wait = $left;
    defined recv($in, my $packet, 65536, 0) or next;
    my $from = inet_ntoa(substr($packet, 12, 4));
    my ($type, undef, undef, $to, $number) = unpack("CCnnn", substr($packet, 4 * (ord($packet) & 15)));
    my $probe = $to == $id ? $ARGV[$number] : undef;
    next unless defined $probe && (split m{/}, $probe)[1] eq $from;
    $code{$probe} = 0;
    return unless grep { $code{$_} } keys %code;
  }
}
for my $round (0, 1) {
  for my $number (0 .. $#ARGV) {
    my $probe = $ARGV[$number];
    next if exists $code{$probe} && $code{$probe} == 0;
    my ($kind, $address) = split m{/}, $probe;
    my $done = send($out, packed($number, $kind eq "mesh" ? 56 : $mtu - 28), 0, sockaddr_in(0, inet_aton($address)));
    $code{$probe} = defined $done || $! == EMSGSIZE || $! == EPERM ? ETIMEDOUT : $! + 0;
    hear(0);
  }
  hear($round ? 1 : 0.3) if grep { $_ } values %code;
}
print "$_ ", {0 => "open", ETIMEDOUT, "silent"}->{$code{$_}} || "error $code{$_}", "\n" for sort keys %code;
"""

PROBES: Section[dict[str, Outcome]] = Section(
    "probes",
    f"""
[ -z "$probes" ] || command -v perl >/dev/null || {{ echo "perl: not found" >&2; exit 127; }}
connect= ping=
for one in $probes; do
  case $one in tcp/*) connect="$connect $one" ;; *) ping="$ping $one" ;; esac
done
[ -z "$connect" ] || timeout -s KILL 10 perl -e '{_CONNECT}' $connect &
[ -z "$ping" ] || pinged=$(timeout -s KILL 10 nsenter --net=/run/docker/netns/ingress_sbox perl -e '{_PING}' $ping)
wait
[ -z "$ping" ] || printf '%s\n' "$pinged"
echo probes end
""",
    _probes,
)
"""Outcomes by the probe's text; those that could not be carried out are absent."""


def words(probes: Iterable[Probe]) -> str:
    """The probes as the script takes them."""
    return " ".join(dict.fromkeys(map(str, probes)))
