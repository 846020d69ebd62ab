"""References of images: what is valid, and what is sent.

Source: distribution/reference, and imageWithTagString of the engine's Go client: the short form, with a tag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMPONENT = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"(?:{_COMPONENT}(?:\.{_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_PATH = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_HUB = "docker.io"
_LONGEST = 255


@dataclass(frozen=True)
class Image:
    """A reference in its parts; the domain of Docker Hub is docker.io."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def familiar(self) -> str:
        """The reference as Docker shows and sends it.

        Without docker.io and library, and with a tag.
        """
        name = f"{self.domain}/{self.path}"
        if self.domain == _HUB:
            inner = self.path.removeprefix("library/")
            name = inner if "/" not in inner else self.path
        tag = self.tag or ("" if self.digest else "latest")
        return name + (f":{tag}" if tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        """The last part of the path: postgres of docker.io/library/postgres:16."""
        return self.path.rpartition("/")[2]


def parse_image(text: str) -> Image:
    """The parts of a reference; raises ValueError with what is wrong."""
    if re.fullmatch(r"[a-f0-9]{64}", text):
        raise ValueError("64 hexadecimal digits are an ID, not a name")
    rest, _, digest = text.partition("@")
    domain, path = _domain_and_path(rest)
    path, _, tag = path.partition(":")
    if path != path.lower():
        raise ValueError("the name of a repository must be lower-case")
    if not _PATH.fullmatch(path) or not _DOMAIN.fullmatch(domain):
        raise ValueError("a part of the name is empty or has characters that are not allowed there")
    if ":" in rest.rpartition("/")[2] and not _TAG.fullmatch(tag):
        raise ValueError("the tag is empty or has characters that are not allowed there")
    if "@" in text and not _DIGEST.fullmatch(digest):
        raise ValueError("what follows the @ is not a digest")
    if len(domain) + len(path) + 1 > _LONGEST:
        raise ValueError(f"the name is longer than {_LONGEST} characters")
    return Image(domain, path, tag, digest)


def _domain_and_path(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        domain, path = first, rest
    else:
        domain, path = _HUB, name
    if domain == "index.docker.io":
        domain = _HUB
    if domain == _HUB and "/" not in path:
        path = f"library/{path}"
    return domain, path
