"""What the hosts lack for their roles: packages, services, kernel modules, NFS exports, the engine, the Swarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.errors import ClusterlabError, HostError, UsageError
from clusterlab.model.inventory import Export
from clusterlab.model.iscsi import Lun
from clusterlab.model.lab import Lab
from clusterlab.progress import Progress, Silent
from clusterlab.remote import Host, Hosts
from clusterlab.resources import (
    docker_engine,
    iscsi_initiator,
    iscsi_target,
    kernel_modules,
    managers,
    nfs,
    packages,
    questions,
    services,
    swarm,
    swarm_actions,
    swarm_member,
)
from clusterlab.resources import system as systems
from clusterlab.resources.base import Change, Key, Skipped

NFS_SERVICE = "nfs-server"
TARGET_SERVICE, INITIATOR_SERVICE = "tgt", "iscsid"
_DEFAULT_ROOT = "/var/lib/docker"


@dataclass(frozen=True)
class Wanted:
    """What one host's roles ask of it."""

    packages: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    exports: tuple[Export, ...] = ()
    luns: tuple[Lun, ...] = ()
    initiator: bool = False
    engine: bool = False
    swarm: swarm_member.SwarmRole | None = None


@dataclass(frozen=True)
class Seen:
    """What one host has; `info` is None when it shall have an engine and that does not answer."""

    host: Host
    answers: Mapping[str, str]
    info: Mapping[str, Any] | None
    swarm_state: str

    @property
    def system(self) -> systems.System:
        return systems.system(self.answers["system"])


def wanted(lab: Lab, name: str, unsupported: Capabilities = ALL_CAPABILITIES) -> Wanted:
    """What `name`'s roles ask of it, without what this host cannot have."""
    roles = lab.inventory.hosts[name].roles
    nfs_works = unsupported.has(name, "nfs")
    server = "nfs_server" in roles
    in_swarm = "swarm_manager" in roles or "swarm_worker" in roles
    uses_nfs = "docker" in roles and bool(lab.inventory.with_role("nfs_server"))
    docker = "docker" in roles
    target = "iscsi_target" in roles
    iscsi = bool(lab.inventory.iscsi.luns) and unsupported.has(name, "iscsi")
    serves, initiates = target and iscsi, docker and iscsi
    installed = _chosen(docker, "nfs-common", "curl", "iputils-ping")
    installed += _chosen(server, "nfs-kernel-server") + _chosen(target, "tgt")
    installed += _chosen(initiates, "open-iscsi", "xfsprogs", "e2fsprogs")
    running = _chosen(server and nfs_works, NFS_SERVICE) + _chosen(serves, TARGET_SERVICE)
    running += _chosen(initiates, INITIATOR_SERVICE)
    modules = _chosen(docker, "overlay") + _chosen(uses_nfs and nfs_works, "nfs")
    modules += _chosen(server and nfs_works, "nfsd") + _chosen(in_swarm, "vxlan")
    modules += _chosen(in_swarm and unsupported.has(name, "ipvs"), "ip_vs") + _chosen(initiates, "iscsi_tcp")
    return Wanted(
        packages=installed,
        services=running,
        modules=modules,
        exports=tuple(lab.inventory.nfs.exports) if server and nfs_works else (),
        luns=tuple(lab.inventory.iscsi.luns) if serves else (),
        initiator=initiates,
        engine=docker,
        swarm=("manager" if "swarm_manager" in roles else "worker") if in_swarm else None,
    )


def _chosen(condition: bool, *names: str) -> tuple[str, ...]:
    return names if condition else ()


def left_out(lab: Lab, unsupported: Capabilities = ALL_CAPABILITIES) -> list[Skipped]:
    """What the roles ask for and their hosts cannot have, with the reason."""
    told: list[Skipped] = []
    for name in lab.inventory.hosts:
        full, possible = wanted(lab, name), wanted(lab, name, unsupported)
        for module in full.modules:
            if module not in possible.modules:
                capability = {"ip_vs": "ipvs", "iscsi_tcp": "iscsi"}.get(module, "nfs")
                told.append(
                    Skipped(Key(name, "module", module), f"{capability}: {unsupported.reason(name, capability)}")
                )
        lost = [("service", service) for service in full.services if service not in possible.services]
        lost += [("export", str(export.path)) for export in full.exports if export not in possible.exports]
        lost += [("lun", lun.name) for lun in full.luns if lun not in possible.luns]
        for kind, what in lost:
            capability = "nfs" if what == NFS_SERVICE or kind == "export" else "iscsi"
            told.append(Skipped(Key(name, kind, what), f"{capability}: {unsupported.reason(name, capability)}"))
    return told


