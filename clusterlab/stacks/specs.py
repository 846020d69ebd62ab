"""The specs of a stack, as `docker stack deploy` sends them to the engine.

The shape is that of Docker's API (ServiceSpec, NetworkCreate, SecretSpec, ConfigSpec); what is empty is left out.
Source: compose.go of docker/cli's converter.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from clusterlab.docker_labels import STACK

from .service_specs import Ids, Spec, Texts, plain, pruned, service_spec, value
from .stack import FileObject, Network, Stack


@dataclass(frozen=True)
class StackSpecs:
    """Specs by their names on the engine.

    The repr has none of them: environment and secrets are in them.
    """

    services: Mapping[str, Spec] = field(repr=False)
    networks: Mapping[str, Spec] = field(repr=False)
    configs: Mapping[str, Spec] = field(repr=False)
    secrets: Mapping[str, Spec] = field(repr=False)


def placeholder(kind: str, name: str) -> str:
    """What stands for the ID of a config or secret where no Swarm is asked for it."""
    return f"<id of {name}>"


def stack_specs(stack: Stack, ids: Ids = placeholder) -> StackSpecs:
    """All specs of a stack; external things are not among them."""
    made = [stack.network(key) for key in stack.used_networks() if not stack.network(key).external]
    return StackSpecs(
        {stack.scoped(service.name): service_spec(stack, service, ids) for service in stack.services.values()},
        {stack.scoped(network): _network(stack, network) for network in made},
        {stack.scoped(each): _file(stack, each) for each in stack.configs.values() if not each.external},
        {stack.scoped(each): _file(stack, each) for each in stack.secrets.values() if not each.external},
    )


def _network(stack: Stack, network: Network) -> Spec:
    spec: Spec = {
        "Driver": value(network.driver) or "overlay",
        "Labels": plain(network.labels, {STACK: stack.name}),
        "Options": plain(network.driver_opts),
        "Internal": network.internal,
        "Attachable": network.attachable,
        "IPAM": {
            "Driver": value(network.ipam_driver),
            "Config": [{"Subnet": subnet.value} for subnet in network.subnets],
        },
    }
    return dict(pruned(spec))


def _file(stack: Stack, each: FileObject) -> Spec:
    return file_spec(each, plain(each.labels, {STACK: stack.name}))


def file_spec(each: FileObject, labels: Mapping[str, str]) -> Spec:
    """The spec of a config or secret with these labels, without its name."""
    driver = value(each.driver)
    spec: Spec = {
        "Labels": Texts(labels),
        "Data": base64.b64encode(each.content.data).decode() if each.content else None,
        "Driver": {"Name": driver, "Options": plain(each.driver_opts)} if driver else None,
        "Templating": {"Name": value(each.template_driver)},
    }
    return dict(pruned(spec))
