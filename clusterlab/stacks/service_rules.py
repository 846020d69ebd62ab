"""What Docker's client and the engine refuse in a service.

Its values are right each for itself.

Sources: the converter of docker/cli, controlapi/service.go of swarmkit, daemon/cluster of moby. The engine says these
things one at a time, when half of the stack is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from clusterlab.model.problems import Problem, either, near_misses

from .constraints import parse_constraint
from .given import Given
from .images import parse_image
from .stack import Healthcheck, Port, Resources, Service, Stack, Update

_DNS_NAME = re.compile(r"[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*")
_LONGEST_NAME = 63
_MODES = ("replicated", "global", "replicated-job", "global-job")
_LEAST_MEMORY, _LEAST_CPUS, _LEAST_PROBE = 4 * 1024**2, 10**6, 10**6


class PublishedPort(NamedTuple):
    """A port that a service publishes."""

    number: int
    protocol: str
    mode: str

    def conflicts(self, other: PublishedPort) -> bool:
        """Whether two services cannot both have it.

        Those of mode host are left to the scheduler.
        """
        same = self.number != 0 and (self.number, self.protocol) == (other.number, other.protocol)
        return same and "ingress" in (self.mode, other.mode)


def published(port: Port) -> PublishedPort:
    """A port with what the engine takes for what is not given."""
    return PublishedPort(port.published, port.protocol.lower() or "tcp", port.mode.lower() or "ingress")


def shared_ports(stack: Stack) -> Iterator[Problem]:
    """Ports that two services of the stack publish."""
    holders: list[tuple[PublishedPort, str]] = []
    for service in stack.services.values():
        for port in service.ports:
            holder = next((name for taken, name in holders if published(port).conflicts(taken)), service.name)
            if holder != service.name:
                yield port.place.problem(
                    f"services.{service.name}.ports: {port.published} is published by the service {holder} too",
                    "Publish another port.",
                )
        holders += [(published(port), service.name) for port in service.ports]


def service_problems(stack: Stack, service: Service) -> Iterator[Problem]:
    """Everything that is wrong with one service of a merged stack.

    Except for mounts and templates.
    """
    for found in (
        _name(stack, service),
        _image(service),
        _mode(stack, service),
        _ports(service),
        _placement(service),
        _resources(service.deploy.limits),
        _resources(service.deploy.reservations),
        _healthcheck(service.healthcheck),
        _restart(service),
        _update("update_config", service.deploy.update_config),
        _update("rollback_config", service.deploy.rollback_config),
        _credentials(service),
        _targets(service),
    ):
        for problem in found:
            yield Problem(
                problem.file, problem.line, problem.column, f"services.{service.name}.{problem.message}", problem.remedy
            )


def _name(stack: Stack, service: Service) -> Iterator[Problem]:
    name = stack.scoped(service.name)
    if not _DNS_NAME.fullmatch(name):
        yield service.place.problem(
            f"name: the service would be '{name}', which is not letters, digits, - and _ alone",
            "Rename the service, or name the stack with --stack.",
        )
    elif len(name) > _LONGEST_NAME:
        yield service.place.problem(
            f"name: the service would be '{name}': {len(name)} characters, at most {_LONGEST_NAME} are possible",
            "Shorten its name, or that of the stack with --stack.",
        )


def _image(service: Service) -> Iterator[Problem]:
    if service.image is None and "image" in service.given:
        return
    if service.image is None or not service.image.value:
        yield (service.image.place if service.image else service.place).problem(
            "image: is missing", "docker stack deploy builds nothing: push an image, and name it here."
        )
        return
    try:
        parse_image(service.image.value)
    except ValueError as error:
        yield service.image.place.problem(f"image: {service.image.written} is not the name of an image: {error}")


def _mode(stack: Stack, service: Service) -> Iterator[Problem]:
    deploy = service.deploy
    yield from _word("deploy.mode", deploy.mode, *_MODES)
    if deploy.mode and deploy.replicas and deploy.mode.value in ("global", "global-job"):
        place = deploy.replicas.place
        if stack.files.index(deploy.mode.place.file) > stack.files.index(place.file):
            place = deploy.mode.place
        yield place.problem(
            f"deploy: mode {deploy.mode.value} and replicas are mutually exclusive",
            "Leave replicas out: a global service has one task on each node.",
        )
    if service.is_job and deploy.update_config:
        yield deploy.update_config.place.problem(
            f"deploy: a job (mode {service.mode}) cannot have update_config", "Leave update_config out."
        )


def _ports(service: Service) -> Iterator[Problem]:
    mode = service.deploy.endpoint_mode
    if mode:
        yield from _word("deploy.endpoint_mode", Given(mode.value.lower(), mode.place, mode.written), "vip", "dnsrr")
    ingress = [port for port in service.ports if published(port).mode == "ingress"]
    if mode and mode.value.lower() == "dnsrr" and ingress:
        yield mode.place.problem(
            "deploy.endpoint_mode: dnsrr cannot be combined with ports that are published in mode ingress",
            "Publish them with mode: host, or leave endpoint_mode out.",
        )
    seen: set[tuple[int, str]] = set()
    for port in service.ports:
        key = published(port)[:2]
        if port.published and key in seen:
            yield port.place.problem(f"ports: {key[0]}/{key[1]} is published twice")
        seen.add(key)


def _placement(service: Service) -> Iterator[Problem]:
    for constraint in service.deploy.constraints:
        try:
            parse_constraint(constraint.value)
        except ValueError as error:
            yield constraint.place.problem(
                f"deploy.placement.constraints: '{constraint.written}': {error}", "Such as node.labels.disk == ssd."
            )


def _resources(resources: Resources | None) -> Iterator[Problem]:
    if resources is None:
        return
    if resources.memory and 0 < resources.memory.value < _LEAST_MEMORY:
        yield resources.memory.place.problem(
            f"deploy.resources: memory must be at least 4M, not {resources.memory.written}"
        )
    if resources.cpus and resources.cpus.value != 0 and resources.cpus.value < _LEAST_CPUS:
        yield resources.cpus.place.problem(
            f"deploy.resources: cpus must be at least 0.001, not {resources.cpus.written}"
        )


def _healthcheck(check: Healthcheck | None) -> Iterator[Problem]:
    if check is None:
        return
    if check.disable and check.disable.value and check.test:
        yield check.disable.place.problem(
            "healthcheck: test and disable are mutually exclusive", "Leave one of the two out."
        )
    for name in ("interval", "timeout", "start_period", "start_interval"):
        duration: Given[int] | None = getattr(check, name)
        if duration and duration.value != 0 and duration.value < _LEAST_PROBE:
            yield duration.place.problem(f"healthcheck.{name}: must be at least 1ms, not {duration.written}")


def _restart(service: Service) -> Iterator[Problem]:
    policy, restart = service.deploy.restart_policy, service.restart
    if policy:
        if policy.condition and policy.condition.value in ("always", "unless-stopped"):
            yield policy.condition.place.problem(
                f"deploy.restart_policy.condition: must be none, on-failure or any, not {policy.condition.written}",
                "Write any.",
            )
        else:
            yield from _word("deploy.restart_policy.condition", policy.condition, "none", "on-failure", "any")
        yield from _not_negative("deploy.restart_policy.delay", policy.delay)
        yield from _not_negative("deploy.restart_policy.window", policy.window)
    elif restart:
        name, _, count = restart.value.partition(":")
        if name not in ("", "no", "always", "unless-stopped", "on-failure") or not re.fullmatch("[0-9]*", count):
            yield restart.place.problem(
                f"restart: must be always, unless-stopped, on-failure[:N] or no, not '{restart.written}'",
                "Use deploy.restart_policy, whose condition is any, on-failure or none.",
            )


def _update(name: str, update: Update | None) -> Iterator[Problem]:
    if update is None:
        return
    key = f"deploy.{name}"
    yield from _word(f"{key}.failure_action", update.failure_action, "pause", "continue", "rollback")
    yield from _not_negative(f"{key}.delay", update.delay)
    yield from _not_negative(f"{key}.monitor", update.monitor)
    if update.max_failure_ratio and not 0 <= update.max_failure_ratio.value <= 1:
        yield update.max_failure_ratio.place.problem(f"{key}.max_failure_ratio: must be from 0 to 1")


def _credentials(service: Service) -> Iterator[Problem]:
    spec = service.credential_spec
    given = [name for name in ("config", "file", "registry") if spec and (one := getattr(spec, name)) and one.value]
    if spec and len(given) > 1:
        yield spec.place.problem(f"credential_spec: {' and '.join(given)} are mutually exclusive", "Give one of them.")


def _targets(service: Service) -> Iterator[Problem]:
    for kind, references in (("configs", service.configs), ("secrets", service.secrets)):
        seen: set[str] = set()
        for reference in references:
            target = reference.target or reference.source
            if target in seen:
                yield reference.place.problem(
                    f"{kind}: the target '{target}' appears twice", "Give one another target."
                )
            seen.add(target)


def _word(key: str, given: Given[str] | None, *choices: str) -> Iterator[Problem]:
    if given is None or given.value in ("", *choices):
        return
    near = near_misses(given.written, choices)
    remedy = f"Did you mean {either([repr(name) for name in near])}?" if near else ""
    yield given.place.problem(f"{key}: must be {either(choices)}, not '{given.written}'", remedy)


def _not_negative(key: str, duration: Given[int] | None) -> Iterator[Problem]:
    if duration and duration.value < 0:
        yield duration.place.problem(f"{key}: must not be negative")