def provision(
    lab: Lab,
    hosts: Hosts,
    unsupported: Capabilities = ALL_CAPABILITIES,
    progress: Progress | None = None,
    remove_nodes: bool = False,
) -> list[Change]:
    """The changes that prepare the hosts for their roles; nothing is changed on a host.

    Each host is asked with one command, and each engine with one request; the Swarm's node list is one more. A host
    that does not answer is a blocked change, which keeps back only what needs it. `progress` is told when a change has
    to wait for something that somebody else does. See `left_out` for what `unsupported` leaves out.
    """
    wants = {name: wanted(lab, name, unsupported) for name in lab.inventory.hosts}
    if any(want.swarm for want in wants.values()) and not lab.inventory.with_role("swarm_manager"):
        raise UsageError(
            f"the lab {lab.name} has Swarm workers but no manager",
            remedy="Give one Docker host the role swarm_manager.",
        )
    asked = [name for name, want in wants.items() if want != Wanted()]
    said = hosts.each(asked, lambda host: _observe(host, wants[host.name], lab.name))
    seen = {name: one for name, one in said.items() if isinstance(one, Seen)}
    made = [_unreachable(name, error) for name, error in said.items() if isinstance(error, ClusterlabError)]
    for name, one in seen.items():
        made += _host_changes(one, wants[name], lab, progress or Silent())
    return made + _swarm_changes(lab, hosts, wants, seen, made, remove_nodes, progress or Silent())


def _observe(host: Host, want: Wanted, lab: str) -> Seen:
    asked = {"system": systems.QUESTION}
    asked |= {"packages": packages.question(want.packages)} if want.packages else {}
    units = want.services + ((docker_engine.UNIT,) if want.engine else ())
    asked |= {"services": services.question(units)} if units else {}
    asked |= {"modules": kernel_modules.question(want.modules, lab)} if want.modules else {}
    asked |= {"exports": nfs.question(want.exports)} if NFS_SERVICE in want.services else {}
    asked |= {"luns": iscsi_target.question(want.luns, lab)} if want.luns else {}
    asked |= {"initiator": iscsi_initiator.QUESTION} if want.initiator else {}
    asked |= {"swarm": swarm_member.QUESTION} if want.swarm else {}
    answers = questions.ask(host, asked)
    _require_root(host, systems.system(answers["system"]))
    info = _engine_info(host, answers) if want.engine else None
    state = answers.get("swarm", "")
    root = (info or {}).get("DockerRootDir") or _DEFAULT_ROOT
    if want.swarm and root != _DEFAULT_ROOT:
        file = swarm_member.STATE_FILE.replace(_DEFAULT_ROOT, root)
        state = host.run(["cat", file]).stdout
    return Seen(host, answers, info, state)


def _require_root(host: Host, system: systems.System) -> None:
    if system.uid != 0:
        raise HostError(
            host.name,
            f"commands run there as {system.user}, who may not install or configure anything",
            remedy=f"Say `ssh: {{become: true}}` for {host.name} in the inventory (it needs sudo without a password), "
            "or log in as root.",
        )


def _engine_info(host: Host, answers: Mapping[str, str]) -> Mapping[str, Any] | None:
    """What the engine says; None without asking when it is known not to run."""
    unit = services.units(answers["services"]).get(docker_engine.UNIT, services.Unit())
    if "docker" not in systems.system(answers["system"]).commands or (unit.exists and not unit.runs):
        return None
    try:
        return docker_engine.info(host)
    except ClusterlabError:  # starting it is a change, and says why it does not answer
        return None


