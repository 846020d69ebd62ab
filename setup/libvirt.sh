#!/bin/sh
# Have libvirt run: through systemd, or where there is none (containers, CI) as daemons of its own. Does nothing when it answers.
set -eu
here=$(dirname "$0")
answers() { virsh -c qemu:///system version >/dev/null 2>&1; }
start() {
    if [ -d /run/systemd/system ]; then
        sh "$here/as_root.sh" systemctl start virtlogd.socket libvirtd.service
        return
    fi
    # As udev does it elsewhere. While libvirt's user may not look, libvirt asks QEMU anew what it can before everything it does.
    if [ -c /dev/kvm ] && [ "$(stat -c %U:%G:%a /dev/kvm)" = root:root:600 ]; then
        sh "$here/as_root.sh" chgrp kvm /dev/kvm
        sh "$here/as_root.sh" chmod 660 /dev/kvm
    fi
    for daemon in virtlogd libvirtd; do
        pgrep -x "$daemon" >/dev/null || sh "$here/as_root.sh" "/usr/sbin/$daemon" --daemon
    done
}

tries=0
until answers; do
    tries=$((tries + 1))
    if [ "$tries" -gt 30 ]; then
        echo "clusterlab: libvirt does not answer this user after 30 s; what it says:" >&2
        virsh -c qemu:///system version >&2 || true
        echo "clusterlab: if that is about permissions: sudo adduser $(id -un) libvirt, and log in anew" >&2
        exit 3
    fi
    start # again and again: one that is just ending is no help
    sleep 1
done
