#!/bin/sh
# Take the identity that the seed disk holds: a plain tar on /dev/vdb, read past the page cache, because a machine that was
# cloned from a saved one remembers the disk of that one.
#
#   identity boot     before systemd starts
#   identity          in a running machine whose seed disk changed: a clone becomes a machine of its own
#
# Nobody reaches a clone before this ends: it was saved with sshd and the engine stopped and its LAN card down.
set -eu

trap '[ $? = 0 ] || echo "clusterlab: the identity could not be taken" > /dev/console' EXIT
seed=/run/clusterlab/seed
rm -rf "$seed.new"
mkdir -p "$seed.new"
dd if=/dev/vdb iflag=direct bs=64k count=1 status=none | tar -x -C "$seed.new"
if cmp -s "$seed.new/id" "$seed/id"; then
    rm -rf "$seed.new"
    exit 0
fi
rm -rf "$seed"
mv "$seed.new" "$seed"
. "$seed/lan" # MAC, ADDRESS (with its prefix length)
read -r host < "$seed/hostname"

echo "$host" > /proc/sys/kernel/hostname
umask 077
mkdir -p /root/.ssh /var/lib/docker
cp "$seed/authorized_keys" /root/.ssh/authorized_keys
cp "$seed/ssh_host_ed25519_key" /etc/ssh/ssh_host_ed25519_key
umask 022
cp "$seed/hostname" "$seed/hosts" "$seed/machine-id" /etc/
cp "$seed/ssh_host_ed25519_key.pub" /etc/ssh/
cp "$seed/engine-id" /var/lib/docker/engine-id

ip link set lo up
ip address replace 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route replace default via 10.0.2.2
echo "nameserver 10.0.2.3" > /etc/resolv.conf
ip link set eth1 down
ip address flush dev eth1
ip link set eth1 address "$MAC"
ip address add "$ADDRESS" broadcast + dev eth1
ip link set eth1 up

if [ "${1-}" != boot ]; then
    # A saved machine's clock stands where it was saved, its clock chip does not; half a second is what a whole number lacks.
    date --set "@$(cat /sys/class/rtc/rtc0/since_epoch).5" > /dev/null
    # All clones have one state of the random number generator until new bytes are mixed in (0x5207 is RNDRESEEDCRNG).
    cat "$seed/random" > /dev/urandom
    perl -e 'ioctl(STDIN, 0x5207, 0) or die "the random number generator was not seeded anew: $!\n"' < /dev/urandom
    rm -rf /run/log/journal/*
    systemctl restart systemd-journald.service
    systemctl start --no-block ssh.service docker.socket docker.service
fi
echo "clusterlab: $host has its identity" > /dev/console
