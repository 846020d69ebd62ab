#!/bin/busybox sh
# The first program of a machine made from the box: load the few drivers it needs, and hand over to systemd.
# Any command that fails ends it, and with it the machine (panic=-1), so that a broken boot is never taken for a slow one.
set -e

/bin/busybox mkdir -p /dev /proc /root /bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
for module in /modules/*.ko; do
    insmod "$module"
done
while [ ! -b /dev/vda1 ]; do
    sleep 0.1
done
mount -t ext4 -o rw,noatime,noinit_itable /dev/vda1 /root
mount -o move /dev /root/dev
mount -o move /proc /root/proc
exec switch_root /root /sbin/init
