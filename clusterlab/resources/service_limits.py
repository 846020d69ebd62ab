"""Options of commands for what a service's containers may do: name servers, capabilities, sysctls, limits, logging.

Source: cli/command/service/opts.go and update.go of docker/cli.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .engine_calls import flags, pairs

_RESET = "RESET"
"""As a capability, it empties the list that a service has."""


def create_flags(container: Mapping[str, Any]) -> list[str]:
    """The options that create a service with a ContainerSpec."""
    dns = container.get("DNSConfig") or {}
    return [
        *(["--tty"] if container.get("TTY") else []),
        *flags("--dns", dns.get("Nameservers") or []),
        *flags("--dns-search", dns.get("Search") or []),
        *flags("--cap-add", container.get("CapabilityAdd") or []),
        *flags("--cap-drop", container.get("CapabilityDrop") or []),
        *pairs("--sysctl", container.get("Sysctls") or {}),
        *flags("--ulimit", list(_ulimits(container).values())),
    ]


def update_flags(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The options that change what differs between two ContainerSpecs."""
    dns, has_dns = (one.get("DNSConfig") or {} for one in (wanted, found))
    sysctls, has_sysctls = (
        {key: f"{key}={value}" for key, value in (one.get("Sysctls") or {}).items()} for one in (wanted, found)
    )
    tty = bool(wanted.get("TTY"))
    return [
        *([f"--tty={str(tty).lower()}"] if tty != bool(found.get("TTY")) else []),
        *_edited("--dns", dns.get("Nameservers"), has_dns.get("Nameservers")),
        *_edited("--dns-search", dns.get("Search"), has_dns.get("Search")),
        *_capabilities(wanted, found),
        *_renamed("--sysctl", sysctls, has_sysctls),
        *_renamed("--ulimit", _ulimits(wanted), _ulimits(found)),
    ]


def logging_flags(driver: Mapping[str, Any]) -> list[str]:
    """The options that set a service's LogDriver."""
    if not driver:
        return []
    return ["--log-driver", driver["Name"], *pairs("--log-opt", driver.get("Options") or {})]


def can_be_typed(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether commands can change one ContainerSpec to another.

    They have no option for an open standard input, and sort name servers and search domains when they change them.
    """
    for key in ("Nameservers", "Search"):
        names, has = ((one.get("DNSConfig") or {}).get(key) or [] for one in (wanted, found))
        if names != has and names != sorted(names):
            return False
    return bool(wanted.get("OpenStdin")) == bool(found.get("OpenStdin"))


def _edited(flag: str, wanted: Sequence[str] | None, found: Sequence[str] | None) -> list[str]:
    one, other = wanted or [], found or []
    return [
        *flags(f"{flag}-rm", [name for name in other if name not in one]),
        *flags(f"{flag}-add", [name for name in one if name not in other]),
    ]


def _renamed(flag: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """`flag`-rm for names that go, `flag`-add for texts that differ."""
    return [
        *flags(f"{flag}-rm", [name for name in found if name not in wanted]),
        *flags(f"{flag}-add", [text for name, text in wanted.items() if text != found.get(name)]),
    ]


def _capabilities(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Both lists from the beginning, where one differs: adding what was dropped would only take it from that list."""
    lists = [[sorted(one.get(key) or []) for key in ("CapabilityAdd", "CapabilityDrop")] for one in (wanted, found)]
    if lists[0] == lists[1]:
        return []
    added, dropped = lists[0]
    return [*flags("--cap-add", [_RESET, *added]), *flags("--cap-drop", [_RESET, *dropped])]


def _ulimits(container: Mapping[str, Any]) -> dict[str, str]:
    return {one["Name"]: f"{one['Name']}={one['Soft']}:{one['Hard']}" for one in container.get("Ulimits") or []}
