"""A registry of the lab: docker-registry on a host, with TLS by an authority of its own, which the Docker hosts trust.

The authority is created on that host, and its key stays there. Engines trust it for this registry alone, and read
/etc/docker/certs.d/NAME:PORT/ca.crt at each pull, so none restarts.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from clusterlab.model.lab import Lab
from clusterlab.remote import Host

from . import record, units, written
from .base import Change, Difference, Key
from .commands import do
from .host_kind import HostKind, Role, pending_on
from .observed import Observed
from .roles import roles
from .scope import Scope, Wants

PACKAGE = "docker-registry"
PORT = 5000
CONFIG = "/etc/docker/registry/config.yml"
_OURS = "/etc/docker/registry/clusterlab"
_FILES = (CONFIG, *(f"{_OURS}/{name}" for name in ("ca.crt", "ca.key", "server.crt", "server.key")))
_DATA = "/var/lib/docker-registry"
_CERTIFICATES = "/etc/docker/certs.d"
_DAYS = 3650
_STARTS = 180.0  # seconds
_TEXT = f"""\
# Written by clusterlab.
version: 0.1
storage:
  filesystem: {{rootdirectory: {_DATA}}}
  delete: {{enabled: true}}
http:
  addr: :{PORT}
  tls: {{certificate: {_OURS}/server.crt, key: {_OURS}/server.key}}
"""


@dataclass(frozen=True)
class WantedRegistry:
    """The names by which the registry is reached: the host's name and its address."""

    host: str
    address: str

    @property
    def names(self) -> tuple[str, ...]:
        """As a certificate has them."""
        return f"DNS:{self.host}", f"IP:{self.address}"


@dataclass(frozen=True)
class Registry:
    """What a host has: the unit, the names in the certificate, the authority, and the configuration.

    `before` is the configuration before provision wrote its own: None where it did not, "" where there was none.
    `shared` says whether other labs use it, which may have given the host other names.
    """

    unit: units.Unit
    names: tuple[str, ...] = ()
    authority: str = ""
    config: str = ""
    before: str | None = None
    shared: bool = False

    def names_for(self, wanted: WantedRegistry) -> tuple[str, ...]:
        """The names that its certificate must have; those of other labs stay."""
        kept = self.names if self.shared else ()
        missing = tuple(name for name in wanted.names if name not in kept)
        return kept + missing


class RegistryKind(HostKind[WantedRegistry, Registry]):
    """Registries of hosts with that role."""

    name = "registry"
    runs = True
    shared = True

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, WantedRegistry]]:
        if roles(lab, host).registry:
            yield Role(PACKAGE), WantedRegistry(host, str(lab.inventory.hosts[host].address))

    def manual(self, wanted: WantedRegistry) -> str:
        return _script(wanted, wanted.names)

    def questions(self, at: Observed, wanted: Mapping[Key, WantedRegistry] | None) -> Mapping[str, str]:
        asked = wanted or (wanted is None and record.entries(at, self.name))
        parts = (("names", f"{_OURS}/names"), ("authority", f"{_OURS}/ca.crt"), ("config", CONFIG))
        files = "\n".join(f"echo '--- {part}'; [ ! -e {file} ] || cat {file}" for part, file in parts)
        return {self.name: f"{units.question([PACKAGE])}\n{files}"} if asked else {}

    def observe(self, scope: Scope) -> Mapping[Key, Registry]:
        return {Key(at.name, self.name, PACKAGE): _found(at) for at in scope.everywhere if self.name in at.answers}

    def differences(self, wanted: WantedRegistry, found: Registry) -> Sequence[Difference]:
        names = found.names_for(wanted)
        return (
            *found.unit.differences(),
            *([] if found.config == _TEXT else [Difference("configuration", _TEXT, found.config)]),
            *([] if found.names == names else [Difference("certificate", ",".join(names), ",".join(found.names))]),
        )

    def change(
        self, wants: Wants, scope: Scope, key: Key, wanted: WantedRegistry, found: Registry | None
    ) -> Change | None:
        at, found = scope.at(key), found or Registry(units.Unit())
        differences = tuple(self.differences(wanted, found))
        if not differences:
            return None
        installed_by_us = PACKAGE in record.entries(at, "package")
        foreign = found.unit.runs and found.config != _TEXT and found.before is None and not installed_by_us
        return Change(
            key=key,
            action="configure",
            reason=f"its {differences[0].name} is not as wanted" if found.unit.exists else "there is no registry",
            command=_script(wanted, found.names_for(wanted)),
            carry_out=partial(_configure, at, wanted, found),
            differences=differences,
            needs=pending_on(scope, key.host, "packages"),
            blocked=f"a registry runs on {key.host} that clusterlab did not configure: give another host that role"
            if foreign
            else "",
        )

    def owns(self, lab: str, found: Registry) -> bool:
        return found.before is not None

    def kept(self, scope: Scope, key: Key, found: Registry) -> str:
        changed = found.config and not is_ours(found.config)
        return f"somebody has changed {CONFIG} since" if changed else ""

    def files(self, lab: str, key: Key) -> Sequence[str]:
        return _FILES

    def rest(self, key: Key, found: Registry) -> str:
        return f"the images that were pushed, in {_DATA}: `rm -r {_DATA}` removes them"

    def remove(self, scope: Scope, key: Key, found: Registry, reason: str) -> Change | None:
        at = scope.at(key)
        put = f"printf %s {shlex.quote(found.before)} > {CONFIG}" if found.before else f"rm -f {CONFIG}"
        return Change(
            key=key,
            action="restore",
            reason=reason,
            command=f"systemctl disable {PACKAGE}; systemctl stop {PACKAGE}; rm -rf {_OURS}; {put}",
            carry_out=partial(_restore, at, put),
        )


