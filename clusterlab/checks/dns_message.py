"""Questions to name servers, and their answers, as bytes: RFC 1035.

So an image needs no tool for them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

_ID = 0x4321
_RECURSE = 0x0100
_A, _INTERNET = 1, 1
_CODES = {0: "", 1: "format error", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "not implemented", 5: "REFUSED"}


@dataclass(frozen=True)
class Answer:
    """The IPv4 addresses of a name, sorted.

    `code` is "" when the server knows the name.
    """

    addresses: tuple[str, ...]
    code: str = ""


def question(name: str) -> bytes:
    """What asks for the IPv4 addresses of a name.

    Raises ValueError for a name that cannot be asked for.
    """
    labels = name.strip(".").encode("ascii").split(b".")
    if any(not 0 < len(label) < 64 for label in labels):
        raise ValueError(f"{name!r} is not a name that a name server can look up")
    encoded = b"".join(bytes([len(label)]) + label for label in labels)
    return struct.pack(">6H", _ID, _RECURSE, 1, 0, 0, 0) + encoded + b"\0" + struct.pack(">2H", _A, _INTERNET)


def parse(data: bytes) -> Answer:
    """Read an answer to `question`; raises ValueError when it is none."""
    try:
        number, flags, questions, answers, _, _ = struct.unpack_from(">6H", data)
        if number != _ID or not flags & 0x8000:
            raise ValueError("this does not answer the question")
        at = 12
        for _ in range(questions):
            at = _after_name(data, at) + 4
        found = []
        for _ in range(answers):
            at = _after_name(data, at)
            kind, _, _, length = struct.unpack_from(">2HIH", data, at)
            at += 10
            if at + length > len(data):
                raise IndexError(at)
            if kind == _A and length == 4:
                found.append(IPv4Address(data[at : at + 4]))
            at += length
    except (struct.error, IndexError) as error:
        raise ValueError("the answer is truncated") from error
    code = flags & 0x000F
    return Answer(tuple(map(str, sorted(found))), _CODES.get(code, f"code {code}"))


def _after_name(data: bytes, at: int) -> int:
    while data[at]:
        if data[at] & 0xC0 == 0xC0:  # the rest of the name stands elsewhere in the message
            return at + 2
        at += data[at] + 1
    return at + 1
