"""What a change of the inventory makes of the machines themselves.

Another release, and with it another engine, and another MTU of the LAN.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

from clusterlab.faults import Scene
from clusterlab.machines import open_machines
from clusterlab.machines.changing import Changing, Part, Values
from clusterlab.model import Lab
from clusterlab.resources.base import Change, Difference, Key
from clusterlab.waiting import wait_until

MACHINE = "machine"
"""The kind of these changes, beside those of resources."""
_ANSWER_SECONDS = 60.0


def machine_changes(lab: Lab, scene: Scene, host: str) -> list[Change]:
    """The change that makes the host's machine like the inventory of `lab`; none when it is, or cannot be changed."""
    if not lab.inventory.kind.changes:
        return []
    changing = cast(Changing, getattr(open_machines(lab), "changing"))  # noqa: B009
    found = changing.differences(host)
    if not found:
        return []
    change = Change(
        key=Key(host, MACHINE, " and ".join(found)),
        action="change",
        reason=_reason(found),
        command="",  # it is done from outside the host
        carry_out=partial(_carry_out, changing, scene, host),
        differences=tuple(Difference(part, *values) for part, values in found.items()),
    )
    return [change]


def _reason(found: Mapping[Part, Values]) -> str:
    return ", ".join(f"{part} {values.found}, now {values.wanted}" for part, values in found.items())


def _carry_out(changing: Changing, scene: Scene, host: str) -> None:
    changing.change(host, scene.progress)
    # connections of before may have ended with the machine
    wait_until(lambda: scene.answers(host), "it to answer", _ANSWER_SECONDS, subject=host)