REGISTRY = RegistryKind()


class TrustKind(HostKind[WantedRegistry, str]):
    """The authority of a registry of the lab, on each Docker host under each name of the registry."""

    name = "registry trust"
    shared = True

    def asked(self, lab: Lab, host: str) -> Iterator[tuple[Role, WantedRegistry]]:
        for server in lab.inventory.with_role("registry") if roles(lab, host).docker else ():
            wanted = WantedRegistry(server, str(lab.inventory.hosts[server].address))
            yield from ((Role(f"{name}:{PORT}"), wanted) for name in (server, wanted.address))

    def manual(self, wanted: WantedRegistry) -> str:
        return f"install -D -m 644 ca.crt {_file(f'{wanted.host}:{PORT}')}   # {_OURS}/ca.crt of {wanted.host}"

    def questions(self, at: Observed, wanted: Mapping[Key, WantedRegistry] | None) -> Mapping[str, str]:
        names = record.entries(at, self.name) if wanted is None else [key.name for key in wanted]
        return {self.name: "\n".join(f"echo '--- {one}'; cat {_file(one)}" for one in names)} if names else {}

    def observe(self, scope: Scope) -> Mapping[Key, str]:
        return {
            Key(at.name, self.name, name): text
            for at in scope.everywhere
            for name, text in _parts(at.answers.get(self.name, "")).items()
            if text or name in record.entries(at, self.name)
        }

    def differences(self, wanted: WantedRegistry, found: str) -> Sequence[Difference]:
        return ()  # what is wanted is on another host: see `change`

    def change(self, wants: Wants, scope: Scope, key: Key, wanted: WantedRegistry, found: str | None) -> Change | None:
        server = scope.observed.get(wanted.host)
        if server is None:
            return None
        if found and found == _found(server).authority:
            return None
        mine = key.name in record.entries(scope.at(key), self.name)
        return Change(
            key=key,
            action="trust",
            reason="another authority is trusted there" if found else "its authority is not trusted",
            command=f"install -D -m 644 ca.crt {_file(key.name)}   # {_OURS}/ca.crt of {wanted.host}",
            carry_out=partial(_trust, scope.at(key), server.host, key.name),
            needs=frozenset({Key(wanted.host, REGISTRY.name, PACKAGE)}),
            blocked=f"{_file(key.name)} exists, and clusterlab did not write it" if found and not mine else "",
        )

    def owns(self, lab: str, found: str) -> bool:
        return True  # only names that are recorded are asked for

    def files(self, lab: str, key: Key) -> Sequence[str]:
        return (_file(key.name),)

    def kept(self, scope: Scope, key: Key, found: str) -> str:
        file = _file(key.name)  # its name says nothing of who wrote it
        return (
            f"clusterlab has no record of what it wrote into {file}"
            if found and not written.known(scope.at(key), file)
            else ""
        )

    def remove(self, scope: Scope, key: Key, found: str, reason: str) -> Change | None:
        at = scope.at(key)
        command = f"rm -f {_file(key.name)} && rmdir --ignore-fail-on-non-empty {_CERTIFICATES}/{key.name}"
        return Change(key, "remove", reason, command, partial(_distrust, at, key.name, command))


