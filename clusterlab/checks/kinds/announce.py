"""announce: every place knows a container by its name seconds after its start.

Engines announce new containers to each other over UDP 7946. Where that is closed they still learn of them over TCP, but
only every half minute: that a name resolves proves little, that new ones resolve at once, several times in a row, much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from clusterlab import patterns
from clusterlab.model.base import Duration, Issue
from clusterlab.model.kinds import Touched
from clusterlab.model.playbook import Play
from clusterlab.model.probes import Probe
from clusterlab.model.problems import Problem
from clusterlab.model.source import KeyPath
from clusterlab.model.validate.files import Files, PlayFile
from clusterlab.model.validate.probes import containers_exist, names_exist
from clusterlab.parallel import parallel, results_of
from clusterlab.results import Link, Outcome

from ..finding import Finding, ask_each, finding, outcome_of
from ..kind import CheckKind
from ..manual.lan import NAMES
from ..manual.line import Line
from ..manual.where import Where, with_variables
from ..newcomer import PREFIX, Newcomer
from ..place import NotUnderstood, Place
from ..places import Places
from ..spec import remove

HOW = "new names"
_HINT = "new names travel over UDP 7946: it must be open between all nodes, both ways"
_ROUNDS = 3
_SCRIPT = r"""
patience=$1; shift
moment() { read -r up rest < /proc/uptime; echo "${up%.*}${up#*.}"; }
begun=$(moment) seen=$(mktemp -d)
await() {
  while [ ! -d "$seen/$1" ] && [ $(($(moment) - begun)) -lt "$patience" ]; do
    (timeout 2 nslookup "$1" 2> /dev/null | awk 'NAMES' | grep -qxF "$2" && mkdir "$seen/$1" 2> /dev/null &&
      echo "$1 $(($(moment) - begun))") &
    usleep 200000
  done
  wait
}
for one in "$@"; do await "${one%%=*}" "${one#*=}" 2> /dev/null & done
wait
rm -r "$seen"
""".replace("NAMES", NAMES)
"""Prints each name of NAME=ADDRESS that leads to its address, and after how many hundredths of a second.

