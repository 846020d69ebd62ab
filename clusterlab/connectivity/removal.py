"""Removing what the test created, found from the hosts alone.

By its label, and its image by its name.
"""

from __future__ import annotations

from typing import Any

from clusterlab.model import Lab
from clusterlab.plan.clean import clean
from clusterlab.remote import Hosts
from clusterlab.resources.base import Change, Key
from clusterlab.resources.kind import ResourceKind
from clusterlab.resources.wanted_images import repository

from .names import IMAGE, PLAY


def removal(lab: Lab, hosts: Hosts) -> list[Change]:
    """The changes that remove what this or an earlier test of the lab left behind.

    And nothing else. No change is made here.
    """
    tag = f"{repository(lab.name, IMAGE)}:"

    def of_test(kind: ResourceKind[Any, Any], key: Key, found: object) -> bool:
        return kind.play(found) == PLAY or key.name.startswith(tag)

    return clean(lab.name, hosts, only=of_test)
