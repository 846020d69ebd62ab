#!/bin/sh
# Run a command as root: as it is for root, through sudo for others.
set -eu
if [ "$(id -u)" -eq 0 ]; then
    exec "$@"
fi
command -v sudo >/dev/null || {
    echo "clusterlab: not root, and sudo is missing; run as root: $*" >&2
    exit 3
}
exec sudo --preserve-env=APT_OPTIONS,DEBIAN_FRONTEND,XDG_CACHE_HOME,XDG_STATE_HOME "$@"
