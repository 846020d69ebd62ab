"""What a play wants and an inventory cannot have, such as a second Docker host.

Left out, and no mistake of either.

A thing that names what is lacking is left out, with all that needs it. A statement about one of these is unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from .base import placed
from .checks import Check, check_model
from .drills import Drill
from .groups import GROUPS
from .inventory import Inventory
from .iscsi import disk_of
from .long_forms import reference
from .playbook import Play, Service, Thing
from .probes import NegatableProbe, ReachProbe
from .short_syntax import parse_mount
from .source import KeyPath

SECTIONS = ("disks", "volumes", "networks", "configs", "secrets", "containers", "services")
_OF_SWARM = ("configs", "secrets", "services")
_NO_SWARM = "the inventory has no host with the role swarm_manager"
_NO_PAIR = "the inventory has only one of the places that are to reach each other"
_TEXTS = ("title", "hint")  # what of a check is only for people


def reduced_value(value: Mapping[str, Any], lacking: Mapping[KeyPath, str]) -> dict[str, Any]:
    """What a play's file says, without what names something lacking.

    There are no values for that to validate.
    """
    changed = dict(value)
    for section in SECTIONS:
        things = value.get(section)
        if isinstance(things, dict):
            names = {str(path[1]) for path in lacking if path[0] == section}
            changed[section] = {name: thing for name, thing in things.items() if name not in names}
    external = value.get("external")
    if isinstance(external, dict):
        changed["external"] = {
            section: {name: one for name, one in things.items() if ("external", section, name) not in _ends(lacking)}
            if isinstance(things, dict)
            else things
            for section, things in external.items()
        }
    checks = value.get("checks")
    if isinstance(checks, list):
        changed["checks"] = [_statement(check, _own("checks", index, lacking)) for index, check in enumerate(checks)]
    drills = value.get("drills")
    if isinstance(drills, list):
        changed["drills"] = [_drill(drill, _own("drills", index, lacking)) for index, drill in enumerate(drills)]
    return changed


def _statement(check: Any, reason: str) -> Any:
    """A check as in the file, or a valid one with only a title and the reason."""
    title = check.get("title") if isinstance(check, dict) else None
    if not reason or not isinstance(title, str) or not title:
        return check
    return check_model().lacking(title, reason)


def _drill(drill: Any, reason: str) -> Any:
    """A drill as it stands in the file.

    Or in its place one that has nothing but a title and the reason.
    """
    title = drill.get("title") if isinstance(drill, dict) else None
    return Drill.lacking(title, reason) if reason and isinstance(title, str) and title else drill


def reduced(play: Play, lacking: Mapping[KeyPath, str], inventory: Inventory) -> Play:
    """The play of a reduced value without what needs what was lacking, either.

    See `Play.left_out` and `Check.lacks` for what is missing, and why.
    """
    if why := _no_stack(play, lacking, inventory):
        return _without_stack(play, why)
    missing, others = _missing(play, lacking, inventory), _missing_of_others(play, lacking, inventory)
    unavailable = {**others, **missing}
    reasons = [_why(check, unavailable) or _unplaced(check, play, inventory) for check in play.checks]
    drills = [_why(drill, unavailable) or _nobody(_places(drill), inventory) for drill in play.drills]
    if not unavailable and not any(reasons) and not any(drills):
        return play
    kept: dict[str, object] = {
        section: {name: one for name, one in getattr(play, section).items() if Thing(section, name) not in missing}
        for section in SECTIONS
    }
    checks = [
        check_model().lacking(check.title, why) if why else check
        for check, why in zip(play.checks, reasons, strict=True)
    ]
    kept["drills"] = [
        Drill.lacking(drill.title, why) if why else drill for drill, why in zip(play.drills, drills, strict=True)
    ]
    kept["external"] = play.external.only(lambda section, name: Thing(section, name) not in others)
    return play.model_copy(update={**kept, "checks": checks}).leaving_out(missing)


def _no_stack(play: Play, lacking: Mapping[KeyPath, str], inventory: Inventory) -> str:
    """Why the stack of a play cannot be deployed; "" when it can, or there is none."""
    if play.stack is None:
        return ""
    own = next((why for path, why in lacking.items() if path[0] == "stack"), "")
    return own or ("" if inventory.with_role("swarm_manager") else _NO_SWARM)


def _without_stack(play: Play, why: str) -> Play:
    """A play whose stack cannot be deployed: none of its statements can be made.

    Its files are not read, so which statements are about its services is unknown. One more stands for those that
    would follow from the files.
    """
    assert play.stack is not None
    name = play.stack.name or Path(play.stack.files[0]).parent.name or play.stack.files[0]
    titles = [*(check.title for check in play.checks), f"the stack {name} runs as its files say"]
    things = [Thing(section, one) for section in SECTIONS for one in getattr(play, section)]
    update: dict[str, object] = {
        **{section: {} for section in SECTIONS},
        "stack": None,
        "checks": [check_model().lacking(title, why) for title in titles],
        "drills": [Drill.lacking(drill.title, why) for drill in play.drills],
        "external": play.external.only(lambda section, name: False),
    }
    return play.model_copy(update=update).leaving_out(dict.fromkeys([Thing("stack", name), *things], why))


def _places(drill: Drill) -> Iterator[str]:
    """The hosts and roles that a drill names, but for those of its expectations."""
    yield from drill.each
    for prober in drill.probers.values():
        yield from (*prober.from_, *prober.at)
    for writer in drill.writers.values():
        yield from writer.from_


def _ends(lacking: Mapping[KeyPath, str]) -> set[KeyPath]:
    return {path[:3] for path in lacking}


def _missing_of_others(play: Play, lacking: Mapping[KeyPath, str], inventory: Inventory) -> dict[Thing, str]:
    """Which external things an inventory cannot have, with the reason."""
    found = {
        Thing(str(path[1]), str(path[2])): why for path, why in lacking.items() if path[0] == "external" and path[3:]
    }
    if not inventory.with_role("swarm_manager"):
        found |= {Thing("services", name): _NO_SWARM for name in play.external.services}
        found |= {Thing("networks", name): _NO_SWARM for name, one in play.external.networks.items() if not one.hosts}
    for section, things in (("volumes", play.external.volumes), ("networks", play.external.networks)):
        found |= {Thing(section, name): why for name, one in things.items() if (why := _nobody(one.hosts, inventory))}
    return found


def _missing(play: Play, lacking: Mapping[KeyPath, str], inventory: Inventory) -> dict[Thing, str]:
    """What is unavailable, with the reason.

    What says so itself, then whatever needs that.
    """
    found = {Thing(str(path[0]), str(path[1])): reason for path, reason in lacking.items() if path[0] in SECTIONS}
    for section, name, hosts in _placed(play):
        if why := _nobody(hosts, inventory):
            found[Thing(section, name)] = why
    if not inventory.with_role("swarm_manager"):
        overlays = [Thing("networks", name) for name, one in play.networks.items() if one.driver == "overlay"]
        of_swarm = [Thing(section, name) for section in _OF_SWARM for name in getattr(play, section)]
        found |= dict.fromkeys([*overlays, *of_swarm], _NO_SWARM)
    needs = dict(_needs(play))
    while more := {
        thing: found[need] for thing, wanted in needs.items() if thing not in found for need in wanted if need in found
    }:
        found |= more
    return found


def _placed(play: Play) -> Iterator[tuple[str, str, list[str]]]:
    """Section, name, and the hosts and roles of what a play has on several hosts."""
    yield from (("volumes", name, volume.hosts) for name, volume in play.volumes.items())
    yield from (("networks", name, one.hosts) for name, one in play.networks.items() if one.driver != "overlay")
    yield from (("containers", name, container.hosts) for name, container in play.containers.items())


def _nobody(places: Iterable[str], inventory: Inventory) -> str:
    """Why places are missing: no host has one of the roles.

    "" when every role has a host.
    """
    empty = (GROUPS[place] for place in places if place in GROUPS and not inventory.expand([place]))
    return next((f"the inventory has no {what}" for what in empty), "")


def paired(play: Play, inventory: Inventory) -> Play:
    """The play, with statements about all pairs unsupported where there is no pair.

    With only one place there is none.
    """
    alone = [any(_is_alone(probe, inventory) for _, _, probe in check.probes()) for check in play.checks]
    if not any(alone):
        return play
    checks = [
        check_model().lacking(check.title, _NO_PAIR) if one else check
        for check, one in zip(play.checks, alone, strict=True)
    ]
    return play.model_copy(update={"checks": checks})


def _is_alone(probe: BaseModel, inventory: Inventory) -> bool:
    """Whether the only place of a probe with a list of targets is its only target."""
    if not isinstance(probe, ReachProbe) or len(probe.names) != 1:
        return False
    return probe.names == [*inventory.expand(probe.on), *probe.in_]


def _needs(play: Play) -> Iterator[tuple[Thing, list[Thing]]]:
    """Which other things of the play each thing cannot do without."""
    for name, volume in play.volumes.items():
        disk = disk_of(volume.driver_opts)
        yield Thing("volumes", name), [] if disk is None else [Thing("disks", disk)]
    for section, things in (("containers", play.containers), ("services", play.services)):
        for name, one in things.items():
            needs = [Thing("volumes", parse_mount(text).source) for text in one.volumes]
            needs += [Thing("networks", network) for network in one.networks]
            needs += [Thing("containers", text.partition(":")[0]) for text in getattr(one, "volumes_from", [])]
            needs += list(_files(one)) if isinstance(one, Service) else []
            yield Thing(section, name), needs


def _files(service: Service) -> Iterator[Thing]:
    """The configs and secrets that a service uses."""
    yield from (Thing("configs", reference(one).source) for one in service.configs)
    yield from (Thing("secrets", reference(one).source) for one in service.secrets)
    if service.credential_spec and service.credential_spec.config:
        yield Thing("configs", service.credential_spec.config)


def _own(section: str, index: int, lacking: Mapping[KeyPath, str]) -> str:
    """Why a check or drill names something lacking itself; "" when it does not."""
    own = (why for path, why in lacking.items() if path[:2] == (section, index) and path[2:] and path[2] not in _TEXTS)
    return next(own, "")


def _why(check: Check | Drill, missing: Mapping[Thing, str]) -> str:
    """Why a statement cannot be made, or a drill carried out; "" when it can."""
    words = set(_words(check)) if missing else set()
    named = ((thing.name, why) for thing, why in missing.items() if thing.section not in ("configs", "secrets"))
    return check.lacks or next((why for name, why in named if name in words), "")


def _unplaced(check: Check, play: Play, inventory: Inventory) -> str:
    """Why a statement about hosts with a role cannot be made: no host has it.

    "" when it can.
    """
    probes = [probe for _, _, probe in check.probes()]
    controls = [probe.control for probe in probes if isinstance(probe, NegatableProbe) and probe.control is not None]
    places = [place for one in (*probes, *controls) for place in placed(one)]
    return _nobody((place for place in places if not play.host_of(place)), inventory)


def _words(value: object) -> Iterator[str]:
    """Every name-like word in the texts of a check's probes and actions.

    Or of a drill.
    """
    if isinstance(value, BaseModel):
        for name in value.model_fields_set - set(_TEXTS):
            yield from _words(getattr(value, name))
    elif isinstance(value, str):
        yield from re.findall(r"[\w.-]*\w", value)
    elif isinstance(value, Mapping):
        for item in value.items():
            yield from _words(item)
    elif isinstance(value, Iterable):
        for item in value:
            yield from _words(item)
