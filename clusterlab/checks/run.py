"""run: a container of its own that runs to its end and is removed, as `docker run --rm`."""

from __future__ import annotations

import shlex
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import docker.errors

from clusterlab.errors import ClusterlabError, UsageError
from clusterlab.model.playbook import Container
from clusterlab.model.run import RunProbe
from clusterlab.resources.container_body import WantedContainer
from clusterlab.resources.containers import connect_container
from clusterlab.resources.engine_calls import flags
from clusterlab.resources.removal import remove_container

from .attempts import Interrupted
from .finding import Finding, ask_each, finding
from .matcher import describe, match
from .place import NoAnswer, Place, Places
from .spec import image_on, require_volumes, wanted

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 0.5  # seconds between two looks at a container that runs
_SPEC = ("command", "entrypoint", "environment", "user", "volumes", "volumes_from", "tmpfs", "ports", "networks",
         "network_mode")  # fmt: skip


@dataclass(frozen=True)
class _Ended:
    """How it went: what the engine said when it refused, or exit code (None: it did not end in time) and output."""

    refusal: str = ""
    exit: int | None = None
    stdout: str = ""
    stderr: str = ""


def ask(probe: RunProbe, places: Places) -> list[Finding]:
    """It must end with the exit code and output that are wanted; with `fails`, the engine must refuse it."""
    hosts = [Place(host) for host in places.lab.expand(probe.on)]
    if not hosts:
        raise UsageError(f"the container runs nowhere: on: {probe.on}", remedy="name a host or a role")
    return ask_each(hosts, told(probe), lambda place: _compare(probe, place, places))


def told(probe: RunProbe) -> str:
    if probe.fails is not None:
        return f"it does not start, and the engine says what {describe(probe.fails)}"
    parts = [f"exit code {probe.exit}"]
    parts += [f"output {describe(probe.stdout)}"] if probe.stdout else []
    parts += [f"error output {describe(probe.stderr)}"] if probe.stderr else []
    return ", ".join(parts)


def _compare(probe: RunProbe, place: Place, places: Places) -> Finding:
    image = image_on(places, place, probe.image)
    container = container_of(probe, place.host)
    require_volumes(places, place, probe.volumes)
    with _removed(places, place, wanted(places, f"clusterlab-run-{uuid.uuid4().hex[:8]}", container, image)) as spec:
        ended = _run_to_end(places, place, spec, probe.timeout)
    problems, found = _judge(probe, ended)
    return finding(
        place,
        typed(spec),
        holds=not problems,
        wanted=told(probe),
        found="; ".join([found, *problems]),
        output="\n".join(filter(None, (ended.refusal, ended.stdout.rstrip(), ended.stderr.rstrip()))),
    )


def container_of(probe: RunProbe, host: str) -> Container:
    """The container that is run, as a play describes one."""
    return Container.model_validate({"host": host, "image": probe.image, **{key: getattr(probe, key) for key in _SPEC}})


def _judge(probe: RunProbe, ended: _Ended) -> tuple[list[str], str]:
    """What is wrong, and what was found."""
    if ended.refusal:
        if probe.fails is None:
            return ["it must run"], f"it did not start: {ended.refusal}"
        compared = match(probe.fails, ended.refusal)
        return ([] if compared.holds else ["the engine says something else"]), f"it did not start: {compared.found}"
    if ended.exit is None:
        return ["it must end"], f"it still ran after {probe.timeout:g} s"
    if probe.fails is not None:
        return ["it must not start"], f"it started, and ended with exit code {ended.exit}"
    problems = [] if ended.exit == probe.exit else [f"the exit code is not {probe.exit}"]
    found = [f"exit code {ended.exit}"]
    for name, spec, text in (("output", probe.stdout, ended.stdout), ("error output", probe.stderr, ended.stderr)):
        if spec is not None:
            compared = match(spec, text)
            problems += [] if compared.holds else [f"the {name} is not as wanted"]
            found.append(f"{name} {compared.found}")
    if problems and not (probe.stdout or probe.stderr):
        found.append(f"saying {(ended.stderr or ended.stdout).strip()[-300:]!r}")
    return problems, ", ".join(found)


@contextmanager
def _removed(places: Places, place: Place, spec: WantedContainer) -> Iterator[WantedContainer]:
    """The container is gone after the block, with its anonymous volumes; `clean` finds by its label one that is not."""
    try:
        yield spec
    finally:
        try:
            remove_container(places.hosts[place.host], spec.name)
        except ClusterlabError as error:
            raise NoAnswer(
                f"container {spec.name} could not be removed: {error.message}",
                command=f"docker rm --force --volumes {spec.name}",
                remedy="`clusterlab clean` removes it",
                detail=error.detail,
            ) from error


def _run_to_end(places: Places, place: Place, spec: WantedContainer, timeout: float) -> _Ended:
    with places.engine(place.host) as engine:
        try:
            engine.create_container_from_config(spec.config, spec.name)  # type: ignore[no-untyped-call]
            for network in list(spec.networks)[1:]:
                connect_container(places.hosts[place.host], spec, network)
            engine.start(spec.name)
        except docker.errors.APIError as error:
            return _Ended(refusal=str(error.explanation or error).strip())
        code = _exit_code(engine, spec.name, time.monotonic() + timeout, places)
        stdout, stderr = (
            engine.logs(spec.name, stdout=out, stderr=not out).decode(errors="replace") for out in (True, False)
        )
    return _Ended("", code, stdout, stderr)


def _exit_code(engine: Any, name: str, deadline: float, places: Places) -> int | None:
    pause = _FIRST_PAUSE
    while True:
        state = engine.inspect_container(name)["State"]
        if state["Status"] in ("exited", "dead"):
            return int(state["ExitCode"])
        if time.monotonic() > deadline:
            return None
        if places.interrupted.wait(pause):
            raise Interrupted("interrupted")
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def typed(spec: WantedContainer) -> str:
    """The command as a person would type it: without name and labels, and removed at its end."""
    config, host = spec.config, spec.host_config
    words = ["docker", "run", "--rm"]
    words += ["--user", config["User"]] if "User" in config else []
    words += flags("--env", config.get("Env") or [])
    words += ["--entrypoint", config["Entrypoint"][0]] if "Entrypoint" in config else []
    words += flags("--volume", [*(host["Binds"] or []), *(config.get("Volumes") or {})])
    words += flags("--volumes-from", host["VolumesFrom"] or [])
    words += flags("--tmpfs", [f"{path}:{o}" if o else path for path, o in (host["Tmpfs"] or {}).items()])
    words += flags("--publish", spec.published)
    words += flags("--network", list(spec.networks) or [host["NetworkMode"]])
    return shlex.join([*words, spec.image, *spec.arguments])
