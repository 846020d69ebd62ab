"""Keeping secrets out of whatever leaves this process: reports, logs, errors.

Two things are replaced: the values of the loaded plays' environments, known word by word, and whatever has the form of
a key, a token or a password. `clean` is applied where evidence, errors, differences and log files are created, so that
no report has to think of it. docs/security.md says what it cannot find.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote

from . import secret_patterns
from .control_characters import plain
from .secret_patterns import REDACTED as REDACTED
from .secret_patterns import SECRET_NAME

_SHORTEST = 4  # characters: shorter values are found everywhere by chance
_PIN = 6  # digits from which a number is taken for a secret, where its name says so
_TRIVIAL = {
    *("true", "false", "none", "null", "auto", "default", "localhost", "root", "admin", "debug", "info", "warn"),
    *("warning", "error", "production", "development", "test", "testing", "utf-8", "c.utf-8", "en_us.utf-8"),
}
_NUMBER = re.compile(r"[+-]?\d{1,7}(?:\.\d+)?")  # ports, sizes, versions of one part
_WORD = re.compile(r"[A-Za-z]+")


class Secrets:
    """Values that must not leave this process.

    Values are added, never removed: any of them may be in a log. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._anywhere: set[str] = set()
        self._words: set[str] = set()
        self._public: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, values: Iterable[tuple[str, object]], public: Iterable[str] = ()) -> None:
        """Remember (name, value) pairs.

        `public` are names that every report needs, such as those of hosts.

        A value that is a word and has no name of a secret is replaced only where it stands alone: NAME=maria does not
        redact "mariadb". So is a number of up to seven digits, which counts only with such a name, and from six on.
        """
        with self._lock:
            self._public |= {name.lower() for name in public}
            for name, value in values:
                self._add(name, str(value))
            self._pattern = self._compiled()

    def _add(self, name: str, text: str) -> None:
        secret, number = SECRET_NAME.search(name), _NUMBER.fullmatch(text)
        if len(text) < _SHORTEST or text.lower() in _TRIVIAL or (number and not (secret and len(text) >= _PIN)):
            return
        alone = number or (_WORD.fullmatch(text) and not secret)
        (self._words if alone else self._anywhere).update(_forms(text))

    def replace(self, text: str) -> str:
        """The text without known values."""
        return self._pattern.sub(REDACTED, text) if self._pattern else text

    def _compiled(self) -> re.Pattern[str] | None:
        anywhere = {value for value in self._anywhere if value.lower() not in self._public}
        words = {value for value in self._words if value.lower() not in self._public}
        parts = [re.escape(value) for value in sorted(anywhere, key=len, reverse=True)]
        parts += [rf"\b{re.escape(value)}\b" for value in sorted(words, key=len, reverse=True)]
        return re.compile("|".join(parts)) if parts else None


SECRETS = Secrets()
"""Those of every lab that this process has loaded."""


def clean(text: str, secrets: Secrets | None = None) -> str:
    """Text from outside as it may leave.

    Without control characters, known secrets and what looks like one.
    """
    return secret_patterns.replace((secrets or SECRETS).replace(plain(text)))


def without_patterns(text: str) -> str:
    """A command for people to type, without what looks like a secret.

    Values of the play that it needs stay.
    """
    return secret_patterns.replace(plain(text))


def count(*texts: str) -> int:
    """How many secrets were replaced in cleaned texts."""
    return sum(text.count(REDACTED) for text in texts)


def secrets_text(number: int) -> str:
    """A count for people: "1 secret", "3 secrets"; empty for none."""
    return f"{number} secret{'s' if number != 1 else ''}" if number else ""


def clean_value(value: object) -> object:
    """`clean` for each text in a JSON-compatible value, mappings' keys included."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean_value(key): clean_value(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(clean_value(item) for item in value)
        case _:
            return value


def _forms(value: str) -> set[str]:
    """A value as it is met in logs.

    Itself, its long lines, in JSON, in a URL, in shell quotes, as base64.
    """
    lines = {line.strip() for line in value.splitlines() if len(line.strip()) >= 2 * _SHORTEST}
    data = value.encode(errors="replace")
    forms = {value, plain(value), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    forms |= {quote(value, safe=""), value.replace("'", "'\"'\"'"), base64.b64encode(data).decode()} | lines
    return {form for form in forms if len(form) >= _SHORTEST}
