"""All hosts of a lab, and asking many of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Self, TypeVar

from clusterlab.errors import ClusterlabError
from clusterlab.parallel import LIMIT, parallel

from .connection import Connections
from .host import Host
from .target import Target

T = TypeVar("T")


class Hosts:
    """The hosts by name; each connects when first used.

    Leaving the `with` block closes every connection.
    """

    def __init__(self, targets: Mapping[str, Target], limit: int = LIMIT) -> None:
        """`limit` is how many hosts `each` asks at the same time."""
        self._connections = Connections()
        self._hosts = {name: Host(target, self._connections) for name, target in targets.items()}
        self._limit = limit

    def __getitem__(self, name: str) -> Host:
        return self._hosts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._hosts)

    def __contains__(self, name: object) -> bool:
        return name in self._hosts

    def __len__(self) -> int:
        return len(self._hosts)

    def each(self, names: Iterable[str], function: Callable[[Host], T]) -> dict[str, T | ClusterlabError]:
        """What `function` returns for each host, or the ClusterlabError it raised there.

        In the order of `names`.
        """
        hosts = [self._hosts[name] for name in dict.fromkeys(names)]
        # After an interrupt, what is running on a host ends when the connections are closed.
        outcomes = parallel(function, hosts, limit=self._limit, name="host")
        return {host.name: outcome for host, outcome in zip(hosts, outcomes, strict=True)}

    def close(self) -> None:
        """Close every connection.

        What is still connecting is given up, and what runs ends with an error.
        """
        self._connections.stop()
        for host in self._hosts.values():
            host.close()
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
