"""inspect, veth and run by hand."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

from clusterlab.checks import inspect, run
from clusterlab.model.checks import InspectProbe, MatcherSpec, RunProbe, VethProbe
from clusterlab.resources.container_body import wanted_container

from .line import Line, ends
from .shell_matchers import as_wanted
from .where import Where, with_variables

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_TASKS = ["docker", "service", "ps", "--filter", "desired-state=running"]
_RUNNING = "awk '$2 == \"Running\" { print $1 }'"


def inspect_lines(probe: InspectProbe, where: Where) -> Iterator[Line]:
    """The command on every host that is asked; with `same`, the first one's answer is what the others must give."""
    kind, name = inspect.subject(probe)
    hosts = inspect.asked_hosts(probe, where.lab, where.play)
    known_as = where.images[name] if kind == "image" else name
    wanted = inspect.told(probe, name)
    first = ""
    for host in hosts:
        if probe.value is not None:
            command, proof = _matched(kind, known_as, inspect.steps(probe.path), probe.value)
            yield Line(host, command, wanted, proof)
        if probe.same:
            command = _listed(kind, known_as, template(inspect.steps(probe.path), as_json=True))
            if not first:
                first = where.looked_up(host, f"{probe.path} of {name} on {host}", command)
                yield from where.taken()
            else:
                yield Line(host, command, wanted, f'[ "$({command})" = {with_variables(first)} ]')


def _matched(kind: str, name: str, path: list[str], spec: MatcherSpec) -> tuple[str, str]:
    """The command that shows the value at `path`, and the proof that it is as wanted."""
    if kind == "tasks":
        return _tasks(name, path, spec)
    if kind == "volumes":
        every = "docker volume ls --quiet | xargs docker volume inspect --format"
        command = f"{every} {shlex.quote(template(path[1:], as_json=False))}"
        return command, f"found=$({command}) && {as_wanted(spec, items=True)}"
    if "*" in path:
        command = _listed(kind, name, template(path, as_json=False))
        return command, f"found=$({command}) && {as_wanted(spec, items=True)}"
    if spec.lines is not None or spec.empty is not None:  # how long it is, whatever it is
        length = _listed(kind, name, "{{len " + _expression(path) + "}}")
        size = f"-eq {spec.lines}" if spec.lines is not None else "-eq 0" if spec.empty else "-gt 0"
        rest = spec.model_copy(update={"lines": None, "empty": None})
        proof = f'[ "$({length})" {size} ]'
        if rest.contains or rest.lacks:
            command, also = _matched(kind, name, path, rest)
            return command, f"{proof} && {also}"
        return length, proof
    as_json = bool(spec.contains or spec.lacks) or (
        isinstance(spec.equals, dict | list | None) and not (spec.matches or spec.between)
    )
    command = _listed(kind, name, template(path, as_json=as_json))
    return command, f"found=$({command}) && {as_wanted(spec, as_json=as_json)}"


def _tasks(service: str, path: list[str], spec: MatcherSpec) -> tuple[str, str]:
    if path == ["*", "Node"]:
        listed = shlex.join([*_TASKS, "--format", "{{.Node}} {{.CurrentState}}", service])
        command = f"{listed} | {_RUNNING} | sort"
    else:
        ids = shlex.join([*_TASKS, "--quiet", service])
        command = f"docker inspect --format {shlex.quote(template(path[1:], as_json=False))} $({ids})"
    return command, f"found=$({command}) && {as_wanted(spec, items=True)}"


def _listed(kind: str, name: str, format: str) -> str:
    if kind == "engine":
        return shlex.join(["docker", "info", "--format", format])
    return shlex.join(["docker", kind, "inspect", "--format", format, name])


def template(path: list[str], *, as_json: bool) -> str:
    """A template that shows what lies at `path`; `*` shows each item on a line.

    Source: https://docs.docker.com/engine/cli/formatting/
    """
    if "*" not in path:
        return f"{{{{json {_expression(path)}}}}}" if as_json else f"{{{{{_expression(path)}}}}}"
    at = path.index("*")
    rest = path[at + 1 :]
    item = template(rest, as_json=as_json) if "*" in rest else f"{{{{println {_expression(rest)}}}}}"
    return f"{{{{range {_expression(path[:at])}}}}}{item}{{{{end}}}}"


def _expression(path: list[str]) -> str:
    found = ""
    for key in path:
        if _IDENTIFIER.fullmatch(key):
            found += f".{key}"
        else:
            found = f"(index {found or '.'} {key if key.isdigit() else json.dumps(key)})"
    return found or "."


def veth_lines(probe: VethProbe, where: Where) -> Iterator[Line]:
    """The interface in the container names the number of its other end: that must be in the network's bridge."""
    for name in probe.in_:
        place = where.container(name)
        end = where.looked_up(place.host, f"other end of {name}", _other_end(probe, where, name))
        command = f"ip -o link show master {_bridge(probe, where)} type veth"
        proof = f"{command} | grep -q ^{with_variables(end)}:"
        yield Line(place.host, command, f"a line that begins with {with_variables(end)[1:-1]}", proof)


def _other_end(probe: VethProbe, where: Where, name: str) -> str:
    """What prints the number; which interface it is, if there are several, the engine's address of it tells."""
    place = where.container(name)
    if len(where.play.containers[name].networks) < 2:
        return where.typed(place, ["cat", "/sys/class/net/eth0/iflink"])
    format = f'{{{{(index .NetworkSettings.Networks "{probe.network}").MacAddress}}}}'
    asked = shlex.join(["docker", "inspect", "--format", format, name])
    mac = where.looked_up(place.host, f"MAC of {name} on {probe.network}", asked)
    find = 'cat "$(dirname "$(grep -l "$1" /sys/class/net/*/address)")/iflink"'
    return where.typed(place, ["sh", "-c", find, "sh", mac])


def _bridge(probe: VethProbe, where: Where) -> str:
    if probe.network == "bridge":
        return "docker0"
    network = where.play.networks.get(probe.network)
    named = str(network.driver_opts.get("com.docker.network.bridge.name", "")) if network else ""
    return named or f"br-$(docker network inspect --format '{{{{slice .Id 0 12}}}}' {shlex.quote(probe.network)})"


def run_lines(probe: RunProbe, where: Where) -> Iterator[Line]:
    for host in where.lab.expand(probe.on):
        container = run.container_of(probe, host)
        spec = wanted_container(where.lab.name, where.play_name, "by-hand", container, where.images[probe.image])
        command = run.typed(spec)
        if probe.fails is not None:
            found = f"found=$({command} 2>&1 > /dev/null)"
            yield Line(host, command, run.told(probe), f"if {found}; then false; else {as_wanted(probe.fails)}; fi")
            continue
        yield Line(host, command, run.told(probe), ends(command, (probe.exit,), probe.stdout, probe.stderr))
