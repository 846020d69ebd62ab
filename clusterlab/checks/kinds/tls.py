"""tls: does a server prove who it is, for long enough, and without old protocols.

Asked with openssl(1) of the host, in the network of a container where the probe runs in one: images need no openssl.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import Field

from clusterlab.model.addresses import is_ip
from clusterlab.model.base import Duration, Issue
from clusterlab.model.probes import Address, Port, ReachProbe, Target
from clusterlab.remote.completed import Completed

from ..inside import INSIDE, path_inside
from ..manual.lan import first
from ..manual.where import Where, with_variables
from ..network import entering
from ..place import NotUnderstood, Place
from ..places import Places
from ..reach import ReachKind, Shown, Verdict
from ..reached import Reach
from ..resolve import first_address

_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")  # oldest first, as openssl calls them
_OLD = ["-min_protocol", "TLSv1", "-cipher", "DEFAULT:@SECLEVEL=0"]  # what else openssl itself would refuse
# Each part of the output begins with a line "@ NAME"; a handshake that failed is tried again with old protocols.
_SCRIPT = r"""
at=$1 sni=$2 ca=$3 wait=$4 check=$5 name=$6 older=$7 second=
ask() {
    set -- -connect "$at" "$@"
    [ -z "$sni" ] || set -- "$@" -servername "$sni"
    [ -z "$ca" ] || set -- "$@" -no-CApath -CAfile "$ca"
    timeout "$wait" openssl s_client "$@" < /dev/null 2>&1
}
first=$(ask); code=$?
printf '@ first\n%s\n@ code\n%s\n' "$first" "$code"
case $first in *CONNECTED*'Cipher is (NONE)'*) second=$(ask OLD); printf '@ second\n%s\n' "$second" ;; esac
[ -z "$older" ] || { echo '@ older'; ask OLD -max_protocol "$older"; }
echo '@ certificate'
printf '%s\n' "$first" "$second" | openssl x509 -noout -enddate -ext subjectAltName "-$check" "$name" 2>&1
printf '@ clock\n%s\n' "$(date +%s)"
""".replace("OLD", shlex.join(_OLD))
_REASONS = {
    "Connection refused": "refused",
    "No route to host": "no route to host",
    "Network is unreachable": "network is unreachable",
    "timed out": "timed out",
}
_TIMED_OUT = 124  # exit code of timeout(1)
_HINT = "refused: nothing listens there on that address; timed out: something drops the packets"
_ANSWER_HINT = "the server answers, but with another certificate or protocol than it should: see its configuration"
_REFUSED = re.compile(r"SSL alert number|unexpected eof|errno=104", re.IGNORECASE)


class TlsProbe(ReachProbe):
    """Check the certificate of a TLS server, and which protocols it accepts."""

    target: ClassVar[tuple[str, ...]] = ("to",)

    to: Target
    port: Port = 443
    name: str = Field(default="", description="what the certificate must be for; default: what `to` says")
    ca: str | None = Field(
        default=None,
        description="a file there with the only CA certificates to trust; default: those of the host",
        examples=["/etc/ssl/lab-ca.pem"],
    )
    days: int = Field(default=1, ge=0, description="for how many days the certificate must still be valid")
    oldest: Literal["1.0", "1.1", "1.2", "1.3"] = Field(default="1.2", description="the oldest TLS that is accepted")
    timeout: Duration = 10.0

    @property
    def host_name(self) -> str:
        return self.name or (self.to if isinstance(self.to, str) else "")

    @property
    def oldest_version(self) -> int:
        return ("1.0", "1.1", "1.2", "1.3").index(self.oldest)

    def issues(self) -> Iterator[Issue]:
        yield from super().issues()
        if not self.host_name:
            yield Issue((), "an address alone does not say what the certificate must be for", "Add name:.")
        if self.ca is not None and not self.ca.startswith("/"):
            yield Issue(("ca",), f"'{self.ca}' is not an absolute path", "Begin it with /.")


@dataclass(frozen=True)
class Handshake(Reach):
    """What the server showed."""

    protocol: str = ""  # of the handshake, "" when there was none
    distrust: str = ""  # why the chain of certificates does not verify
    names: str = ""  # that the certificate is for
    named: bool = False  # whether the wanted name is one of them
    days: float = 0.0  # until it ends, by the clock of the host
    older: str = ""  # a protocol that is too old, and accepted


class Tls(ReachKind[TlsProbe]):
    """The certificate must verify, cover the name, and be valid for some days.

    No old protocol may be accepted.
    """

    name = "tls"
    model = TlsProbe
    tools = ("openssl", "timeout")
    hint = _HINT

    def target(self, probe: TlsProbe) -> Target:
        return probe.to

    def how(self, probe: TlsProbe) -> str:
        return f"tls {probe.port}"

    def summary(self, probe: TlsProbe) -> str:
        trust = f"by {probe.ca}" if probe.ca else "by the CAs of the host"
        lasting = f"for {probe.days} days or more, with TLS {probe.oldest} or later"
        return f"port {probe.port} of {probe.to} proves {trust} that it is {probe.host_name}, {lasting}"

    def reach(self, probe: TlsProbe, place: Place, places: Places, kept: bool) -> Handshake:
        host, before, ca = Place(place.host), list[str](), probe.ca or ""
        for tool in ("openssl", "timeout"):
            places.network_tool(place, tool)
        address = first_address(places.target(place, probe.to), place, places)
        if isinstance(address, Reach):
            return Handshake(False, address.found, address.command, address.output, unresolved=address.unresolved)
        if place.container:
            process = places.process(place)
            before = entering(process)
            ca = path_inside(place.host, process, ca, places) if ca else ""
        wait = max(1, math.ceil(probe.timeout))
        name = probe.host_name
        sni, check = ("", "checkip") if is_ip(name) else (name, "checkhost")
        older = _VERSIONS[probe.oldest_version - 1] if probe.oldest_version else ""
        arguments = [f"{address}:{probe.port}", sni, ca, str(wait), check, name, older]
        asking = ["sh", "-c", _SCRIPT, "sh", *arguments]
        completed = places.in_network(place, asking, names=False, timeout=4 * wait + 30)
        shown = f"{host.typed([*before, *client(address, str(probe.port), sni, ca)])} < /dev/null"
        return parse(completed, shown, address, _VERSIONS[probe.oldest_version])

    def judge(self, probe: TlsProbe, met: Reach, places: Places) -> Verdict:
        expected = self.summary(probe)
        if not isinstance(met, Handshake) or not met.reached:
            return Verdict(False, met.found, expected, _HINT)
        problems = list(differences(probe, met))
        return Verdict(not problems, "; ".join([met.found, *problems]), expected, _ANSWER_HINT)

    def shown(self, probe: TlsProbe, place: Place, where: Where, kept: bool) -> Shown:
        target, before, ca = where.target(place, probe.to), list[str](), probe.ca or ""
        if place.container:
            if not isinstance(probe.to, Address) and not is_ip(target):
                asked = where.nslookup(place, target)
                target = where.looked_up(place.host, f"{target} seen from {place.container}", first(asked))
            process = where.process(place)
            before = entering(process)
            if ca:
                walk = with_variables(f"{INSIDE} /proc/{process}/root {shlex.quote(ca)} printf '%s\\n'")
                ca = where.looked_up(place.host, f"CA {ca} of {place.container}", walk)
        name = probe.host_name
        sni, check = ("", "-checkip") if is_ip(name) else (name, "-checkhost")
        asked_for = client(target, str(probe.port), sni, ca)
        host = Place(place.host)
        command = f"{where.typed(host, [*before, *asked_for])} < /dev/null"
        verified = f"{where.typed(host, [*before, *asked_for, '-verify_return_error'])} < /dev/null > /dev/null 2>&1"
        lasting = f"openssl x509 -noout -checkend {probe.days * 86400}"
        named = f"openssl x509 -noout {shlex.join([check, name])} | grep -q 'does match certificate'"
        proof = f"{verified} && {command} 2> /dev/null | {lasting} && {command} 2> /dev/null | {named}"
        if probe.oldest_version:
            older = [*before, *asked_for, *_OLD, "-max_protocol", _VERSIONS[probe.oldest_version - 1]]
            proof += f" && {where.typed(host, older)} < /dev/null 2>&1 | grep -q 'Cipher is (NONE)'"
        return Shown(command, self.summary(probe), proof)


KIND = Tls()


def client(address: str, port: str, sni: str, ca: str) -> list[str]:
    """What connects, and shows the certificate and what openssl thinks of it."""
    names = ["-servername", sni] if sni else []
    trusted = ["-no-CApath", "-CAfile", ca] if ca else []
    return ["openssl", "s_client", "-connect", f"{address}:{port}", *names, *trusted]


def parse(completed: Completed, command: str, address: str, oldest: str) -> Handshake:
    """Read what the script printed. Raises NotUnderstood."""
    cut = (part.partition("\n") for part in re.split(r"^@ ", completed.stdout, flags=re.MULTILINE)[1:])
    parts = {name: text.strip() for name, _, text in cut}
    one, two = parts.get("first", ""), parts.get("second", "")
    answered = next((text for text in (one, two) if _protocol(text)), "")
    output = "\n\n".join(filter(None, (one, two, parts.get("older"), parts.get("certificate"))))
    if "CONNECTED" not in one:
        why = "timed out" if parts.get("code") == str(_TIMED_OUT) else ""
        why = why or next((meaning for text, meaning in _REASONS.items() if text in one), "")
        if not why:
            raise NotUnderstood(f"openssl did not connect: {one or completed.output}", command=command, detail=output)
        return Handshake(False, why, command, output)
    if not answered:
        said = next((line for line in one.splitlines() if ":error:" in line), "no certificate was presented")
        found = f"it answers, but not with TLS: {said.split(':error:')[-1].strip(':')}"
        return Handshake(False, found, command, output)
    certificate = parts.get("certificate", "")
    ends = re.search(r"^notAfter=(.+)$", certificate, re.MULTILINE)
    if not ends or not parts.get("clock", "").isdigit():
        raise NotUnderstood(f"no certificate could be read: {certificate}", command=command, detail=output)
    left = datetime.strptime(ends[1], "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC).timestamp() - int(parts["clock"])
    verified = re.search(r"^ *Verify return code: (\d+) \((.*)\)", answered, re.MULTILINE)
    if not verified:
        raise NotUnderstood("openssl does not report whether the chain verifies", command=command, detail=output)
    protocol = _protocol(answered)
    names = ", ".join(re.findall(r"(?:DNS|IP Address):[^,\s]+", certificate)) or "no names"
    return Handshake(
        True,
        f"{protocol}, a certificate for {names}, valid for {left / 86400:.1f} days",
        command,
        output,
        (address,),
        protocol=protocol,
        distrust="" if verified[1] == "0" else verified[2],
        names=names,
        named="does match certificate" in certificate,
        days=left / 86400,
        older=_accepted(parts.get("older", ""), command, output) if _new_enough(protocol, oldest) else "",
    )


def differences(probe: TlsProbe, met: Handshake) -> Iterator[str]:
    """What is not as the probe wants it."""
    oldest = _VERSIONS[probe.oldest_version]
    if met.distrust:
        yield f"the chain does not verify: {met.distrust}"
    if not met.named:
        yield f"it is not for {probe.host_name}"
    if met.days < probe.days:
        yield f"it ends in {met.days:.1f} days" if met.days > 0 else f"it ended {-met.days:.1f} days ago"
    if not _new_enough(met.protocol, oldest):
        yield f"{met.protocol} is older than {oldest}"
    if met.older:
        yield f"{met.older} is accepted too"


def _new_enough(protocol: str, oldest: str) -> bool:
    return _VERSIONS.index(protocol) >= _VERSIONS.index(oldest)


def _protocol(text: str) -> str:
    """The protocol of a handshake that succeeded.

    "New" names that of the cipher, which may be older.
    """
    if "Cipher is (NONE)" in text or "Cipher is " not in text:
        return ""
    if "New, TLSv1.3," in text:
        return "TLSv1.3"
    found = re.search(r"^ *Protocol *: (\S+)", text, re.MULTILINE)
    return found[1] if found and found[1] in _VERSIONS else ""


def _accepted(text: str, command: str, output: str) -> str:
    """The old protocol that a server accepts; that it refuses must be its own word."""
    protocol = _protocol(text)
    if text and not protocol and not _REFUSED.search(text):
        raise NotUnderstood(f"whether old protocols are refused is unknown: {text}", command=command, detail=output)
    return protocol
