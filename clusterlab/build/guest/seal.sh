#!/bin/sh
# Make a machine whose engine has just come up ready to be saved: what clones will need is loaded, and everything by which they
# could be reached, or mistaken for each other, is stopped and removed.
set -eu

modprobe -a overlay br_netfilter vxlan ip_vs ip_vs_rr xt_ipvs nfs nfsv4 nfsd xt_MASQUERADE xt_conntrack xt_addrtype veth
systemctl stop docker.service docker.socket ssh.service
ip link set eth1 down
ip address flush dev eth1
rm -f /etc/ssh/ssh_host_* /var/lib/docker/engine-id /root/.ssh/authorized_keys
sync
echo "clusterlab: ready to be saved" > /dev/console
