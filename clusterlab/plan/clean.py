"""Removing all that apply created, found from the hosts alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.plan.observe import Kinds, observe
from clusterlab.plan.unused import has_no_engine_data
from clusterlab.remote import Host, Hosts
from clusterlab.resources.base import Change, Key
from clusterlab.resources.kind import ResourceKind, of_verb
from clusterlab.resources.kinds import RESOURCES
from clusterlab.resources.observed import Observed
from clusterlab.resources.ownership import created_here
from clusterlab.resources.scope import Scope
from clusterlab.resources.swarm_view import swarm_views

from .apply import unreachable

FLAG = "--delete-data"
_REASON = "it was created for this lab"


Chosen = Callable[[ResourceKind[Any, Any], Key, Any], bool]
"""Whether one of a kind, by its key and as it was found, is among what is removed."""


def from_here(kind: ResourceKind[Any, Any], key: Key, found: Any) -> bool:
    """Choose what this workstation created.

    Not what another one or a person created, nor what has no labels.
    """
    return created_here(kind.labels(found))


def everything(kind: ResourceKind[Any, Any], key: Key, found: Any) -> bool:
    """Choose all that is the lab's."""
    return True


def of_play(play: str) -> Chosen:
    """Choose what was created for a play."""
    return lambda kind, key, found: kind.play(found) == play


def clean(lab_name: str, hosts: Hosts, delete_data: bool = False, *, only: Chosen = everything) -> list[Change]:
    """The changes that remove all that carries the lab's label, and nothing else.

    Nothing is changed here.

    Kinds go in the opposite order of their creation. What holds data is kept (blocked) unless `delete_data`. Hosts
    that never had an engine have nothing; one that does not answer is a blocked change, and the others go on. `only`
    chooses among what is the lab's.
    """
    kinds = of_verb(RESOURCES.values(), "apply")
    scope, errors = _scope(lab_name, hosts, kinds, "" if delete_data else FLAG)
    pending = {change.key: change for change in (unreachable(name, error) for name, error in errors.items())}
    scope = scope.with_pending(pending)
    for kind in reversed(kinds):
        for key, found in kind.observe(scope).items():
            chosen = kind.owns(lab_name, found) and only(kind, key, found)
            if chosen and (change := kind.remove(scope, key, found, _REASON)):
                pending[key] = change
    return list(pending.values())


def left_over(lab_name: str, hosts: Hosts) -> list[str]:
    """What of the lab is still on the hosts, each with its host.

    Empty when nothing is.
    """
    kinds = of_verb(RESOURCES.values(), "apply")
    scope, errors = _scope(lab_name, hosts, kinds, FLAG)
    left = [f"{name}: not known: {error.message}. {error.remedy}".rstrip() for name, error in errors.items()]
    for kind in reversed(kinds):
        left += [str(key) for key, found in kind.observe(scope).items() if kind.owns(lab_name, found)]
    return left


def _scope(lab_name: str, hosts: Hosts, kinds: Kinds, flag: str) -> tuple[Scope, Mapping[str, ClusterlabError]]:
    """What is on each host that has an engine, and why others were not observed."""
    answers = hosts.each(list(hosts), lambda host: _observed_if_used(lab_name, host, kinds))
    observed = {name: one for name, one in answers.items() if isinstance(one, Observed)}
    errors = {name: one for name, one in answers.items() if isinstance(one, ClusterlabError)}
    swarms, silent = swarm_views(lab_name, observed.values())
    errors |= {f"Swarm {number}": error for number, error in enumerate(silent, 1)}
    return Scope(lab_name, observed, swarms, flag), errors


def _observed_if_used(lab_name: str, host: Host, kinds: Kinds) -> Observed | None:
    """What stands on a host.

    Nothing when its engine has never had anything, as on a host that only serves NFS.
    """
    try:
        return observe(lab_name, host, kinds)
    except HostError:
        if has_no_engine_data(host):
            return None
        raise
