#!/bin/sh
# Run the tests with Vagrant that are not long, with all they need installed and running: vagrant_tests.sh PYTEST.
# They are left out, and that is said, where the distribution has no packages of Vagrant.
set -eu
here=$(dirname "$0")
if ! command -v vagrant >/dev/null; then
    sh "$here/as_root.sh" apt-get -o DPkg::Lock::Timeout=600 -q update
    if ! apt-cache show vagrant-libvirt >/dev/null 2>&1; then
        echo "===== LEFT OUT: tests with Vagrant, because this distribution has no package vagrant-libvirt"
        exit 0
    fi
fi
sh "$here/system.sh" --test --vagrant
exec sh "$here/as_root.sh" sh "$here/tests.sh" "not long" "$1" tests/vagrant
