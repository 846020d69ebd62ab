#!/bin/sh
# Have libvirt run, as root: through systemd, or where there is none (containers, CI) as daemons. Does nothing when it answers.
set -eu
answers() { virsh -c qemu:///system version >/dev/null 2>&1; }
start() {
    if [ -d /run/systemd/system ]; then
        systemctl start virtlogd.socket libvirtd.service
        return
    fi
    for daemon in virtlogd libvirtd; do
        pgrep -x "$daemon" >/dev/null || "/usr/sbin/$daemon" --daemon
    done
}

# As udev does where it runs. While libvirt's user may not open the file, libvirt asks QEMU again before everything it does, which
# takes half a minute each time.
if [ -c /dev/kvm ] && [ "$(stat -c %U:%G:%a /dev/kvm)" = root:root:600 ]; then
    chgrp kvm /dev/kvm
    chmod 660 /dev/kvm
fi
tries=0
until answers; do
    tries=$((tries + 1))
    if [ "$tries" -gt 30 ]; then
        echo "clusterlab: libvirt does not answer after 30 s; what it says:" >&2
        virsh -c qemu:///system version >&2 || true
        exit 3
    fi
    start # again and again: one that is just ending is no help
    sleep 1
done
