"""daemon.json: keys of the inventory, merged into the existing file.

Validated by dockerd, and restored if the engine fails.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from clusterlab.errors import ClusterlabError, HostError
from clusterlab.model.lab import Lab

from . import record
from .base import Change, Difference, Key
from .commands import do
from .docker_engine import UNIT, wait_until_answering
from .host_kind import HostKind, Role, pending_on
from .observed import Observed
from .roles import roles
from .scope import Scope, Wants

_FILE = "/etc/docker/daemon.json"
_NEW, _BEFORE = f"{_FILE}.clusterlab-new", f"{_FILE}.clusterlab-before"
_NAME = "daemon.json"
_WRITTEN = "engine-settings-written"  # entries of the record: the values that provision wrote last
_RESTART = f"systemctl reset-failed {UNIT} 2>/dev/null; systemctl restart {UNIT}"
_STARTS = 180.0  # seconds

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """The content of daemon.json, and what provision changed in it.

    The content is None when it is not a JSON object.

    `before` are the values before its first change, None where there was none; `written` are those that it wrote last.
    `others` are the keys whose values another lab wants, too: that one restores the former value then.
    """

    file: Settings | None
    before: Settings = field(default_factory=dict)
    written: Settings = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    def restored(self, wanted: Settings) -> dict[str, Any]:
        """The former values of keys that are no longer wanted.

        Without those that somebody has changed since.
        """
        now = self.file or {}
        gone = {key: value for key, value in self.before.items() if key not in wanted and key not in self.others}
        return {key: value for key, value in gone.items() if now.get(key) == self.written.get(key)}


class EngineSettingsKind(HostKind[Settings, Found]):
    """Keys of daemon.json that the inventory gives. Others stay.

    One that is taken out gets its former value back.
    """

    name = "engine settings"

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, Settings]]:
        settings = {**lab.inventory.engine, **lab.inventory.hosts[host].engine}
        if settings and roles(lab, host).docker:
            yield Role(_NAME), settings

    def manual(self, wanted: Settings) -> str:
        return f"editor {_FILE}   # set {_json(wanted)}; then {_typed_check(_FILE)} && systemctl restart {UNIT}"

    def questions(self, at: Observed, wanted: Mapping[Key, Settings] | None) -> Mapping[str, str]:
        return {self.name: f"[ ! -e {_FILE} ] || cat {_FILE}"}

    def observe(self, scope: Scope) -> Mapping[Key, Found]:
        found = {}
        for at in scope.everywhere:
            before, written = record.entries(at, self.name), record.entries(at, _WRITTEN)
            file = _parsed(at.answers.get(self.name, ""))
            others = {
                key
                for key, labs in record.others(at, _WRITTEN).items()
                if record.stored((file or {}).get(key)) in labs.values()
            }
            found[Key(at.name, self.name, _NAME)] = Found(file, before, written, frozenset(others))
        return found

    def differences(self, wanted: Settings, found: Found) -> Sequence[Difference]:
        now = found.file or {}
        changed = {**wanted, **found.restored(wanted)}
        return tuple(
            Difference(key, value, now.get(key)) for key, value in sorted(changed.items()) if now.get(key) != value
        )

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: Settings, found: Found | None) -> Change | None:
        found = found or Found({})
        differences = self.differences(wanted, found)
        if found.file is not None and not differences:
            return None
        foreign = wants.lab.inventory.kind.foreign
        return _change(scope, key, wanted, found, tuple(differences), foreign)

    def changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        """As of other kinds; managers of a Swarm restart one after the other, and none after one that failed."""
        before = frozenset[Key]()
        managers = wants.lab.inventory.with_role("swarm_manager")
        for change in self._changes(wants, scope):
            if change.key.host not in managers or change.blocked or change.action == "forget":
                yield change
                continue
            yield replace(change, needs=change.needs | before)
            before = frozenset({change.key})

    def _changes(self, wants: Wants, scope: Scope) -> Iterator[Change]:
        yield from super().changes(wants, scope)
        wanted = self.wanted(wants)
        foreign = wants.lab.inventory.kind.foreign
        for key, found in self.observe(scope).items():
            if key not in wanted and found.before:
                yield self._restored(scope, key, found, _NO_LONGER, foreign=foreign)

    def owns(self, lab: str, found: Found) -> bool:
        return bool(found.before)

    def kept(self, scope: Scope, key: Key, found: Found) -> str:
        if found.file is None:
            return _NOT_JSON
        return _running(scope.at(key)) if self.differences({}, found) else ""

    def remove(self, scope: Scope, key: Key, found: Found, reason: str) -> Change:
        """Give the keys that provision changed their former values back."""
        return self._restored(scope, key, found, reason, foreign=True)

    def _restored(self, scope: Scope, key: Key, found: Found, reason: str, *, foreign: bool) -> Change:
        differences = tuple(self.differences({}, found))
        if not differences and found.file is not None:
            return Change(key, "forget", reason, "true", partial(_forget, scope.at(key), found))
        return _change(scope, key, {}, found, differences, foreign, reason=reason)


ENGINE_SETTINGS = EngineSettingsKind()
_NO_LONGER = "the inventory no longer has it"
_NOT_JSON = f"{_FILE} is not a JSON object: correct it first"


def _change(
    scope: Scope,
    key: Key,
    wanted: Settings,
    found: Found,
    differences: tuple[Difference, ...],
    foreign: bool,
    reason: str = "",
) -> Change:
    at = scope.at(key)
    whole = merged(found, wanted)
    names = ", ".join(one.name for one in differences)
    blocked = "" if found.file is not None else _NOT_JSON
    if foreign:
        blocked = blocked or _running(at)
    write = f"printf '%s\\n' {shlex.quote(_json(whole))} > {_NEW}"
    return Change(
        key=key,
        action="restore" if reason else "set",
        reason=f"{reason or f'{names} differ' + ('s' if len(differences) == 1 else '')}; the engine restarts",
        command=f"mkdir -p /etc/docker && {write} && {_typed_check(_NEW)} && mv {_NEW} {_FILE} && {_RESTART}",
        carry_out=partial(_set, at, whole, wanted, found),
        differences=differences,
        needs=pending_on(scope, key.host, "packages", "engine"),
        blocked=blocked,
    )


def _running(at: Observed) -> str:
    """Why an engine that others may use is not restarted; "" when nothing would end."""
    running = at.info.get("ContainersRunning") or 0
    if not running:
        return ""
    return (
        f"the engine has to restart, and its {running} running containers with it: stop them, or drain the node, "
        "and run the same command again"
    )


def merged(found: Found, wanted: Settings) -> dict[str, Any]:
    """The whole file as it will be.

    A former value of None is that of a key that was not there.
    """
    merged = {**(found.file or {}), **found.restored(wanted), **wanted}
    return {key: value for key, value in merged.items() if value is not None}


def _set(at: Observed, merged: Settings, wanted: Settings, found: Found) -> None:
    """Write the file and restart the engine.

    Raises HostError, with the old file in place, when it does not start.
    """
    host, now = at.host, found.file or {}
    record.remember(host, at.lab, ENGINE_SETTINGS.name, {key: now.get(key) for key in wanted})
    do(host, "mkdir -p /etc/docker", "set the engine's options")
    host.write(_NEW, f"{_json(merged)}\n".encode())
    checked = host.run(_typed_check(_NEW))
    if not checked.ok:
        host.run(f"rm -f {_NEW}")
        raise HostError(
            host.name,
            f"dockerd refuses the options of the inventory: {checked.output.strip().splitlines()[-1]}",
            remedy="Correct `engine` in the inventory. Nothing was changed.",
            detail=checked.output,
        )
    keep = f"rm -f {_BEFORE}; if [ -e {_FILE} ]; then cp -p {_FILE} {_BEFORE}; fi; mv {_NEW} {_FILE}"
    do(host, keep, f"write {_FILE}")
    try:
        do(host, _RESTART, "restart the engine", timeout=_STARTS)
        wait_until_answering(host)
    except ClusterlabError as error:
        _back(at)
        raise HostError(
            host.name,
            "the engine does not start with the options of the inventory; it runs with those from before again",
            remedy="Correct `engine` in the inventory.",
            detail=f"{error.message}\n{error.detail}",
        ) from error
    do(host, f"rm -f {_BEFORE}", "remove the copy of the old options")
    _hand_over(at, found, wanted)
    record.forget(host, at.lab, _WRITTEN, [*wanted, *found.before])
    record.remember(host, at.lab, _WRITTEN, wanted)
    record.forget(host, at.lab, ENGINE_SETTINGS.name, [key for key in found.before if key not in wanted])


def _back(at: Observed) -> None:
    """Put the old file back, and have the engine run with it."""
    put = f"if [ -e {_BEFORE} ]; then mv {_BEFORE} {_FILE}; else rm -f {_FILE}; fi; {_RESTART}"
    do(at.host, put, f"restore {_FILE}", timeout=_STARTS)
    wait_until_answering(at.host)


def _hand_over(at: Observed, found: Found, wanted: Settings) -> None:
    """Leave the former values of keys that are no longer wanted to labs that found what this one had written."""
    for key, before in found.before.items():
        if key not in wanted and key in found.written:
            record.hand_over(at.host, at.lab, ENGINE_SETTINGS.name, key, found.written[key], before)


def _forget(at: Observed, found: Found) -> None:
    _hand_over(at, found, {})
    record.forget(at.host, at.lab, _WRITTEN, found.before)
    record.forget(at.host, at.lab, ENGINE_SETTINGS.name, found.before)


def _typed_check(file: str) -> str:
    return f"dockerd --validate --config-file={file}"


def _parsed(text: str) -> Settings | None:
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _json(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True, ensure_ascii=False)
