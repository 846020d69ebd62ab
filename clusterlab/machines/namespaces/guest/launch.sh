#!/bin/sh
# Starts one host: joins its cgroups, then goes on as process 1 of fresh namespaces, on its own root file system.
#   launch.sh TREE FOLDER NAME OPTIONS [CGROUP_PROCS_FILE...]
# TREE is the shared read-only root file system, FOLDER the host's (upper, work, root, data), OPTIONS those of the overlay
# of both; FOLDER/pid gets the number of process 1 as the outside sees it, FOLDER/started when it started.
set -eu

case $1 in
--outside)
    # The kernel's NFS server is not a process: without this it would outlive process 1, and keep the network forever.
    # Only once the root is the host's own: under the outer one is the server of the machine itself.
    shift
    outer=$(stat -c %d:%i /)
    unshare --pid --fork sh "$0" --inside "$@" || code=$?
    if [ "$(stat -c %d:%i /)" != "$outer" ] && [ -e /proc/fs/nfsd/threads ]; then echo 0 >/proc/fs/nfsd/threads; fi
    exit "${code:-0}"
    ;;
--inside) shift ;;
*)
    tree=$1 folder=$2 name=$3 options=$4
    shift 4
    for procs; do echo $$ >"$procs"; done
    exec unshare --mount --net --uts --ipc --cgroup sh "$0" --outside "$tree" "$folder" "$name" "$options"
    ;;
esac

tree=$1 folder=$2 name=$3 options=$4
# /proc is still the outer one, so this is the number outside; together with its start it never means another process.
read -r stat </proc/self/stat
pid=${stat%% *}
started=$(echo "${stat##*) }" | cut -d' ' -f20)
cd "$folder"
echo "$name" >/proc/sys/kernel/hostname
mount -t overlay -o "$options,lowerdir=$tree,upperdir=upper,workdir=work" overlay root

# What the engine stores must not lie on an overlay: each folder of data is a plain one of the outer file system.
for data in docker containerd; do
    mkdir -p "data/$data" "root/var/lib/$data"
    mount --bind "data/$data" "root/var/lib/$data"
done

cd root
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs run
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs tmp

mount -t tmpfs -o nosuid,noexec,mode=755 tmpfs dev
while read -r node major minor; do mknod -m 666 "dev/$node" c "$major" "$minor"; done <<'NODES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
NODES
[ ! -c /dev/fuse ] || mknod -m 666 dev/fuse c 10 229
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o nosuid,noexec,newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs dev/shm
mount -t mqueue -o nosuid,nodev,noexec mqueue dev/mqueue
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

# The cgroup namespace shows the host's own cgroup as the root of each hierarchy.
if grep -q '^[1-9][0-9]*:[a-z]' /proc/self/cgroup; then
    mount -t tmpfs -o nosuid,nodev,noexec,mode=755 tmpfs sys/fs/cgroup
    while IFS=: read -r number controllers _; do
        [ "$number" != 0 ] || continue
        mkdir "sys/fs/cgroup/${controllers#name=}"
        case $controllers in name=*) options=none,$controllers ;; *) options=$controllers ;; esac
        mount -t cgroup -o "nosuid,nodev,noexec,$options" cgroup "sys/fs/cgroup/${controllers#name=}"
    done </proc/self/cgroup
else
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
fi

echo "$started" >"$folder/started"
echo "$pid" >"$folder/pid.new"
mv "$folder/pid.new" "$folder/pid"
pivot_root . mnt
exec chroot . /usr/local/lib/clusterlab/init </dev/null
