"""Keeping secrets out of whatever leaves this process: reports, logs, errors.

Two things are replaced: the values of the loaded plays' environments, known word by word, and whatever has the form of
a key, a token or a password. `clean` is applied where evidence, errors, differences and log files are created, so that
no report has to think of it. docs/security.md says what it cannot find.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from .control_characters import plain

REDACTED = "[redacted]"
SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|pwd|secret|token|credential|api_?key|access_?key|private_?key", re.I
)
_SHORTEST = 4  # characters: shorter values are found everywhere by chance
_TRIVIAL = {
    *("true", "false", "none", "null", "auto", "default", "localhost", "root", "admin", "debug", "info", "warn"),
    *("warning", "error", "production", "development", "test", "testing", "utf-8", "c.utf-8", "en_us.utf-8"),
}
_NUMBER = re.compile(r"[+-]?\d{1,7}(?:\.\d+)?")  # ports, sizes, versions of one part
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True)
class Clean:
    """Text that may leave, and how many secrets were replaced in it."""

    text: str
    redacted: int = 0


class Secrets:
    """Values that must not leave this process. Values are added, never removed: any of them may be in a log."""

    def __init__(self) -> None:
        self._anywhere: set[str] = set()
        self._words: set[str] = set()
        self._public: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, values: Iterable[tuple[str, object]], public: Iterable[str] = ()) -> None:
        """Remember (name, value) pairs; `public` are names that every report needs, such as those of hosts.

        A value that is a word and has no name of a secret is replaced only where it stands alone: NAME=maria does not
        redact "mariadb".
        """
        self._public |= {name.lower() for name in public}
        for name, value in values:
            text = str(value)
            if len(text) < _SHORTEST or text.lower() in _TRIVIAL or _NUMBER.fullmatch(text):
                continue
            alone = _WORD.fullmatch(text) and not SECRET_NAME.search(name)
            (self._words if alone else self._anywhere).update(_forms(text))
        self._pattern = self._compiled()

    def replace(self, text: str) -> tuple[str, int]:
        """The text without known values, and how many there were."""
        pattern = self._pattern
        return pattern.subn(REDACTED, text) if pattern else (text, 0)

    def _compiled(self) -> re.Pattern[str] | None:
        anywhere = {value for value in self._anywhere if value.lower() not in self._public}
        words = {value for value in self._words if value.lower() not in self._public}
        parts = [re.escape(value) for value in sorted(anywhere, key=len, reverse=True)]
        parts += [rf"\b{re.escape(value)}\b" for value in sorted(words, key=len, reverse=True)]
        return re.compile("|".join(parts)) if parts else None


SECRETS = Secrets()
"""Those of every lab that this process has loaded."""


def clean(text: str, secrets: Secrets | None = None) -> Clean:
    """Text from outside as it may leave: without control characters, known secrets and what looks like one."""
    replaced, count = (secrets or SECRETS).replace(plain(text))
    return _without_patterns(replaced, count)


def without_patterns(text: str) -> str:
    """A command for people to type, without what looks like a secret; values of the play that it needs stay."""
    return _without_patterns(plain(text), 0).text


def clean_value(value: object) -> object:
    """`clean` for each text in a JSON-compatible value, mappings' keys included."""
    match value:
        case str():
            return clean(value).text
        case dict():
            return {clean_value(key): clean_value(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(clean_value(item) for item in value)
        case _:
            return value


def _forms(value: str) -> set[str]:
    """A value as it is met in logs: itself, its long lines, in JSON, in a URL, in shell quotes, as base64."""
    lines = {line.strip() for line in value.splitlines() if len(line.strip()) >= 2 * _SHORTEST}
    data = value.encode(errors="replace")
    forms = {value, plain(value), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    forms |= {quote(value, safe=""), value.replace("'", "'\"'\"'"), base64.b64encode(data).decode()} | lines
    return {form for form in forms if len(form) >= _SHORTEST}


_VALUE = r"""(?P<value>\\?"(?:[^"\\\n]|\\[^"\n])*\\?"|'[^'\n]*'|[^\s,;&"'\\<>()\[\]{}]+)"""
_HARMLESS_END = re.compile(r"(?:_file|-file|-stdin|path|name|id|ids|url|uri|type|length|count|policy|nopasswd)$", re.I)
_HARMLESS = re.compile(r"(?:true|false|yes|no|none|null|on|off|required|[\d.]{1,3}|\*+|<.*>|\$.*|)", re.I)


def _assigned(match: re.Match[str]) -> str:
    """NAME=value, NAME: value or --name value, where the name says that the value is a secret."""
    value = match["value"].strip("\\\"'")
    if _HARMLESS_END.search(match["name"]) or _HARMLESS.fullmatch(value) or REDACTED in match[0]:
        return match[0]
    before, _, after = match[0].rpartition(value)
    return f"{before}{REDACTED}{after}"


def _kept(match: re.Match[str]) -> str:
    return match["kept"] + REDACTED


def _whole(match: re.Match[str]) -> str:
    return REDACTED


_NAME = rf"(?P<name>[\w.-]{{0,64}}(?:{SECRET_NAME.pattern})[\w.-]{{0,64}})"
_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (  # a private key: to its end, or for as long as it is cut off, each line perhaps after a time
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----(?:"
            r"(?:(?!-----BEGIN)[\s\S]){0,16000}?-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:(?:\n|\\n)?[^\n\\]{0,120}?[A-Za-z0-9+/=]{16,})*)"
        ),
        _whole,
    ),
    (re.compile(r"\bSWM(?:TKN|KEY)-[\w-]+"), _whole),  # Swarm's join tokens and unlock keys
    (
        re.compile(
            r"(?P<kept>\b(?:proxy-)?authorization\\?[\"']?\s{0,4}[:=]\s{0,4}\\?[\"']?(?!(?:\w{1,12}\s{1,4})?\[redacted)"
            r"(?:(?:basic|bearer|digest|token|negotiate)\s{1,4})?)[^\s\"',\\]+",
            re.I,
        ),
        _kept,
    ),
    (re.compile(r"(?P<kept>\b(?:bearer|basic)\s{1,4})[A-Za-z0-9._~+/-]{16,}=*", re.I), _kept),
    (
        re.compile(
            r"(?P<kept>\b(?:x-registry-auth|x-auth-token|x-api-key|(?:set-)?cookie)\s{0,4}:\s{0,4})[^\n\"']+", re.I
        ),
        _kept,
    ),
    (  # the password in a URL
        re.compile(r"(?P<kept>\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'\[]{0,128}:)(?!\[redacted)[^\s/@\"']+(?=@)", re.I),
        _kept,
    ),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"), _whole),  # JSON Web Token
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), _whole),  # AWS
    (
        re.compile(
            r"\b(?:gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|dckr_pat_[\w-]{20,}"
            r"|xox[abprs]-[\w-]{10,}|npm_[A-Za-z0-9]{30,})"
        ),
        _whole,
    ),
    (re.compile(rf"""\b{_NAME}\\?["']?\s?[:=]\s?(?![\[{{]){_VALUE}""", re.I), _assigned),
    (re.compile(rf"""(?<=--){_NAME}\s(?!-){_VALUE}""", re.I), _assigned),
)


def _without_patterns(text: str, count: int) -> Clean:
    for pattern, replacement in _PATTERNS:
        changed = 0

        def counted(match: re.Match[str], replacement: Callable[[re.Match[str]], str] = replacement) -> str:
            nonlocal changed
            new = replacement(match)
            changed += new != match[0]
            return new

        text = pattern.sub(counted, text)
        count += changed
    return Clean(text, count)
