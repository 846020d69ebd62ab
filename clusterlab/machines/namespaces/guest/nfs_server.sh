#!/bin/bash
# The NFS server of a host in namespaces. It is a part of the kernel, and serves the host's network while this runs.
set -eu

finish() {
    [ ! -e /proc/fs/nfsd/threads ] || echo 0 >/proc/fs/nfsd/threads
    exportfs -au
    kill $(jobs -p) 2>/dev/null || :
}
trap finish EXIT
trap 'exit 0' TERM
trap 'exportfs -r' HUP

mounted() { mountpoint --quiet "$2" || { mkdir -p "$2" && mount -t "$1" "$1" "$2"; }; }
mounted nfsd /proc/fs/nfsd
mounted rpc_pipefs /run/rpc_pipefs

rpcbind -f &
until rpcinfo -p 127.0.0.1 >/dev/null 2>&1; do # what follows announces itself there
    kill -0 $! # it has ended: so does this
    sleep 0.05
done
nfsdcld --foreground & # remembers clients, so that only these may take back their locks after a restart
rpc.statd --foreground --no-notify &
exportfs -r
rpc.nfsd 8
rpc.mountd --foreground &

while :; do
    code=0
    wait -n || code=$?
    ((code > 128)) || break # a signal for this script: HUP
done
echo "one of the processes of the NFS server ended with exit code $code" >&2
exit 1
