"""Faults between the probes of a check, and healing them."""

from __future__ import annotations

import json
import shlex
from functools import cached_property

from clusterlab.errors import ClusterlabError
from clusterlab.faults.errors import NoEffect
from clusterlab.faults.injection import Injection, inject
from clusterlab.faults.scene import Scene
from clusterlab.model.actions import Action
from clusterlab.model.faults import parse_fault

from .finding import Finding, finding, unasked
from .places import Places


class FaultActions:
    """Injects the faults of one check, and heals them, the last one first."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._injected: list[Injection] = []

    @cached_property
    def _scene(self) -> Scene:
        return Scene(self._places.lab, self._places.hosts)

    def act(self, action: Action) -> Finding:
        """Inject a fault, or heal those of the check.

        A fault without effect, or that is not healed, is an error.
        """
        if action.fault is None:
            return self._heal()
        spec = parse_fault({action.name: action.fault})
        try:
            injection = inject(spec, self._scene)
        except ClusterlabError as error:
            found = [NoEffect(f"{error.message}; {note}") for note in getattr(error, "__notes__", [])]
            return unasked(self._places.lab.name, f"{action.name} takes effect", found[0] if found else error)
        self._injected.append(injection)
        given = action.fault.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return finding(
            ", ".join(injection.hosts),
            shlex.join(["clusterlab", "fault", json.dumps({action.name: given})]),
            holds=True,
            wanted=f"{injection} takes effect",
            found=injection.seen,
        )

    def _heal(self) -> Finding:
        seen = []
        hosts = [host for injection in self._injected for host in injection.hosts]
        while self._injected:
            injection = self._injected[-1]
            try:
                injection.still()
                injection.heal()
            except ClusterlabError as error:
                return unasked(self._places.lab.name, f"{injection} is healed", error)
            self._injected.pop()
            seen.append(injection.seen_gone)
        return finding(
            ", ".join(dict.fromkeys(hosts)), "clusterlab heal", holds=True, wanted="it is healed", found="; ".join(seen)
        )

    def restore(self) -> list[Finding]:
        """Heal what is not healed yet; a finding for each fault with which that failed."""
        failed = []
        while self._injected:
            injection = self._injected.pop()
            try:
                injection.heal()
            except ClusterlabError as error:
                failed.append(unasked(self._places.lab.name, f"{injection} is healed", error))
        return failed
