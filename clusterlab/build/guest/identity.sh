#!/bin/sh
# Take the identity that the seed disk holds: a plain tar on /dev/vdb of files as they belong in the machine. It is read past
# the page cache, because a machine that was cloned from a saved one remembers the disk of that one.
#
#   identity boot     before systemd starts
#   identity          in a running machine whose seed disk changed: a clone becomes a machine of its own
#
# Nobody reaches a clone before this ends: it was saved with sshd and the engine stopped and its LAN card down. Processes are
# few, because each is slow in a clone: an emulated processor has to translate all its code again.
set -eu

trap '[ $? = 0 ] || echo "clusterlab: the identity could not be taken" > /dev/console' EXIT
dd if=/dev/vdb iflag=direct bs=64k count=1 status=none | tar -xp --no-same-owner -C /
read -r host < /etc/hostname
echo "$host" > /proc/sys/kernel/hostname
ip -batch /run/clusterlab/network

if [ "${1-}" != boot ]; then
    # A saved machine's clock stands where it was saved, its clock chip does not; half a second is what a whole number lacks.
    read -r now < /sys/class/rtc/rtc0/since_epoch
    date --set "@$now.5" > /dev/null
    rm -rf /run/log/journal/* # it is the other machine's; the journal starts again under this machine's id
    systemctl start --no-block ssh.service docker.socket
    systemctl restart --no-block systemd-journald.service
    if [ -e /run/clusterlab/engine ]; then
        systemctl start --no-block docker.service
    fi
fi
echo "clusterlab: $host has its identity" > /dev/console
