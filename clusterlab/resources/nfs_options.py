"""Options of NFS exports as the server understands them, see exports(5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network

# Pairs of flags: what each stands for. The first of a pair is the default of nfs-utils.
_PAIRS = (
    ("ro", "rw"),
    ("sync", "async"),
    ("wdelay", "no_wdelay"),
    ("hide", "nohide"),
    ("nocrossmnt", "crossmnt"),
    ("secure", "insecure"),
    ("root_squash", "no_root_squash"),
    ("no_all_squash", "all_squash"),
    ("no_subtree_check", "subtree_check"),
    ("secure_locks", "insecure_locks"),
    ("acl", "no_acl"),
    ("no_pnfs", "pnfs"),
    ("no_security_label", "security_label"),
)
_ALIASES = {"auth_nlm": "secure_locks", "no_auth_nlm": "insecure_locks", "fsid=root": "fsid=0"}
_FAMILY = {flag: default for default, other in _PAIRS for flag in (default, other)}
_DEFAULTS = {default: default for default, _ in _PAIRS} | {"anonuid": "65534", "anongid": "65534", "sec": "sys"}


def effective(options: Iterable[str]) -> dict[str, str]:
    """What `options` come to, defaults included.

    The flag of each pair, and the value of each `name=value`.

    The last of contradicting options holds, as in the server. The same export gives the same mapping, whether its
    options are those of a file or those that the server reports.
    """
    found = dict(_DEFAULTS)
    for option in options:
        option = _ALIASES.get(option, option)
        name, equals, value = option.partition("=")
        if option in _FAMILY:
            found[_FAMILY[option]] = option
        else:
            found[name] = value if equals else option
    return found


def shown(name: str, value: str | None) -> str:
    """An effective option as it stands in a file; "-" when it is not set."""
    if value is None:
        return "-"
    return value if name in _FAMILY or name == value else f"{name}={value}"


def differing(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each effective option that differs: as wanted, as found."""
    names = [*wanted, *(name for name in found if name not in wanted)]
    return [
        (shown(name, wanted.get(name)), shown(name, found.get(name)))
        for name in names
        if wanted.get(name) != found.get(name)
    ]


def client(text: str) -> str:
    """A client in the form that the server reports.

    A network by its prefix length, anything else as it is.
    """
    if "/" not in text:
        return "*" if text == "" else text
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return text