REGISTRY_TRUST = TrustKind()


def is_ours(config: str) -> bool:
    """Whether the text of a registry's configuration is what provision writes."""
    return config.strip() == _TEXT.strip()


def _found(at: Observed) -> Registry:
    answer = at.answers.get(REGISTRY.name, "")
    parts, before = _parts(answer), record.entries(at, REGISTRY.name).get(PACKAGE)
    return Registry(
        units.units(answer.partition("--- ")[0]).get(PACKAGE, units.Unit()),
        tuple(filter(None, parts.get("names", "").strip().split(","))),
        parts.get("authority", ""),
        parts.get("config", ""),
        None if before is None else str(before),
        PACKAGE in record.others(at, REGISTRY.name),
    )


def _parts(answer: str) -> dict[str, str]:
    """What a script printed, by the names in its lines that begin with ---."""
    parts = (part.partition("\n") for part in f"\n{answer}".split("\n--- ")[1:])
    return {name: f"{text.rstrip()}\n" if text.strip() else "" for name, _, text in parts}


def _file(name: str) -> str:
    return f"{_CERTIFICATES}/{name}/ca.crt"


def _script(wanted: WantedRegistry, names: Sequence[str]) -> str:
    """Commands that create the authority unless it exists, a certificate, and the configuration, and start it."""
    listed = shlex.quote(",".join(names))
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    authority = f"openssl req -x509 {key} -days {_DAYS} -keyout ca.key -out ca.crt -subj '/CN=registry {wanted.host}'"
    return "\n".join(
        [
            f"mkdir -p {_OURS} {_DATA} && cd {_OURS} && chmod 755 . || exit 1",
            "umask 077",
            f"[ -s ca.key ] || {authority} || exit 1",
            f"openssl req {key} -keyout server.key -out server.csr -subj /CN={wanted.host} || exit 1",
            f"echo subjectAltName={listed} > extensions",
            f"openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days {_DAYS} "
            "-extfile extensions -out server.crt || exit 1",
            f"echo {listed} > names; chmod 644 ca.crt server.crt names",
            f"if id {PACKAGE} >/dev/null 2>&1; then chown -R {PACKAGE} server.key {_DATA}; fi",
            f"printf %s {shlex.quote(_TEXT)} > {CONFIG} && chmod 644 {CONFIG} || exit 1",
            f"systemctl enable {PACKAGE} && systemctl restart {PACKAGE}",
        ]
    )


def _configure(at: Observed, wanted: WantedRegistry, found: Registry) -> None:
    before = "" if found.config == _TEXT else found.config
    record.remember(at.host, at.lab, REGISTRY.name, {PACKAGE: before}, shared=True)
    written.forget(at.host, at.lab, _FILES)  # an interrupted script must not look like somebody's change
    completed = at.host.run(["sh", "-c", _script(wanted, found.names_for(wanted))], timeout=_STARTS)
    if not completed.ok:
        raise units.not_running(at.host, PACKAGE, completed.output)
    written.note(at.host, at.lab, _FILES)


def _restore(at: Observed, put: str) -> None:
    do(at.host, f"systemctl disable {PACKAGE}; systemctl stop {PACKAGE}", f"stop {PACKAGE}", timeout=_STARTS)
    do(at.host, f"rm -rf {_OURS}; {put}", f"restore {CONFIG}")
    written.forget(at.host, at.lab, _FILES)
    record.forget(at.host, at.lab, REGISTRY.name, [PACKAGE])


def _trust(at: Observed, server: Host, name: str) -> None:
    authority = do(server, f"cat {_OURS}/ca.crt", "read the registry's authority").stdout
    record.remember(at.host, at.lab, REGISTRY_TRUST.name, {name: ""}, shared=True)
    do(at.host, f"mkdir -p {_CERTIFICATES}/{name}", "trust the registry")
    written.write(at.host, at.lab, _file(name), authority.encode(), 0o644)


def _distrust(at: Observed, name: str, command: str) -> None:
    do(at.host, command, f"trust {name} no longer")
    written.forget(at.host, at.lab, [_file(name)])
    record.forget(at.host, at.lab, REGISTRY_TRUST.name, [name])
