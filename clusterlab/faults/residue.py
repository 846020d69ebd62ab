"""The fingerprint of a host.

What faults can change on it, read before and after, so that nothing remains unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from clusterlab.errors import ClusterlabError

from .scene import Scene

Fingerprint = dict[str, list[str]]
"""The lines of each section."""

_DYNAMIC = r"veth|br-|docker|vx-|ov-|dummy|lo:"
"""Cards that engines create and remove by themselves."""

_SECTIONS: Mapping[str, str] = {
    "nft": "nft list tables 2>/dev/null",
    "qdiscs": f"tc qdisc show 2>/dev/null | grep -Ev 'dev ({_DYNAMIC}|lo )'",
    "links": f"ip -o link show | grep -Ev '^[0-9]+: ({_DYNAMIC})' | sed 's/^[0-9]*: //; s/ qlen .*//; s/@if[0-9]*//'",
    "addresses": f"ip -o addr show scope global | grep -Ev '^[0-9]+: ({_DYNAMIC})' | "
    "sed 's/^[0-9]*: //; s/ valid_lft.*//'",
    "routes": "ip route show | grep -Ev 'dev (docker|br-)'",
    "units": "for unit in docker docker.socket containerd nfs-server systemd-timesyncd chrony ntpsec; do "
    'echo "$unit $(systemctl is-active $unit 2>/dev/null)"; done',
    "stopped processes": "cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/^[0-9]* (\\(.*\\)) [Tt] .*/\\1/p'",
    "mounts": 'awk \'$3 != "overlay" && $3 != "nsfs" && $2 !~ "^/(var/lib|run)/(docker|containerd)" '
    "{ print $2, $3 }' /proc/mounts",
    "exports": "cat /var/lib/nfs/etab 2>/dev/null",
    "dead-man switches": "ls /run/clusterlab/faults/*/dead-man-* 2>/dev/null; "
    "systemctl list-units --plain --no-legend 'clusterlab-heal-*' 2>/dev/null",
}

_SCRIPT = "PATH=$PATH:/usr/sbin:/sbin\n" + "\n".join(
    f'echo "== {name}"; {{ {command}; }} | sort' for name, command in _SECTIONS.items()
)


def fingerprints(scene: Scene, hosts: Iterable[str]) -> dict[str, Fingerprint]:
    """The fingerprint of each host.

    Raises ClusterlabError for one that cannot be read.
    """
    done = scene.run(dict.fromkeys(hosts, _SCRIPT))
    found = {name: _read(one.stdout) for name, one in done.items()}
    for name, one in found.items():
        if one.keys() != _SECTIONS.keys():
            raise ClusterlabError(f"{name}: its state cannot be read", detail=done[name].output[-1000:])
    return found


def differences(
    before: Mapping[str, Fingerprint], after: Mapping[str, Fingerprint], leaves: frozenset[str]
) -> Iterator[str]:
    """What is different, a sentence for each section; those in `leaves` may be."""
    for host, one in after.items():
        for name, lines in one.items():
            then = before.get(host, {}).get(name, lines)
            if name in leaves or lines == then:
                continue
            more = [f"+ {line}" for line in lines if line not in then]
            less = [f"- {line}" for line in then if line not in lines]
            yield f"{host}: {name}: {'; '.join([*more, *less][:5]) or 'another number of the same lines'}"


def _read(text: str) -> Fingerprint:
    found: Fingerprint = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line.removeprefix("== "), [])
        else:
            lines.append(line.strip())
    return found