Another address does not count: for a name that nobody knows yet, name servers outside may answer with one of theirs.
Look-ups overlap: for a name that Docker does not know yet it asks its host's name servers, which may take seconds. None
of them outlives the script, which removes the folder that they write to.
"""
_WORDING = patterns.Wording(
    cut_off="{} is cut off: it hears of no other node's containers, and no other node hears of its own",
    unheard="no other node hears of the containers of {}",
    silent="{} hears of no other node's containers",
    both="{} and {} do not hear of each other's containers",
    one="{} does not hear of the containers of {}",
    several="{} do not hear of the containers of {}",
    none="no node hears of any other's containers",
)


class AnnounceProbe(Probe):
    """Start a container beside each of these, and give it new names in turn.

    All the others must know each soon.
    """

    network: str = Field(description="the overlay network of the places")
    known: Duration = Field(default=4.0, description="within this time, counted from when all have their new name")

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        if self.on:
            yield Issue(("on",), "hosts do not know the names of containers", "Name containers with in:.", key=True)


class Announce(CheckKind[AnnounceProbe]):
    name = "announce"
    model = AnnounceProbe
    tools = ("nslookup", "timeout", "usleep")

    def problems(self, files: Files, file: PlayFile, path: KeyPath, probe: AnnounceProbe) -> Iterator[Problem]:
        yield from names_exist(files, file, path, probe)
        found = list(containers_exist(files, file, path, probe.in_))
        if not found and len({file.play.containers[name].host for name in probe.in_}) == 1:
            yield file.problem(
                path, "a single host has nobody to announce to", "Name containers of two hosts.", key=True
            )

    def touches(self, probe: AnnounceProbe) -> Touched:
        return Touched(containers=frozenset(probe.in_), networks=frozenset({probe.network}))

    def asks(self, probe: AnnounceProbe, play: Play) -> Literal["place", "engine", "manager"]:
        return "engine"

    def ask(self, probe: AnnounceProbe, places: Places) -> list[Finding]:
        """One finding for each place, of the last round; a round that fails ends it.

        The containers are removed.
        """
        everywhere = places.of(probe)
        new = {place: Newcomer(place, places, probe.network) for place in everywhere}
        try:
            results_of(parallel(lambda place: new[place].start(), everywhere, name="announce"))
            for number in range(_ROUNDS):
                findings = _round(probe, places, new, number)
                if outcome_of(findings) is not Outcome.PASS:
                    break
        finally:
            removed = parallel(lambda place: remove(places, place, new[place].name), everywhere, name="announce")
        results_of(removed)
        noted = zip(findings, everywhere, strict=True)
        return [_explained(_with_notes(one, new[place].notes), findings) for one, place in noted]

    def manual(self, probe: AnnounceProbe, where: Where) -> Iterator[Line]:
        everywhere = where.of(probe)
        for number, place in enumerate(everywhere):
            image = where.images[where.play.containers[place.container].image]
            new = f"{PREFIX}-{number}"
            started = f"docker run --rm --detach --name {new} --network {probe.network} {image} sleep infinity"
            yield Line(place.host, started)
            address = with_variables(where.address_of(place.host, new, probe.network))
            for other in everywhere:
                if other.host != place.host:
                    shown = other.typed(["nslookup", new])
                    seen = f"{new} is known within {probe.known:g} s"
                    proof = f"{shown} | awk '{NAMES}' | grep -qxF {address}"
                    yield Line(other.host, shown, seen, proof, within=probe.known)
            yield Line(place.host, f"docker rm --force {new}")


KIND = Announce()


def _round(probe: AnnounceProbe, places: Places, new: Mapping[Place, Newcomer], number: int) -> list[Finding]:
    """Every new container gets a new name, which all other places look up until it leads to its address."""
    everywhere = list(new)
    names = {place: f"{one.name}-{number}" for place, one in new.items()}
    renamed = parallel(lambda place: new[place].rename(names[place]), everywhere, name="announce")
    addresses = dict(zip(everywhere, results_of(renamed), strict=True))
    expected = f"knows every new name within {probe.known:g} s"

    def unknown(place: Place) -> list[Link]:
        return [Link(place.host, one.host, HOW, True, None) for one in everywhere if one.host != place.host]

    return ask_each(
        everywhere, expected, lambda place: _heard(probe, place, places, names, addresses, expected), unknown
    )


def _heard(
    probe: AnnounceProbe,
    place: Place,
    places: Places,
    names: Mapping[Place, str],
    addresses: Mapping[Place, str],
    expected: str,
) -> Finding:
    others = {one: name for one, name in names.items() if one.host != place.host}
    words = [f"{name}={addresses[one]}" for one, name in others.items()]
    argv = ["sh", "-c", _SCRIPT, "sh", str(round(probe.known * 100)), *words]
    completed = places.run(place, argv, timeout=probe.known + 60)
    shown = place.typed(["nslookup", next(iter(others.values()), "NAME")])
    if not completed.ok:
        raise NotUnderstood(f"the names could not be looked up: exit code {completed.exit}", command=shown)
    times = {name: int(after) / 100 for name, after in re.findall(rf"^({PREFIX}\S+) (\d+)$", completed.stdout, re.M)}
    links = [
        Link(place.host, one.host, HOW, True, name in times, _when(times.get(name), probe.known))
        for one, name in others.items()
    ]
    late = [link.target for link in links if not link.seen]
    slowest = f", the last after {max(times.values()):.1f} s" if times else ""
    found = f"{len(links) - len(late)} of {len(links)} new names{slowest}"
    return finding(
        place,
        shown,
        holds=not late,
        wanted=expected,
        found=f"{found}; not of {', '.join(late)}" if late else found,
        output=completed.output,
        hint=_HINT,
        links=links,
    )


def _when(after: float | None, patience: float) -> str:
    return f"known after {after:.1f} s" if after is not None else f"not known after {patience:g} s"


def _with_notes(one: Finding, notes: Sequence[str]) -> Finding:
    """The finding of a place says that its container joined the network only after repeated attempts."""
    if not notes:
        return one
    found = "; ".join([one.evidence.found, *(f"joining the network {note}" for note in notes)])
    return replace(one, evidence=replace(one.evidence, found=found))


def _explained(one: Finding, findings: Sequence[Finding]) -> Finding:
    """The hint of a failure begins with what all places together show."""
    if one.evidence.holds:
        return one
    links = [link for each in findings for link in each.evidence.links]
    return replace(one, hint=". ".join([*patterns.of_links(links, _WORDING), _HINT]))
