"""Whose the lab on existing hosts is.

What carries its name there was created by one workstation, unless it is shared.

The hosts say it themselves: each object, and the Swarm, has a label with the workstation that created it, and the
record of provision a file. So nothing needs to be kept in step, and whoever has removed everything has given the name
free.
"""

from __future__ import annotations

from collections.abc import Iterable

from clusterlab.errors import ClusterlabError
from clusterlab.remote import Host, Hosts
from clusterlab.resources import record
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.ownership import LABEL_BY, LABEL_OWNER, this_workstation
from clusterlab.workstation import owner

_TIMEOUT = 60.0  # seconds
_SCRIPT = r"""
lab=$1 record=$2 owner=$3 by=$4
PATH=$PATH:/usr/sbin:/sbin
[ ! -e "$record" ] || { cat "$record"; echo; }
command -v docker >/dev/null || exit 0
ask() { timeout 20 docker "$@"; code=$?; [ "$code" -ne 124 ] || exit 0; }
ask info --format "{{with .Swarm.Cluster}}{{with .Spec.Labels}}{{if eq (index . \"LABEL_LAB\") \"$lab\"}}
{{index . \"$owner\"}} {{index . \"$by\"}}{{end}}{{end}}{{end}}"
of_lab="label=LABEL_LAB=$lab"
for list in "ps --all" "volume ls" "network ls"; do
    ask $list --filter "$of_lab" --format "{{.Label \"$owner\"}} {{.Label \"$by\"}}"
done
ask service ls --quiet --filter "$of_lab" | xargs -r timeout 20 docker service inspect \
    --format "{{index .Spec.Labels \"$owner\"}} {{index .Spec.Labels \"$by\"}}"
exit 0
""".replace("LABEL_LAB", LABEL_LAB)


def refuse_other_owners(lab: str, hosts: Hosts) -> None:
    """Raise ClusterlabError when somebody else has a lab of this name on a host.

    Another workstation, or another user.

    A host that cannot be asked is passed over: whatever is done there fails, too.
    """
    mine = this_workstation()
    for name, answer in hosts.each(list(hosts), lambda host: _owners(lab, host)).items():
        others = {} if isinstance(answer, ClusterlabError) else {one: who for one, who in answer.items() if one != mine}
        if others:
            who = ", ".join(sorted({_named(who) for who in others.values()}))
            raise ClusterlabError(
                f"{name}: lab {lab} was created there by {who}, and this is {owner()}: nothing was touched",
                remedy="Give the lab of this inventory another name (`lab:`). If you share the lab, write `shared: "
                "true` into the inventories of everybody who works on it.",
            )


def _named(who: str) -> str:
    """The name of another workstation.

    It may be this one with another state folder.
    """
    if not who:
        return "another workstation"
    return f"{who} with another state folder" if who == owner() else who


def _owners(lab: str, host: Host) -> dict[str, str]:
    """Workstations that created something of the lab on a host, by readable name."""
    argv = ["sh", "-c", _SCRIPT, "sh", lab, record.owner_path(lab), LABEL_OWNER, LABEL_BY]
    return dict(_pairs(host.run(argv, timeout=_TIMEOUT).stdout.splitlines()))


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    """What a person typed has no owner, and belongs to whoever works on the lab."""
    for line in lines:
        one, _, who = line.partition(" ")
        if one and one != "<no":  # "<no value>" of a template
            yield one, who.replace("<no value>", "").strip()
