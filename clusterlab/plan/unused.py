"""Whether a host whose engine does not answer has ever had something in it."""

from __future__ import annotations

from clusterlab.remote import Host
from clusterlab.resources.docker_engine import CONFIGURED_ROOTS

NEVER = 9
QUESTION = rf"""
PATH=$PATH:/usr/sbin:/sbin
{CONFIGURED_ROOTS}
for root in /var/lib/docker $configured; do
    [ -e "$root" ] || continue
    for folder in "$root" "$root/containers" "$root/volumes"; do
        [ -e "$folder" ] || continue
        [ -r "$folder" ] && [ -x "$folder" ] || exit 0
    done
    for entry in "$root"/containers/* "$root"/volumes/*; do
        [ -d "$entry" ] && exit 0
    done
done
if [ -e /etc/docker/daemon.json ] && [ ! -r /etc/docker/daemon.json ]; then exit 0; fi
exit {NEVER}
"""


def has_no_engine_data(host: Host) -> bool:
    """Whether no root directory of an engine there holds containers or volumes.

    Whether the engine uses it now or is configured to.

    False also when that cannot be seen: without the rights to read it, or when the directory is elsewhere than any
    configuration says.
    """
    return host.run(QUESTION).exit == NEVER