def _unreachable(name: str, error: ClusterlabError) -> Change:
    return Change(
        key=_host_key(name),
        action="ask",
        reason="it could not be asked",
        command=f"clusterlab ssh {name}",
        carry_out=lambda: None,
        blocked=f"{error.message.rstrip('.')}. {error.remedy}".strip(),
    )


def _host_key(name: str) -> Key:
    return Key(name, "host", "ssh")


def _host_changes(seen: Seen, want: Wanted, lab: Lab, progress: Progress) -> list[Change]:
    """Packages, then services, then what they serve."""
    host, system, answers = seen.host, seen.system, seen.answers
    units = services.units(answers.get("services", ""))
    names = want.packages + (tuple(docker_engine.packages(system)) if want.engine and seen.info is None else ())
    install = packages.change(host, system, names, packages.installed(answers.get("packages", "")), progress)
    needs = frozenset({install.key} if install else ())
    made = [install] if install else []
    modules = (
        kernel_modules.change(host, want.modules, lab.name, system.kernel, answers["modules"]) if want.modules else None
    )
    if modules:
        made.append(modules)
    if want.initiator:
        copied = lab.inventory.kind.copies_disks
        named = iscsi_initiator.change(host, lab.name, copied=copied, answer=answers["initiator"], needs=needs)
        made += [named] if named else []
        needs |= {named.key} if named else set()
    for name in want.services:
        started = services.change(host, name, units.get(name, services.Unit()), needs)
        made += [started] if started else []
        needs_service = needs | ({started.key} if started else set())
        if name == NFS_SERVICE:
            found = nfs.found(answers["exports"], lab.name)
            made += nfs.changes(host, want.exports, lab.name, found, needs_service)
        elif name == TARGET_SERVICE:
            addresses = {one: str(host.address) for one, host in lab.inventory.hosts.items()}
            served = iscsi_target.found(answers["luns"])
            made += iscsi_target.changes(host, want.luns, lab.name, addresses, served, needs_service)
    if want.engine:
        unit = units.get(docker_engine.UNIT, services.Unit())
        engine = docker_engine.change(host, unit, seen.info is not None, needs)
        made += [engine] if engine else []
    return made


def _swarm_changes(
    lab: Lab,
    hosts: Hosts,
    wants: Mapping[str, Wanted],
    seen: Mapping[str, Seen],
    before: Sequence[Change],
    remove_nodes: bool,
    progress: Progress,
) -> list[Change]:
    members = tuple(_member(hosts[name], lab, want.swarm, seen.get(name)) for name, want in wants.items() if want.swarm)
    if not members:
        return []
    observed = _observed_swarm(lab, members, {name: one.info or {} for name, one in seen.items()})
    for host, note in swarm.notes(observed):
        progress.say(host, note)
    engines = {change.key for change in before if change.key.kind in ("engine", "host")}
    needs = {one.host.name: frozenset(key for key in engines if key.host == one.host.name) for one in members}
    return swarm.changes(observed, needs, remove_nodes)


def _observed_swarm(
    lab: Lab, members: tuple[swarm_member.Member, ...], infos: Mapping[str, Mapping[str, Any]]
) -> swarm.Swarm:
    """The lab's Swarm, asked of its leader, or of another manager that answers."""
    named = {one.host.name: one for one in members}
    candidates = {one.host.name: infos[one.host.name] for one in swarm_member.at_work(members, lab.name)}
    found = swarm.Swarm(lab.name, swarm.reference(members, lab.name), members, adopt=lab.inventory.swarm.adopt)
    if not candidates:
        return found
    try:
        name, nodes = managers.first_answer(list(candidates), lambda one: swarm_actions.list_nodes(named[one].host))
    except ClusterlabError as error:
        return replace(found, trouble=f"{error.message.rstrip('.')}. {error.remedy}")
    return replace(found, asked=named[managers.preferred(candidates, nodes) or name], nodes=nodes)


def _member(host: Host, lab: Lab, role: swarm_member.SwarmRole, seen: Seen | None) -> swarm_member.Member:
    wanted = lab.inventory.hosts[host.name]
    lan = str(wanted.address)
    if seen is None:
        return swarm_member.Member(host, lan, role, "unknown", availability=wanted.availability)
    return swarm_member.member(host, lan, role, seen.info, seen.swarm_state, wanted.availability)
