#!/bin/sh
# Install the distribution packages that clusterlab's own machines need (Debian, Ubuntu); with --test, also those that only
# its tests need; with --vagrant, also install Vagrant with libvirt, and start libvirt. Does nothing when all are there. With --list, it
# only prints what is missing.
set -eu
here=$(dirname "$0")

packages="python3-venv openssh-client openssh-server mmdebstrap debian-archive-keyring fakeroot uidmap \
e2fsprogs zstd qemu-system-x86 qemu-utils vde2 iproute2 util-linux"
vagrant=
list=
for option in "$@"; do
    case $option in
    # Tests open the report page in a real browser, have systemd read its units, complete words in each shell, and become root.
    --test) packages="$packages chromium systemd zsh fish sudo" ;;
    --vagrant)
        packages="$packages vagrant vagrant-libvirt libvirt-daemon-system libvirt-clients dnsmasq-base iptables procps \
grub-pc-bin grub-common fdisk"
        vagrant=yes
        ;;
    --list) list=yes ;;
    *)
        echo "clusterlab: $0 has no option $option" >&2
        exit 2
        ;;
    esac
done

missing=
for package in $packages; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -n "$list" ]; then
    for package in $missing; do echo "$package"; done
    exit 0
fi
start_services() { [ -z "$vagrant" ] || sh "$here/as_root.sh" sh "$here/libvirt.sh"; }
if [ -z "$missing" ]; then
    start_services
    exit 0
fi

command -v apt-get >/dev/null || {
    echo "clusterlab: apt-get is missing; install these packages manually:$missing" >&2
    exit 3
}
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# Waiting for another package manager is better than failing because of it.
sh "$here/as_root.sh" apt-get -o DPkg::Lock::Timeout=600 -q update
# shellcheck disable=SC2086  # a list of words
sh "$here/as_root.sh" apt-get -o DPkg::Lock::Timeout=600 -q -y install --no-install-recommends $missing
start_services
