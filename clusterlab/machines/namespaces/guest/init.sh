#!/bin/bash
# Process 1 of a host in namespaces: starts the enabled services and collects processes whose parents have died.
umount --lazy /mnt # the outer root file system
mount --make-rshared /
ip link set lo up
# A fresh machine forwards nothing, but a fresh namespace does what this one does. It matters: an engine that turns
# forwarding on keeps other machines away from its containers, one that finds it on does not.
echo 0 >/proc/sys/net/ipv4/ip_forward

# With version 2 a cgroup that hands controllers down may hold no processes itself.
cgroup=/sys/fs/cgroup
if [ -f $cgroup/cgroup.controllers ]; then
    mkdir -p $cgroup/init
    for pid in $(cat $cgroup/cgroup.procs); do echo "$pid" >$cgroup/init/cgroup.procs; done
    sed 's/[^ ]* */+&/g' $cgroup/cgroup.controllers >$cgroup/cgroup.subtree_control
fi

# iptables speaks nftables, unless this kernel cannot do the matches that the engine needs that way.
rule=(OUTPUT -t nat -m addrtype --dst-type LOCAL -j RETURN)
if iptables-nft -A "${rule[@]}" 2>/dev/null; then
    iptables-nft -D "${rule[@]}"
else
    update-alternatives --quiet --set iptables /usr/sbin/iptables-legacy
    update-alternatives --quiet --set ip6tables /usr/sbin/ip6tables-legacy
fi

mkdir -p /run/clusterlab /run/lock
for service in /etc/clusterlab/enabled/*; do
    [ -e "$service" ] || continue
    (/usr/local/bin/systemctl start "${service##*/}" || : >"/run/clusterlab/${service##*/}.failed") &
done

sleep infinity &
keeper=$!
while kill -0 $keeper; do wait; done
