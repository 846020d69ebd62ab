# Run where the root file system is unpacked: the user that Vagrant logs in as, with the key that it replaces at once.
echo 'vagrant:x:1000:1000::/home/vagrant:/bin/bash' >> etc/passwd
echo 'vagrant:*:20089:0:99999:7:::' >> etc/shadow
echo 'vagrant:x:1000:' >> etc/group
echo 'vagrant:!::' >> etc/gshadow
mkdir -m 0755 home/vagrant
mkdir -m 0700 home/vagrant/.ssh
mv etc/clusterlab-insecure.pub home/vagrant/.ssh/authorized_keys
chown -R 1000:1000 home/vagrant
: > etc/machine-id
# The engine starts when it is first asked, and at boot once provisioning has enabled it: not every host needs it.
rm etc/systemd/system/multi-user.target.wants/docker.service etc/systemd/system/multi-user.target.wants/containerd.service
ln -sf /usr/lib/systemd/system/systemd-networkd.service etc/systemd/system/multi-user.target.wants/
ln -sf /usr/lib/systemd/system/systemd-networkd.socket etc/systemd/system/sockets.target.wants/
