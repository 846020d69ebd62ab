"""Whose the lab on existing hosts is.

What carries its name there was created by one workstation, unless it is shared.

The hosts say it themselves: each object, and the Swarm, has a label with the workstation that created it, and the
record of provision a file. So nothing needs to be kept in step, and whoever has removed everything has given the name
free.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from clusterlab.errors import ClusterlabError, DeadlineExceeded
from clusterlab.remote import Host, Hosts
from clusterlab.resources import record
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.ownership import LABEL_BY, LABEL_OWNER, this_workstation
from clusterlab.workstation import owner

_TIMEOUT = 60.0  # seconds
_PATIENCE = 20  # seconds for one answer of an engine
_SILENT = 3  # exit code: there is an engine, and it has not said all
_STOPPED = 4  # exit code: no engine runs
_SCRIPT = (
    r"""
lab=$1 record=$2 owner=$3 by=$4 engine=$5
PATH=$PATH:/usr/sbin:/sbin
[ ! -e "$record" ] || { cat "$record"; echo; }
command -v docker >/dev/null || { [ ! -S "$engine" ] || exit SILENT; exit STOPPED; }
ask() {
    timeout PATIENCE docker --host "unix://$engine" "$@"
    code=$?
    [ "$code" -ne 124 ] || exit SILENT
    return "$code"
}
stopped() {
    case $(timeout PATIENCE docker --host "unix://$engine" ps --quiet 2>&1 >/dev/null) in
        *"annot connect to the Docker daemon"*|*"ailed to connect to the docker API"*) end=STOPPED ;;
        *) exit SILENT ;;
    esac
}
end=0
ask info --format "{{with .Swarm.Cluster}}{{with .Spec.Labels}}{{if eq (index . \"LABEL_LAB\") \"$lab\"}}
{{index . \"$owner\"}} {{index . \"$by\"}}{{end}}{{end}}{{end}}"
of_lab="label=LABEL_LAB=$lab"
for list in "ps --all" "volume ls" "network ls"; do
    ask $list --filter "$of_lab" --format "{{.Label \"$owner\"}} {{.Label \"$by\"}}" || stopped
done
services=$(ask service ls --quiet --filter "$of_lab")
[ "$?" -ne SILENT ] || exit SILENT
[ -z "$services" ] || ask service inspect \
    --format "{{index .Spec.Labels \"$owner\"}} {{index .Spec.Labels \"$by\"}}" $services
exit "$end"
""".replace("LABEL_LAB", LABEL_LAB)
    .replace("SILENT", str(_SILENT))
    .replace("STOPPED", str(_STOPPED))
    .replace("PATIENCE", str(_PATIENCE))
)


@dataclass(frozen=True)
class _Owners:
    """Workstations that created something of a lab on a host, by readable name."""

    known: dict[str, str] = field(default_factory=dict)
    silent: bool = False  # the engine has not said all of them
    stopped: bool = False  # no engine runs that could say it


def refuse_other_owners(lab: str, hosts: Hosts, *, heals: bool = False) -> frozenset[str]:
    """Raise ClusterlabError when a lab of this name is, or may be, somebody else's.

    Somebody else is another workstation, or another user. It cannot be told where an engine is silent, unless another
    host says that the lab is this workstation's; whoever `heals` a fault of this lab, which may be the silence itself,
    has it. A host without connection or without a running engine is passed over: whatever is done there fails, too, as
    long as that is so. Returns these hosts: ask again before anything is changed once they may answer.
    """
    mine = this_workstation()
    asked = hosts.each(list(hosts), lambda host: _owners(lab, host))
    answers = {name: answer for name, answer in asked.items() if isinstance(answer, _Owners)}
    for name, answer in answers.items():
        others = sorted({_named(who) for one, who in answer.known.items() if one != mine})
        if others:
            raise ClusterlabError(
                f"{name}: lab {lab} was created there by {', '.join(others)}, and this is {owner()}: nothing was "
                "touched",
                remedy="Give the lab of this inventory another name (`lab:`). If you share the lab, write `shared: "
                "true` into the inventories of everybody who works on it.",
            )
    silent = [name for name, answer in answers.items() if answer.silent]
    if silent and not heals and not any(mine in answer.known for answer in answers.values()):
        raise ClusterlabError(
            f"{silent[0]}: whether lab {lab} was created there by somebody else is unknown, because `docker` "
            f"there did not list what the engine has within {_PATIENCE} s: nothing was touched",
            remedy=f"Make `docker ps` work on {silent[0]}, then run the same command again.",
        )
    return frozenset(name for name in asked if name not in answers or answers[name].stopped)


def _named(who: str) -> str:
    """The name of another workstation.

    It may be this one with another state folder.
    """
    if not who:
        return "another workstation"
    return f"{who} with another state folder" if who == owner() else who


def _owners(lab: str, host: Host) -> _Owners:
    """What a host says; raises HostError when it cannot be reached."""
    argv = ["sh", "-c", _SCRIPT, "sh", lab, record.owner_path(lab), LABEL_OWNER, LABEL_BY, host.target.engine]
    try:
        completed = host.run(argv, timeout=_TIMEOUT)
    except DeadlineExceeded:
        return _Owners(silent=True)
    known = dict(_pairs(completed.stdout.splitlines()))
    return _Owners(known, completed.exit == _SILENT, completed.exit == _STOPPED)


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    """What a person typed has no owner, and belongs to whoever works on the lab."""
    for line in lines:
        one, _, who = line.partition(" ")
        if one and one != "<no":  # "<no value>" of a template
            yield one, who.replace("<no value>", "").strip()
