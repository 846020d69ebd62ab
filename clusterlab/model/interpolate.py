"""`${a.b.c}` in strings: read from the inventory and nothing else.

No expressions, no defaults, no environment. A string that is one reference takes the value as it is, a number staying
a number; within a longer string the value's text is put in as it was written. `$${` is a literal `${`. The inventory
may refer to itself.

Hosts can be named by group and position (`docker.first`, `nfs_server.last.address`), items of any list by position
(`nfs.exports.second.path`), and `count` is how many there are. A whole group is the list of its hosts (`docker`), or of
a value of each (`docker.address`); within a longer string they are separated by spaces. An inventory that has too few
lacks something, which is not a mistake of the play: see `Reading.lacking`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .groups import GROUPS, POSITIONS, Member, index, members
from .problems import Problem, listed, suggest
from .source import Document, KeyPath

_TOKEN = re.compile(r"\$\$\{|\$\{(?P<name>[^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class _Unresolved(Exception):
    """A reference that has no value.

    Without a message when the reason is reported elsewhere.
    """

    def __init__(self, message: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class _Circle(_Unresolved):
    """A reference that leads back to itself."""


class _Lacking(Exception):
    """A position that a group or list of the inventory does not have."""


class Names:
    """What `${...}` can read: an inventory, and the defaults of what it leaves out."""

    def __init__(self, inventory: Document, defaults: Mapping[str, Any]) -> None:
        self._inventory = inventory
        self._defaults = defaults
        self._hosts = _members(inventory.value)

    def owns(self, document: Document) -> bool:
        """Whether `document` is the inventory itself."""
        return document is self._inventory

    def expand(self, text: str, trail: tuple[str, ...] = (), lacking: list[str] | None = None) -> Any:
        """`text` with its references replaced.

        `trail` are the names being looked up, to find circles.

        `lacking` gets the reasons why references have no value in this inventory: they are replaced by their names.
        Without it, they are unresolved.
        """
        whole = _TOKEN.fullmatch(text)
        if whole and whole["name"] is not None:
            return self._look_up(whole["name"], trail, lacking)[0]
        return _TOKEN.sub(lambda match: self._text(match, trail, lacking), text)

    def _text(self, match: re.Match[str], trail: tuple[str, ...], lacking: list[str] | None) -> str:
        if match[0] == "$${":
            return "${"
        if match["name"] is None:
            raise _Unresolved("'${' is not closed by '}'", "Write $${ for a literal ${.")
        return self._look_up(match["name"], trail, lacking)[1]

    def _look_up(self, name: str, trail: tuple[str, ...], lacking: list[str] | None) -> tuple[Any, str]:
        """The value of a name, and its text."""
        if not _NAME.fullmatch(name):
            raise _Unresolved(
                f"'${{{name}}}' is not the name of a value of the inventory",
                "Only names such as ${hosts.gw.address} are possible, no expressions and no environment variables.\n"
                "Write $${ for a literal ${.",
            )
        if name in trail:
            raise _Circle(f"circular reference: {' -> '.join((*trail, name))}")
        group, *rest = name.split(".")
        if group in GROUPS and group not in self._inventory.value:
            return self._of_group(group, rest, trail, lacking)
        try:
            path, found = self._find(name)
        except _Lacking as error:
            return _lack(name, str(error), lacking)
        if isinstance(found, str):
            value = self._nested(found, (*trail, name))
            return value, _as_text(value)
        return found, self._inventory.texts.get(path, _as_text(found))

    def _of_group(
        self, group: str, rest: list[str], trail: tuple[str, ...], lacking: list[str] | None
    ) -> tuple[Any, str]:
        """A host of a group, a value of it, how many there are, or these of all.

        The value and its text.
        """
        hosts = members(group, self._hosts)
        if rest == ["count"]:
            return len(hosts), str(len(hosts))
        if not hosts:
            return _lack(".".join([group, *rest]), f"the inventory has no {GROUPS[group]}", lacking)
        if not rest:
            return hosts, " ".join(hosts)
        if rest[0] not in POSITIONS:
            if not any(_walk(self._inventory.value, f"hosts.{host}.{rest[0]}")[1] is not None for host in hosts):
                name = ".".join([group, *rest])
                remedy = f"Of a group there are {listed([*POSITIONS, 'count'])}, and the values of its hosts."
                raise _Unresolved(f"'${{{name}}}': the inventory has no value of this name", remedy)
            each = [self._look_up(".".join(["hosts", host, *rest]), trail, lacking) for host in hosts]
            return [value for value, _ in each], " ".join(text for _, text in each)
        at = index(rest[0], len(hosts))
        if at is None:
            reason = f"the inventory has no {_which(rest[0])}{GROUPS[group]}"
            return _lack(".".join([group, *rest]), reason, lacking)
        if len(rest) == 1:
            return hosts[at], hosts[at]
        return self._look_up(".".join(["hosts", hosts[at], *rest[1:]]), trail, lacking)

    def _nested(self, text: str, trail: tuple[str, ...]) -> Any:
        try:
            return self.expand(text, trail)
        except _Circle:
            raise
        except _Unresolved:
            raise _Unresolved from None  # reported where it stands in the inventory

    def _find(self, name: str) -> tuple[KeyPath, Any]:
        """Where a name leads in the inventory, and what is there.

        Raises _Lacking for an item that a list has not.
        """
        path, found = _walk(self._inventory.value, name)
        if found is None:
            path, found = _walk(self._defaults, name)
        if found is None:
            raise _Unresolved(
                f"'${{{name}}}': the inventory has no value of this name",
                suggest(name, [*self._known(), *(f"{group}.first" for group in GROUPS)], "Its values"),
            )
        if isinstance(found, dict | list):
            what = "a mapping" if isinstance(found, dict) else "a list"
            inside = [other for other in self._known() if other.startswith(f"{name}.")]
            raise _Unresolved(
                f"'${{{name}}}' is {what}, which cannot be put in a string",
                f"Name one of its values, for example ${{{inside[0]}}}." if inside else "",
            )
        return path, found

    def _known(self) -> list[str]:
        return list(dict.fromkeys([*_scalars(self._inventory.value), *_scalars(self._defaults)]))


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lack(name: str, reason: str, lacking: list[str] | None) -> tuple[str, str]:
    """The name itself instead of what the inventory lacks, with the reason noted.

    Or the error is raised.
    """
    if lacking is None:
        raise _Unresolved(f"'${{{name}}}': {reason}")
    lacking.append(reason)
    return name, name


def _which(position: str) -> str:
    """A position for the sentence "there is no second ..."."""
    return "" if position in ("first", "last") else f"{position} "


def _walk(value: Any, name: str) -> tuple[KeyPath, Any]:
    """Where a dotted name leads to, and what is there: None when there is nothing.

    Raises _Lacking.
    """
    path: KeyPath = ()
    for part in name.split("."):
        if isinstance(value, list) and part == "count":
            return path, len(value)
        key: Any = _item(value, part, path) if isinstance(value, list) else part
        try:
            value = value[key] if isinstance(value, dict | list) else None
        except (KeyError, IndexError, TypeError):
            return path, None
        path = (*path, key)
    return path, value


def _item(items: list[Any], part: str, path: KeyPath) -> int | str:
    """The index of an item that is named by its number or position."""
    if part.isdecimal():
        return int(part)
    if part not in POSITIONS:
        return part
    at = index(part, len(items))
    if at is None:
        raise _Lacking(f"the inventory has no {_which(part)}item in {'.'.join(map(str, path))}")
    return at


def _members(inventory: Mapping[str, Any]) -> dict[str, Member]:
    """What decides the groups of hosts, in an inventory that may have any error."""
    hosts, iscsi = inventory.get("hosts"), inventory.get("iscsi")
    luns = iscsi.get("luns") if isinstance(iscsi, dict) else None
    with_lun = [lun.get("host") for lun in luns if isinstance(lun, dict)] if isinstance(luns, list) else []
    found = {
        name: host if isinstance(host, dict) else {}
        for name, host in (hosts if isinstance(hosts, dict) else {}).items()
    }
    return {
        name: Member(
            [role for role in roles if isinstance(role, str)] if isinstance(roles := host.get("roles"), list) else [],
            host.get("availability"),
            name in with_lun,
        )
        for name, host in found.items()
    }


def _scalars(value: object, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scalars(inner, f"{prefix}{key}.")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _scalars(inner, f"{prefix}{index}.")
    elif value is not None:
        yield prefix[:-1]


@dataclass(frozen=True)
class Reading:
    """`document` with all its references replaced, and what is wrong with them.

    And which values have none.

    `lacking` says why values name what this inventory does not have enough of.
    """

    document: Document
    problems: list[Problem] = field(default_factory=list)
    unresolved: set[KeyPath] = field(default_factory=set)
    lacking: dict[KeyPath, str] = field(default_factory=dict)


def interpolate(document: Document, names: Names) -> Reading:
    """Replace all references of a document.

    An inventory itself cannot lack anything: it must be right by itself.
    """
    own = names.owns(document)
    reading = Reading(document)

    def replaced(value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {key: replaced(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [replaced(inner, (*path, at)) for at, inner in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        lacking: list[str] = []
        try:
            found = names.expand(value, (".".join(map(str, path)),) if own else (), None if own else lacking)
        except _Unresolved as error:
            reading.unresolved.add(path)
            if error.message:
                reading.problems.append(document.problem(path, error.message, error.remedy))
            return value
        if lacking:
            reading.lacking[path] = lacking[0]
        return found

    return replace(reading, document=document.with_value(replaced(document.value, ())))
