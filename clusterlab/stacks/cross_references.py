"""Names in services that must be defined in the stack.

Networks, volumes, configs, secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clusterlab.model.problems import Problem, suggest

from .given import Given, Place
from .stack import DEFAULT_NETWORK, Service, Stack


def undefined(stack: Stack) -> Iterator[Problem]:
    """Every use of a network, volume, config or secret that is not defined."""
    for service in stack.services.values():
        yield from _networks(stack, service)
        yield from _volumes(stack, service)
        for kind, uses, known in (
            ("config", service.configs, stack.configs),
            ("secret", service.secrets, stack.secrets),
        ):
            for use in uses:
                if use.source not in known:
                    yield _problem(service, use.place, kind, use.source, known)
        spec = service.credential_spec
        if spec and spec.config and spec.config.value:
            yield from _credential_spec(stack, service, spec.config)


def _credential_spec(stack: Stack, service: Service, config: Given[str]) -> Iterator[Problem]:
    """Check that a config's name is also its key.

    The client looks a config up by its key, and then once more by its name.
    """
    key = config.value
    if key not in stack.configs:
        yield _problem(service, config.place, "config", key, stack.configs)
    elif (name := stack.scoped(stack.configs[key])) not in (key, stack.scoped(key)):
        yield config.place.problem(
            f"services.{service.name}: docker stack deploy does not find the config '{key}' by its name '{name}'",
            "Leave name out of the config, or give it the name as its key.",
        )


def _networks(stack: Stack, service: Service) -> Iterator[Problem]:
    for name, attachment in service.networks.items():
        if name not in stack.networks and name != DEFAULT_NETWORK:
            yield _problem(service, attachment.place, "network", name, stack.networks)


def _volumes(stack: Stack, service: Service) -> Iterator[Problem]:
    for mount in service.volumes:
        named = mount.type == "volume" or (mount.type == "cluster" and not mount.source.startswith("group:"))
        if named and mount.source and mount.source not in stack.volumes:
            remedy = ""
            if "/" in mount.source:
                remedy = f"For a path on the node, write ./{mount.source} or an absolute one."
            yield _problem(service, mount.place, "volume", mount.source, stack.volumes, remedy)


def _problem(service: Service, place: Place, kind: str, name: str, known: Iterable[str], remedy: str = "") -> Problem:
    names = list(known)
    remedy = remedy or suggest(name, names, f"{kind.capitalize()}s of the stack")
    return place.problem(
        f"services.{service.name}: the {kind} '{name}' is not defined under {kind}s",
        remedy or f"Add it under {kind}s, at the top of the file.",
    )
