#!/bin/busybox sh
# The first program of a machine: load the few drivers it needs, give it its identity, and hand over to systemd.
# Any command that fails ends it, and with it the machine (panic=-1), so that a broken boot is never taken for a slow one.
set -e

/bin/busybox mkdir -p /dev /proc /root /bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
for module in /modules/*.ko; do
    insmod "$module"
done
while [ ! -b /dev/vda ] || [ ! -b /dev/vdb ]; do
    sleep 0.1
done
mount -t ext4 -o rw,noatime,noinit_itable /dev/vda /root
mount -t tmpfs -o mode=755,size=20% run /root/run
mount -o move /dev /root/dev
mount -o move /proc /root/proc
chroot /root /usr/lib/clusterlab/identity boot
exec switch_root /root /sbin/init
