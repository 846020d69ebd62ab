"""Where containers of a play have its volumes.

And which of these paths a text such as a command names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from clusterlab.model.needs import volume_users
from clusterlab.model.playbook import Play
from clusterlab.model.short_syntax import parse_mount


def mounted(play: Play, container: str) -> Iterator[tuple[str, str]]:
    """The volumes that a container mounts, with their paths in it.

    Also those that it takes from other containers.
    """
    for name in volume_users(play, container):
        for text in play.containers[name].volumes:
            mount = parse_mount(text)
            if mount.source in play.volumes:
                yield mount.source, mount.target


def volumes_at(play: Play, containers: Iterable[str], text: str) -> frozenset[str]:
    """The volumes of these containers whose paths a text names.

    Or anything below these paths.
    """
    return frozenset(
        volume
        for container in containers
        if container in play.containers
        for volume, path in mounted(play, container)
        if re.search(rf"(?<![\w./-]){re.escape(path.rstrip('/'))}(?![\w.-])", text)
    )
