#!/usr/bin/perl
# Keep one sealed copy of runc in memory, and have it found before /usr/sbin/runc.
#
# runc executes a sealed copy of itself (CVE-2019-5736) and makes a new one for each container and each command in one, unless it is
# such a copy already (contrib/cmd/memfd-bind in its repository). Under emulation each copy is code that QEMU has to translate again,
# which costs more than all the rest of a `docker exec`.
use strict;
use warnings;
use Fcntl;

my ($runc, $found_first) = ('/usr/sbin/runc', '/usr/local/sbin/runc');
my ($MEMFD_CREATE, $CLOEXEC_AND_SEALS) = (319, 1 | 2);    # memfd_create(2)
my ($ADD_SEALS, $ALL_SEALS) = (1033, 1 | 2 | 4 | 8);      # F_ADD_SEALS: seal, shrink, grow, write
my ($INOTIFY_INIT, $INOTIFY_ADD_WATCH, $WRITTEN_OR_MOVED) = (294, 254, 0x8 | 0x80);    # inotify(7)

sub called { my ($what, $result) = @_; die "$what: $!\n" if $result < 0; return $result }

my ($folder, $name) = $runc =~ m{(.*)/(.*)};
my $watch = called('inotify_init1', syscall $INOTIFY_INIT, 0);
called('inotify_add_watch', syscall $INOTIFY_ADD_WATCH, $watch, $folder, $WRITTEN_OR_MOVED);

my $copy = called('memfd_create', syscall $MEMFD_CREATE, $name, $CLOEXEC_AND_SEALS);
open my $in, '<:raw', $runc or die "$runc: $!\n";
open my $out, '>&=:raw', $copy or die "memfd: $!\n";
while (my $read = sysread $in, my $part, 1 << 20) { syswrite($out, $part) == $read or die "memfd: $!\n" }
fcntl $out, $ADD_SEALS, $ALL_SEALS or die "seal: $!\n";

unlink $found_first;
symlink "/proc/$$/fd/$copy", $found_first or die "$found_first: $!\n";
system 'systemd-notify', '--ready';

open my $events, '<&=:raw', $watch or die "inotify: $!\n";
while (sysread $events, my $batch, 4096) {
    my @names = unpack '(x12 L/Z)*', $batch;    # each event: descriptor, mask, cookie, length of the name, name
    last if grep { $_ eq $name } @names;        # another runc has been installed
}
unlink $found_first;
