"""A container that a check starts beside one of the play, and gives new names."""

from __future__ import annotations

import shlex
import uuid
from dataclasses import replace
from functools import cached_property

from clusterlab.errors import HostError
from clusterlab.model.playbook import Attachment, Container
from clusterlab.remote import Host
from clusterlab.resources.container_actions import connect_container, create_container, ensure_own_addresses
from clusterlab.resources.container_body import WantedContainer

from .place import NoAnswer, Place
from .places import Places
from .spec import image_on, wanted

PREFIX = "clusterlab-new"


class Newcomer:
    """The new container beside a place, on its network, under a name that nobody looks up."""

    def __init__(self, place: Place, places: Places, network: str) -> None:
        self.name = f"{PREFIX}-{uuid.uuid4().hex[:12]}"
        self.notes: list[str] = []
        """What had to be repeated until it was on the network."""
        self._network = network
        self._place = place
        self._places = places
        self._host = places.hosts[place.host]

    @cached_property
    def _others(self) -> list[Host]:
        """The hosts whose addresses must not be its own, a manager of the Swarm first."""
        places = self._places
        names = [places.manager, *(one for one in places.lab.inventory.docker_hosts if one != self._place.host)]
        return [places.hosts[name] for name in dict.fromkeys(names)]

    @cached_property
    def _wanted(self) -> WantedContainer:
        image = self._places.play.containers[self._place.container].image
        spec = {
            "host": self._place.host,
            "image": image,
            "command": ["sleep", "infinity"],
            "networks": {self._network: None},
        }
        tag = image_on(self._places, self._place, image)
        return wanted(self._places, self.name, Container.model_validate(spec), tag)

    def start(self) -> None:
        self._note(create_container(self._host, self._wanted, self._others))

    def rename(self, name: str) -> str:
        """Reconnect it under another name, which its engine announces; its address from then on."""
        network = self._network
        renamed = replace(self._wanted, networks={network: Attachment(aliases=[name])})
        joining = shlex.join(renamed.connect_command(network))
        try:
            with self._places.engine(self._place.host) as engine:
                engine.disconnect_container_from_network(self.name, network)
            self._note(connect_container(self._host, renamed, network, self.name))
            self._note(ensure_own_addresses(self._host, renamed, self._others, self.name))
            with self._places.engine(self._place.host) as engine:
                networks = engine.inspect_container(self.name)["NetworkSettings"]["Networks"]
        except HostError as error:
            raise NoAnswer(
                f"container {self.name} could not join network {network} again: {error.message}",
                command=joining,
            ) from error
        address = str(networks.get(network, {}).get("IPAddress") or "")
        if not address:
            raise NoAnswer(f"container {self.name} has no address on network {network}", command=joining)
        return address

    def _note(self, note: str) -> None:
        if note:
            self.notes.append(note)
