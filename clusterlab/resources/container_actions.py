"""Creating, connecting and starting a container.

Each is done when the container runs with an address of its own. A container is its id: its name may be that of
somebody else's by the time that a change is carried out.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import docker

from clusterlab.errors import HostError
from clusterlab.remote import Host

from .addresses import clashes, endpoints, not_allocated, service_endpoints
from .container_body import WantedContainer, endpoint
from .engine_calls import engine
from .observed import Json, Observed, attached
from .ownership import with_owner
from .removal import remove_container
from .retrying import is_late, notes, retry_late
from .scope import Scope

_SETTLE = 0.5  # seconds after its start in which a container that cannot work usually ends
_MOUNTS = "a mount of an NFS server that does not answer is the usual cause"
_moment = threading.Event()  # never set: waits


def neighbours(scope: Scope, at: Observed) -> list[Host]:
    """The hosts that may have an address on a network of this host's containers.

    The manager that is asked first.
    """
    manager = [scope.swarm.at.host] if scope.swarm else []
    return [*manager, *(host for host in scope.hosts if host not in (at.host, *manager))]


def create_container(host: Host, wanted: WantedContainer, others: Sequence[Host] = ()) -> str:
    """Create a container, connect it to its networks and start it.

    Returns what had to be repeated, if anything. Raises HostError when it ends at once.

    An engine under load may miss the Swarm's answer to its own request to join an overlay network. The same container
    started again would keep what remains of that attempt, so it is created again. `others` are the hosts whose
    addresses must not be its own.
    """

    def attempt() -> str:
        with engine(host, f"create container {wanted.name}") as api:
            config = {**wanted.config, "Labels": with_owner(wanted.labels)}
            id_ = str(api.create_container_from_config(config, wanted.name)["Id"])
        with engine(host, f"start container {wanted.name}", hangs=_MOUNTS) as api:
            try:
                for name in list(wanted.networks)[1:]:
                    join_network(api, wanted, name, id_)
                api.start(id_)
            except docker.errors.APIError as error:
                if is_late(str(error.explanation)):
                    remove_container(host, wanted.name, id_)
                raise
        return id_

    _refuse_taken_addresses(host, wanted, others)
    id_, note = retry_late(attempt)
    _see_it_run(host, wanted.name, id_)
    return notes(note, ensure_own_addresses(host, wanted, others, id_))


def start_container(host: Host, wanted: WantedContainer, others: Sequence[Host], id_: str) -> str:
    """Start the container with that id.

    Returns what had to be repeated, if anything. Raises HostError when it ends at once.
    """

    def attempt() -> None:
        with engine(host, f"start container {wanted.name}", hangs=_MOUNTS) as api:
            api.start(id_)

    _refuse_taken_addresses(host, wanted, others)
    _, note = retry_late(attempt)
    _see_it_run(host, wanted.name, id_)
    return notes(note, ensure_own_addresses(host, wanted, others, id_))


def connect_container(host: Host, wanted: WantedContainer, network: str, id_: str) -> str:
    """Connect the container with that id to a network, with the wanted aliases and address.

    Returns what had to be repeated, if anything.
    """

    def attempt() -> None:
        with engine(host, f"connect container {wanted.name} to network {network}") as api:
            join_network(api, wanted, network, id_)

    return retry_late(attempt)[1]


def ensure_own_addresses(host: Host, wanted: WantedContainer, others: Sequence[Host], id_: str) -> str:
    """Make sure that a running container has the addresses that the Swarm allocated.

    On the Swarm's networks.

    One that its engine chose is given up: the container leaves the network and joins it again. Returns what had to be
    repeated, if anything. Raises HostError when somebody else has the address that it got, naming both.
    """
    if not wanted.networks:
        return ""
    with engine(host, f"find the addresses of container {wanted.name}") as api:
        swarm = [one["Id"] for one in api.networks() if one.get("Scope") == "swarm"]
        chosen = not_allocated(api.inspect_container(id_), swarm)
        for name in chosen:
            api.disconnect_container_from_network(id_, name, force=True)
        if not chosen:
            return ""
        repeated = [connect_container(host, wanted, name, id_) for name in chosen]
        found = api.inspect_container(id_)
    mine = [one for one in endpoints(host.name, [found]) if one.network in swarm]
    for one, other in clashes(mine, _endpoints_elsewhere(host, others)):
        raise HostError(
            host.name,
            f"{one.owner} got the address {one.address}, which {other.owner} has, too",
            remedy="Remove one of the two containers, then run the same command again.",
        )
    again = f"joined {', '.join(chosen)} again, where its engine had chosen an address by itself"
    return notes(again, *repeated)


def _refuse_taken_addresses(host: Host, wanted: WantedContainer, others: Sequence[Host]) -> None:
    """Raise HostError when another container has a fixed address that is wanted.

    It names both.

    Where the network is the Swarm's, an engine waits in vain for the Swarm's refusal, without a word about
    the address.
    """
    fixed = {name: one.ipv4_address for name, one in wanted.networks.items() if one.ipv4_address}
    if not fixed:
        return
    ids: set[str] = set()
    for one in (host, *others[:1]):
        with engine(one, "list the networks") as api:
            ids |= {found["Id"] for found in api.networks() if one is host or found.get("Scope") == "swarm"}
    for one in (host, *others):
        with engine(one, "list the addresses of containers") as api:
            listed = api.containers()
        for container in listed:
            name = container["Names"][0].lstrip("/")
            for network, found in attached(container).items():
                has = found.get("NetworkID") in ids and fixed.get(network) == found.get("IPAddress")
                if has and (one, name) != (host, wanted.name):
                    raise HostError(
                        host.name,
                        f"container {wanted.name} wants the address {fixed[network]} on network {network}, which "
                        f"container {name} on {one.name} has",
                        remedy="Give one of the two another `ipv4_address`, or remove one of them.",
                    )


def _endpoints_elsewhere(host: Host, others: Sequence[Host]) -> list[Any]:
    """What has an address on the other hosts, on this one, and in the Swarm.

    The Swarm as the first manager knows it.
    """
    found = []
    for one in (host, *others):
        with engine(one, "list the addresses of containers") as api:
            found += list(endpoints(one.name, api.containers()))
    for one in others[:1]:
        with engine(one, "list the addresses of services") as api:
            found += list(service_endpoints(api.services()))
    return found


def unpause(host: Host, name: str, id_: str) -> None:
    with engine(host, f"unpause container {name}") as api:
        api.unpause(id_)


def set_policy(host: Host, wanted: WantedContainer, id_: str) -> None:
    with engine(host, f"update container {wanted.name}") as api:
        api.update_container(id_, restart_policy=wanted.host_config["RestartPolicy"])


def join_network(api: Any, wanted: WantedContainer, network: str, id_: str) -> None:
    """Connect the container with that id to a network, with the wanted aliases and address; once.

    Raises APIError.
    """
    attachment = wanted.networks.get(network)
    api.connect_container_to_network(
        id_,
        network,
        ipv4_address=attachment.ipv4_address if attachment else None,
        aliases=endpoint(attachment)["Aliases"] if attachment else None,
    )


def _see_it_run(host: Host, name: str, id_: str) -> None:
    """Raise HostError when a started container has ended at once, with its output."""
    with engine(host, f"start container {name}", hangs=_MOUNTS) as api:
        _moment.wait(_SETTLE)
        state: Json = api.inspect_container(id_)["State"]
        if state["Status"] in ("running", "created") and not state["Restarting"]:
            return
        printed = api.logs(id_, tail=30).decode(errors="replace")
    if state["ExitCode"] == 0 and not state["Restarting"]:
        return  # a command that has done its work
    raise HostError(
        host.name,
        f"container {name} ended at once with exit code {state['ExitCode']}",
        remedy=f"`docker logs {name}` shows why; correct `command`, `environment` or `volumes` in the play.",
        detail=printed,
    )
