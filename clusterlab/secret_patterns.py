"""The forms that secrets have in logs, reports of engines and commands.

Keys, tokens, passwords beside their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

REDACTED = "[redacted]"
SECRET_NAME = re.compile(
    r"(?<!no)(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|(?:api|access|private)[_-]?key)", re.IGNORECASE
)


def names_secret(option: str) -> bool:
    """Whether an option of a driver is called like a credential, as splunk-token or logdna-ingestion-key."""
    return bool(SECRET_NAME.search(option)) or option.lower().endswith("key")


def replace(text: str) -> str:
    """The text with every secret that has a known form replaced by REDACTED.

    Takes linear time.
    """
    for block in _BLOCKS:
        if any(needle in text for needle in block.needles):
            text = block.replace(text)
    if not any(needle in text.lower() for needle in _NEEDLES):
        return text
    return "\n".join(map(_line, text.split("\n")))


@dataclass(frozen=True)
class _Form:
    """One form.

    `needles` are texts of which a place that has it must contain one: most lines contain none.
    """

    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: Callable[[re.Match[str]], str]

    def replace(self, text: str) -> str:
        return self.pattern.sub(self.replacement, text)


def _line(line: str) -> str:
    folded = line.lower()
    for form in _FORMS:
        if any(needle in folded for needle in form.needles):
            line = form.replace(line)
    return line


def _whole(match: re.Match[str]) -> str:
    return REDACTED


def _kept(match: re.Match[str]) -> str:
    return match["kept"] + REDACTED


def _assigned(match: re.Match[str]) -> str:
    """NAME=value, NAME: value or --name value, where the name implies a secret."""
    value = match["value"].strip("\\\"'")
    if _HARMLESS_END.search(match["name"]) or _HARMLESS.fullmatch(value) or REDACTED in match[0]:
        return match[0]
    if _MESSAGE.match(match.string, match.start("value") - 2):
        return match[0]
    before, _, after = match[0].rpartition(value)
    return f"{before}{REDACTED}{after}"


def _environment(match: re.Match[str]) -> str:
    return _ENTRY.sub(rf"\g<name>={REDACTED}\g<end>", match[0])


_VALUE = r"""(?P<value>\\?"(?:[^"\\]|\\[^"])*\\?"|'[^']*'|[^\s,;&"'\\<>()\[\]{}]+)"""
_NAME = rf"(?P<name>{SECRET_NAME.pattern}[\w.-]{{0,64}})"
_NAMES = ("passw", "passphrase", "pwd", "secret", "token", "credential", "key")
_HARMLESS_END = re.compile(
    r"(?:[_.]file|-file|-stdin|path|name|id|ids|url|uri|type|length|count|policy|credential[_-]?spec)$", re.I
)
_HARMLESS = re.compile(r"(?:true|false|yes|no|none|null|on|off|required|[\d.]{1,3}|\*+|<.*>|\$.*|)", re.I)
_MESSAGE = re.compile(r": (?:the|it|must|this) \w")
"""A message says what is wrong with a key of that name."""
_STRING = r'"(?:[^"\\]|\\.)*"'
_ENTRY = re.compile(r'(?P<name>"[^"=\\]+)=(?:[^"\\]|\\.)*(?P<end>"|$)')

_BLOCKS = (
    _Form(  # a private key: to its end, or for as long as it is cut off, each line perhaps after a time
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----(?:"
            r"(?:(?!-----BEGIN)[\s\S]){0,16000}?-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:(?:\n|\\n)?[^\n\\]{0,120}?[A-Za-z0-9+/=]{16,})*)"
        ),
        _whole,
    ),
    _Form(  # what an engine reports of a container's or a service's environment, perhaps cut off
        ('"Env"',),
        re.compile(rf'"Env"\s*:\s*\[(?:\s*{_STRING}\s*,?)*(?:\s*"(?:[^"\\]|\\.)*$)?'),
        _environment,
    ),
)
_FORMS = (
    _Form(("swmtkn-", "swmkey-"), re.compile(r"\bSWM(?:TKN|KEY)-[\w-]+"), _whole),  # Swarm's tokens and unlock keys
    _Form(
        ("authorization",),
        re.compile(
            r"(?P<kept>\b(?:proxy-)?authorization\\?[\"']?\s{0,4}[:=]\s{0,4}\\?[\"']?(?!(?:\w{1,12}\s{1,4})?\[redacted)"
            r"(?:(?:basic|bearer|digest|token|negotiate)\s{1,4})?)[^\s\"',\\]+",
            re.I,
        ),
        _kept,
    ),
    _Form(
        ("bearer", "basic"),
        re.compile(r"(?P<kept>\b(?:bearer|basic)\s{1,4})[A-Za-z0-9._~+/-]{16,}=*", re.I),
        _kept,
    ),
    _Form(
        ("x-", "cookie"),
        re.compile(
            r"(?P<kept>\b(?:x-registry-auth|x-auth-token|x-api-key|(?:set-)?cookie)\s{0,4}:\s{0,4})[^\"']+", re.I
        ),
        _kept,
    ),
    _Form(  # the password in a URL
        ("://",),
        re.compile(r"(?P<kept>\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'\[]{0,128}:)(?!\[redacted)[^\s/@\"']+(?=@)", re.I),
        _kept,
    ),
    _Form(("eyj",), re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"), _whole),  # JSON Web Token
    _Form(("akia", "asia"), re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), _whole),  # AWS access key
    _Form(  # GitHub, GitLab, Docker Hub, Slack, npm
        ("gh", "glpat-", "dckr_pat_", "xox", "npm_"),
        re.compile(
            r"\b(?:gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|dckr_pat_[\w-]{20,}"
            r"|xox[abprs]-[\w-]{10,}|npm_[A-Za-z0-9]{30,})"
        ),
        _whole,
    ),
    _Form(_NAMES, re.compile(rf"""{_NAME}\\?["']?\s?[:=]\s?(?![\[{{]){_VALUE}""", re.I), _assigned),
    _Form(  # pass= and pass2= of mount.cifs(8), DB_PASS=; a colon only after a quoted name, for "pass: 3" is a count
        ("pass",),
        re.compile(rf"""(?<![a-z0-9])(?P<name>pass2?)(?:\\?["']\s?:|=)\s?(?![\[{{]){_VALUE}""", re.I),
        _assigned,
    ),
    _Form(_NAMES, re.compile(rf"""--[\w-]{{0,64}}?{_NAME}\s(?!-){_VALUE}""", re.I), _assigned),
)
_NEEDLES = tuple(dict.fromkeys(needle for form in _FORMS for needle in form.needles))
