"""The LAN card of a host, in scripts: `$lan` is its name."""

from __future__ import annotations

import shlex

from .kind import UNSUPPORTED


def find(address: str) -> str:
    """The lines of a script after which `$lan` is the card with this address.

    The tools of root are found then, too.
    """
    return f"""PATH=$PATH:/usr/sbin:/sbin
lan=$(ip -o -4 addr show to {shlex.quote(address)} | awk '{{ print $2; exit }}')
[ -n "$lan" ] || {{ echo "no card has the address {address}" >&2; exit 1; }}"""


def require(program: str, package: str) -> str:
    """The line of a script that ends it when a program is not installed."""
    missing = f"{program} is not installed: apt-get install {package}"
    return f'command -v {program} >/dev/null || {{ echo "{missing}" >&2; exit {UNSUPPORTED}; }}'
