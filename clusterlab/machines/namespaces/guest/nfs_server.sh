#!/bin/bash
# The NFS server of a host in namespaces. It is a part of the kernel, and serves the host's network while this runs.
set -eu

finish() {
    [ ! -e /proc/fs/nfsd/threads ] || echo 0 >/proc/fs/nfsd/threads
    exportfs -au
    kill $(jobs -p) 2>/dev/null || :
}
trap finish EXIT
trap 'echo "line $LINENO: $BASH_COMMAND" >&2' ERR
trap 'exit 0' TERM
trap 'exportfs -r' HUP

mounted() { mountpoint --quiet "$2" || { mkdir -p "$2" && mount -t "$1" "$1" "$2"; }; }
mounted nfsd /proc/fs/nfsd
mounted rpc_pipefs /run/rpc_pipefs

# until_true PID COMMAND...: waits until COMMAND succeeds; fails when the process has ended
until_true() {
    until "${@:2}" >/dev/null 2>&1; do
        kill -0 "$1" || return 1
        sleep 0.05
    done
}
watches_pipes() { ls -l "/proc/$1/fd" | grep inotify; }

rpcbind -f &
until_true $! rpcinfo -p 127.0.0.1 # what follows announces itself there
nfsdcld --foreground & # remembers clients: without it a server that starts keeps everybody waiting for a minute and a half
until_true $! watches_pipes $!
rpc.statd --foreground --no-notify &
exportfs -r
rpc.nfsd --debug 8 # otherwise it reports errors to a system log, which does not exist here
rpc.mountd --foreground &

while :; do
    code=0
    wait -n || code=$?
    ((code > 128)) || break # a signal for this script: HUP
done
echo "one of the processes of the NFS server ended with exit code $code" >&2
exit 1
