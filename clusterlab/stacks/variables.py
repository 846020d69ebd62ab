"""Variables in the values of stack files.

`$NAME`, `${NAME:-default}`, `${NAME:?message}`, `$$`.

Source: template.go and interpolate.go of docker/cli. Only the environment is read. A default ends at the first `}` and
is taken as it is; the operators work without braces too. A variable's text becomes a number or a boolean at some keys
alone. Docker loses an error where another variable follows in the same text; here each one is reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clusterlab.model.problems import Problem
from clusterlab.model.source import Document, KeyPath

from .given import Place

_SUBSTITUTION = r"[_a-z][_a-z0-9]*(?::?[-?][^}]*)?"
_PATTERN = re.compile(
    rf"\$(?i:(?P<escaped>\$)|(?P<named>{_SUBSTITUTION})|{{(?P<braced>{_SUBSTITUTION})}}|(?P<invalid>))"
)
_OPERATORS = (":-", "-", ":?", "?")  # the first of them that stands anywhere in a substitution divides it
_TRUE, _FALSE = ("y", "yes", "true", "on"), ("n", "no", "false", "off")


@dataclass(frozen=True)
class Use:
    """One variable in one value."""

    name: str
    place: Place
    set: bool
    default: bool  # a default or a demand stands behind the name
    odd: str = ""  # why it does something else than it seems to


@dataclass
class Substituted:
    """A document with its variables replaced."""

    document: Document = field(repr=False)
    changed: set[KeyPath] = field(default_factory=set)  # values that a variable went into
    failed: set[KeyPath] = field(default_factory=set)  # values that have no meaning, their problems being known
    problems: list[Problem] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)


def substitute(document: Document, environment: Mapping[str, str]) -> Substituted:
    """`document` with every variable in its values replaced, and what is wrong.

    Variables come from `environment`.
    """
    result = Substituted(document)
    value = _Walk(document, environment, result).replaced(document.value, ())
    result.document = document.with_value(value)
    return result


class _Walk:
    def __init__(self, document: Document, environment: Mapping[str, str], result: Substituted) -> None:
        self.document = document
        self.environment = environment
        self.result = result

    def replaced(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {key: self.replaced(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.replaced(inner, (*path, index)) for index, inner in enumerate(value)]
        if type(value) is not str or "$" not in value:
            return value
        text = Text(value, self._place(path), self.environment)
        new = text.expanded()
        self.result.uses += text.uses
        if text.problems:
            self.result.failed.add(path)
            self.result.problems += text.problems
            return value
        if new == value:
            return value
        self.result.changed.add(path)
        return self._cast(new, path)

    def _place(self, path: KeyPath) -> Place:
        position = self.document.at_key(path) if path and isinstance(path[-1], str) else self.document.at(path)
        return Place(self.document.file, *position)

    def _cast(self, text: str, path: KeyPath) -> Any:
        cast = _cast_at(path)
        if cast is None:
            return text
        try:
            return cast[1](text)
        except ValueError:
            self.result.failed.add(path)
            place, written = self._place(path), self.document.texts.get(path, "")
            self.result.problems.append(place.problem(f"{path[-1]}: {written} does not become {cast[0]}"))
            return None


class Text:
    """One text with variables.

    Expands it, collecting the variables that are used and what is wrong.
    """

    def __init__(self, text: str, place: Place, environment: Mapping[str, str]) -> None:
        self.text = text
        self.place = place
        self.environment = environment
        self.uses: list[Use] = []
        self.problems: list[Problem] = []

    def expanded(self) -> str:
        """The text with its variables replaced."""
        return _PATTERN.sub(self._replacement, self.text)

    def _replacement(self, match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        substitution = match["named"] or match["braced"]
        if not substitution:
            self.problems.append(self.place.problem(*_invalid(self.text[match.start() :])))
            return ""
        operator = next((sign for sign in _OPERATORS if sign in substitution), "")
        key, _, text = substitution.partition(operator) if operator else (substitution, "", "")
        name = re.split(r"[:?-]", key)[0]
        value = self.environment.get(key)
        self.uses.append(Use(name, self.place, name in self.environment, bool(operator), _odd(match, key, operator)))
        missing = value is None or (value == "" and operator.startswith(":"))
        if not missing or not operator:
            return value or ""
        if operator.endswith("-"):
            return text
        demand = "set and not empty" if operator == ":?" else "set"
        self.problems.append(
            self.place.problem(
                f"the variable {name} must be {demand}{': ' if text else ''}{text}", f"Run `export {name}=VALUE` first."
            )
        )
        return ""


def _odd(match: re.Match[str], key: str, operator: str) -> str:
    """Why a variable does something else than it seems to do."""
    substitution = match["named"] or match["braced"]
    if match["named"] and operator:
        end = "the end of the text" if match.end() == len(match.string) else "the next }"
        return f"without braces, everything from '{operator}' to {end} belongs to the variable {key}"
    if ":" in key or "?" in key or "-" in key:
        return f"the '{operator}' in it makes a default of what follows, so that the rest is the name"
    if operator.endswith("-") and "$" in substitution:
        return "a default ends at the first } and is not substituted"
    return ""


def _invalid(rest: str) -> tuple[str, str]:
    """What is wrong with a `$` that begins no variable, and the remedy.

    No more of the text is shown than needed.
    """
    if not rest.startswith("${"):
        token = rest[:2] if len(rest) > 1 and not rest[1].isspace() else "$"
        return f"'{token}': a $ must begin a variable", "Write $$ for a literal $."
    body, closed, _ = rest[2:].partition("}")
    if not closed:
        return "'${' is not closed by '}'", "Write $$ for a literal $."
    token = "${" + body + "}"
    if re.match(r"\w+:?\+", body):
        name = body.partition("+")[0].removesuffix(":")
        return (
            f"'{token}': docker stack deploy does not have Compose's form ${{{name}+text}}",
            f"Put the text into a variable of its own, such as ${{{name}_TEXT:-}}.",
        )
    remedy = "A name has letters, digits and _ alone. Write $$ for a literal $."
    if "." in body:
        remedy = f"Values of the inventory cannot be read in a stack file. {remedy}"
    return f"'{token}' is not a variable", remedy


def _integer(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text, re.ASCII):
        raise ValueError(text)
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ValueError(text)
    return text.lower() in _TRUE


_Cast = tuple[str, Callable[[str], Any]]
_WHOLE: _Cast = ("a whole number", _integer)
_DECIMAL: _Cast = ("a number", float)
_BOOLEAN: _Cast = ("true or false", _boolean)

_CASTS: list[tuple[str, _Cast]] = [
    *((f"services.*.{key}", _WHOLE) for key in ("healthcheck.retries", "deploy.replicas", "oom_score_adj")),
    *((f"services.*.{key}.#.mode", _WHOLE) for key in ("configs", "secrets")),
    *((f"services.*.deploy.{key}.parallelism", _WHOLE) for key in ("update_config", "rollback_config")),
    *((f"services.*.deploy.{key}.max_failure_ratio", _DECIMAL) for key in ("update_config", "rollback_config")),
    ("services.*.deploy.restart_policy.max_attempts", _WHOLE),
    ("services.*.deploy.placement.max_replicas_per_node", _WHOLE),
    *((f"services.*.ports.#.{key}", _WHOLE) for key in ("target", "published")),
    *((f"services.*.ulimits.{key}", _WHOLE) for key in ("*", "*.hard", "*.soft")),
    *(
        (f"services.*.{key}", _BOOLEAN)
        for key in ("privileged", "read_only", "stdin_open", "tty", "healthcheck.disable")
    ),
    *((f"services.*.volumes.#.{key}", _BOOLEAN) for key in ("read_only", "volume.nocopy")),
    *((f"networks.*.{key}", _BOOLEAN) for key in ("external", "internal", "attachable")),
    *((f"{section}.*.external", _BOOLEAN) for section in ("volumes", "secrets", "configs")),
]
_PATTERNS = [(pattern.split("."), cast) for pattern, cast in _CASTS]


def _cast_at(path: KeyPath) -> _Cast | None:
    """What a variable's text becomes at a path; None where it stays text."""

    def fits(pattern: list[str]) -> bool:
        return len(pattern) == len(path) and all(
            isinstance(part, int) if wanted == "#" else wanted in ("*", part)
            for wanted, part in zip(pattern, path, strict=True)
        )

    return next((cast for pattern, cast in _PATTERNS if fits(pattern)), None)


_SHORTEST = 4  # a shorter value is not a secret, and occurs in many words


def without_values(text: str, sources: Iterable[Substituted], environment: Mapping[str, str]) -> str:
    """A message in which variables' values are replaced by the variables' names.

    Those that files use.
    """
    names = {use.name for source in sources for use in source.uses}
    values = {environment[name]: name for name in names if len(environment.get(name, "")) >= _SHORTEST}
    for value in sorted(values, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", lambda match: f"${{{values[match[0]]}}}", text)
    return text


def keys_with_variables(document: Document) -> Iterator[Place]:
    """Where `${...}` stands in a key: it is left as it is."""
    found = {position for path, position in document.keys.items() if re.search(r"\$\{|\$[A-Za-z_]", str(path[-1]))}
    return (Place(document.file, *position) for position in sorted(found))
