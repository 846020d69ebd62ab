"""Which manager to ask about a Swarm.

The leader if its host answers, else any manager at work.

A manager other than the leader answers reads from its own copy, which may lag behind, and forwards writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from clusterlab.errors import ClusterlabError, DeadlineExceeded, HostError

Info = Mapping[str, Any]
"""What `GET /info` of an engine returns."""
Node = Mapping[str, Any]
"""One node of the managers' list, as the API returns it."""
T = TypeVar("T")


def at_work(infos: Mapping[str, Info]) -> list[str]:
    """Hosts whose engines are active managers, in the given order."""
    return [name for name, info in infos.items() if (info.get("Swarm") or {}).get("ControlAvailable")]


def preferred(infos: Mapping[str, Info], nodes: Sequence[Node]) -> str:
    """The leader of `nodes` if its host is among `infos`, else a working manager.

    The first that `nodes` has, or "".
    """
    ids = {name: (infos[name].get("Swarm") or {}).get("NodeID") for name in at_work(infos)}
    leaders = {node["ID"] for node in nodes if (node.get("ManagerStatus") or {}).get("Leader")}
    known = {node["ID"] for node in nodes}
    return next((name for wanted in (leaders, known) for name, node in ids.items() if node in wanted), "")


class Answered(HostError):
    """A manager answered, and what it says is not what was expected.

    No other manager is asked.
    """


def first_answer(names: Sequence[str], ask: Callable[[str], T]) -> tuple[str, T]:
    """The first of `names` that can answer, and its answer.

    Raises the first one's error if none can.

    Only that a host could not be asked, or did not answer in time, lets the next one be asked.
    """
    failed: list[ClusterlabError] = []
    for name in names:
        try:
            return name, ask(name)
        except Answered:
            raise
        except (HostError, DeadlineExceeded) as error:
            failed.append(error)
    raise failed[0]
