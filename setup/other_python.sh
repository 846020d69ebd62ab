#!/bin/sh
# Run the unit tests with the Python of another Debian release, as root: other_python.sh RELEASE FOLDER [PYTEST ARGUMENT...]
# Arguments are instead of the rooms that depend on Python most and need neither a browser nor images. The variable APT_OPTIONS has a line
# of apt.conf(5) for the root file system.
# The root file system in FOLDER is made once. Wheels are downloaded outside of it: inside, nothing is fetched.
set -eu
release=$1
folder=$2
shift 2
here=$(cd "$(dirname "$0")/.." && pwd)
python=$here/.venv/bin/python
root=$folder/$release
mkdir -p "$folder"

packages=python3-venv,python3-dev,openssh-client,openssh-server,iproute2,util-linux,zsh,fish,procps,systemd,qemu-utils,zstd,git
if [ ! -e "$root/made" ]; then
    rm -rf "$root"
    mmdebstrap --quiet --variant=minbase --include="$packages" ${APT_OPTIONS:+--aptopt="$APT_OPTIONS"} "$release" "$root"
    touch "$root/made"
fi
version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
echo "===== Debian $release has Python $version"

rm -rf "$root/src" "$root/venv"
mkdir -p "$root/src" "$root/wheels"
git -C "$here" archive HEAD | tar -x -C "$root/src"
"$python" "$here/setup/lowest.py" --requirements >"$root/wheels/wanted.txt"
"$python" -m pip download --quiet --python-version "$version" --only-binary=:all: -d "$root/wheels" -r "$root/wheels/wanted.txt"
exec unshare --mount --pid --fork sh -eu -c '
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" sh -eu -c "
python3 -m venv /venv
/venv/bin/pip install --quiet --no-index --find-links /wheels -r /wheels/wanted.txt
/venv/bin/pip install --quiet --no-index --no-deps --no-build-isolation --editable /src
/venv/bin/pip check
cd /src
[ \$# -gt 0 ] || set -- tests/unit/model tests/unit/cli tests/unit/remote tests/unit/pytest_plugin
exec /venv/bin/pytest --numprocesses 2 \"\$@\"
" sh "$@"' sh "$root" "$@"
