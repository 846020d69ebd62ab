#!/bin/sh
# Install the distribution packages that clusterlab's own machines need (Debian, Ubuntu); with --test, also those that only
# its tests need. Does nothing when all are there.
set -eu
here=$(dirname "$0")

packages="python3-venv openssh-client openssh-server mmdebstrap debian-archive-keyring fakeroot uidmap \
e2fsprogs zstd qemu-system-x86 qemu-utils vde2 iproute2 util-linux"
# Tests open the page of a night in a real browser, and have systemd read its units.
[ "${1:-}" != --test ] || packages="$packages chromium systemd"

missing=
for package in $packages; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || {
    echo "clusterlab: apt-get is missing; install these packages by hand:$missing" >&2
    exit 3
}
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# Waiting for another package manager is better than failing because of it.
sh "$here/as_root.sh" apt-get -o DPkg::Lock::Timeout=600 -q update
# shellcheck disable=SC2086  # a list of words
sh "$here/as_root.sh" apt-get -o DPkg::Lock::Timeout=600 -q -y install --no-install-recommends $missing
