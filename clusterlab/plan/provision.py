"""What the hosts lack for their roles.

Packages, kernel modules, units, NFS exports, the engine, the Swarm.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model.lab import Lab
from clusterlab.plan.observe import Kinds
from clusterlab.progress import Progress, Silent
from clusterlab.remote import Host, Hosts
from clusterlab.resources import docker_engine, questions, record, units, written
from clusterlab.resources import kind as of_kinds
from clusterlab.resources import system as systems
from clusterlab.resources.base import Change, Key, Skipped
from clusterlab.resources.kinds import RESOURCES
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope, Wants
from clusterlab.resources.swarm_kind import REMOVE_NODES

Wanted = Mapping[str, Mapping[Key, Any]]
"""What is wanted anywhere, by the kind's name."""


def left_out(lab: Lab, unsupported: Capabilities = ALL_CAPABILITIES) -> list[Skipped]:
    """What the roles ask for and their hosts cannot have, with the reason."""
    return of_kinds.left_out(kinds(), Wants(lab, capabilities=unsupported))


def kinds() -> Kinds:
    """The kinds of resources that provision converges, in order of their needs."""
    return of_kinds.of_verb(RESOURCES.values(), "provision")


def provision(
    lab: Lab,
    hosts: Hosts,
    unsupported: Capabilities = ALL_CAPABILITIES,
    progress: Progress | None = None,
    remove_nodes: bool = False,
) -> list[Change]:
    """The changes that prepare the hosts for their roles.

    Nothing is changed on a host.

    Each host is asked with one command, and each engine with one request; the Swarm's node list is one more. A host
    that does not answer is a blocked change, which holds back only what needs it. `progress` shows when a change has
    to wait for something that somebody else does. See `left_out` for what `unsupported` leaves out.
    """
    wants = Wants(lab, capabilities=unsupported)
    wanted = {kind.name: kind.wanted(wants) for kind in kinds()}
    concerned = {key.host for keys in wanted.values() for key in keys}
    names = [name for name in lab.inventory.hosts if name in concerned]
    answers = hosts.each(names, lambda host: observe(lab.name, host, wanted))
    errors = {name: error for name, error in answers.items() if isinstance(error, ClusterlabError)}
    scope = Scope(
        lab.name,
        {name: at for name, at in answers.items() if isinstance(at, Observed)},
        progress=progress or Silent(),
        pending={change.key: change for change in (unreachable(name, error) for name, error in errors.items())},
        silent={name: hosts[name] for name in errors},
        allowed=frozenset({REMOVE_NODES} if remove_nodes else ()),
    )
    return [*of_kinds.converge(kinds(), wants, scope), *_joined(wanted, scope)]


def _joined(wanted: Wanted, scope: Scope) -> Iterator[Change]:
    """Record what other labs have added to the hosts and this one uses, too.

    Without that, whoever takes it back first would take it from all.
    """
    for at in scope.everywhere:
        found: dict[tuple[str, str], list[str]] = {}
        files: dict[tuple[str, str], list[str]] = {}
        for kind in (one for one in kinds() if one.shared):
            keys = [key for key in wanted[kind.name] if key.host == at.name]
            found |= _of_others(at, kind.name, [key.name for key in keys])
            files |= _of_others(at, written.KIND, [file for key in keys for file in kind.files(at.lab, key)])
        if not found:
            continue
        yield Change(
            key=Key(at.name, "record", "shared"),
            action="record",
            reason=f"other labs added what this one uses, too: {', '.join(f'{kind} {name}' for kind, name in found)}",
            command="\n".join([f"mkdir -p {record.folder(at.lab)}", *_copies(at.lab, found | files)]),
            carry_out=partial(_join, at, [*found, *files]),
        )


def _of_others(at: Observed, kind: str, names: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """What other labs have recorded of these and this one has not, with the labs whose entry can be read."""
    others, mine = record.others(at, kind), record.entries(at, kind)
    return {(kind, name): list(record.undamaged(others[name])) for name in names if name in others and name not in mine}


def _copies(lab: str, found: Mapping[tuple[str, str], Sequence[str]]) -> Iterator[str]:
    """Commands that record for a lab what others have; where no entry can be read, that the state is unknown."""
    if paths := [record.path(labs[0], *one) for one, labs in found.items() if labs]:
        yield shlex.join(["cp", "--no-clobber", *paths, record.folder(lab)])
    for one, labs in found.items():
        if not labs:
            yield f"echo {record.stored(None)} > {shlex.quote(record.path(lab, *one))}"


def _join(at: Observed, found: Sequence[tuple[str, str]]) -> None:
    for kind, name in found:
        record.remember(at.host, at.lab, kind, {name: None}, shared=True)


def observe(lab: str, host: Host, wanted: Wanted) -> Observed:
    """What one host reports, and its engine where one runs.

    Raises ClusterlabError when the host does not answer.

    `wanted` is what is wanted on all hosts.
    """
    at = Observed(lab, host)
    sections = {"system": systems.QUESTION, record.SECTION: record.question(lab)}
    sections[record.OTHERS] = record.question_of_others(lab)
    for kind in kinds():
        sections |= kind.questions(at, {key: one for key, one in wanted[kind.name].items() if key.host == host.name})
    at = replace(at, answers=questions.ask(host, sections))
    require_root(at)
    return with_engine(at) if any(key.host == host.name for key in wanted["engine"]) else at


def require_root(at: Observed) -> None:
    """Raise HostError unless commands run as root on a host."""
    system = systems.system(at.answers["system"])
    if system.uid != 0:
        raise HostError(
            at.name,
            f"commands run there as {system.user}, who may not install or configure anything",
            remedy=f"Set `ssh: {{become: true}}` for {at.name} in the inventory (it needs sudo without a password), "
            "or log in as root.",
        )


def with_engine(at: Observed) -> Observed:
    """The same with what the engine reports.

    Without it when the engine is known not to run, or does not answer.
    """
    unit = units.units(at.answers.get("engine", "")).get(docker_engine.UNIT, units.Unit())
    if "docker" not in systems.system(at.answers["system"]).commands or (unit.exists and not unit.runs):
        return at
    try:
        return replace(at, listings={"info": docker_engine.info(at.host)})
    except ClusterlabError:  # starting it is a change, and says why it does not answer
        return at


def unreachable(name: str, error: ClusterlabError) -> Change:
    """A host that could not be asked, as something that a person has to fix first."""
    return Change(
        key=Key(name, "host", "ssh"),
        action="ask",
        reason="it does not answer",
        command=f"clusterlab ssh {name}",
        carry_out=lambda: None,
        blocked=f"{error.message.rstrip('.')}. {error.remedy}".strip(),
    )
