"""A lab of their own for some tests, where others of the same run have other labs or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from clusterlab.errors import UsageError
from clusterlab.machines import open_machines
from clusterlab.machines.state import LabState
from clusterlab.model import Lab
from clusterlab.progress import Silent

from .bench import Bench


@contextmanager
def temporary_lab(lab: Lab) -> Iterator[Bench]:
    """Inside the block the machines are up, provisioned, and have what the plays want; they are gone after it.

    A fixture `clusterlab` that yields this gives a module's tests all fixtures of the plug-in, on that lab.

    Raises UsageError for existing machines, which would stay, and for a lab that exists, which would be removed; and
    ClusterlabError.
    """
    if lab.inventory.kind.foreign:
        raise UsageError(
            f"the machines of lab {lab.name} existed before, and would remain",
            remedy="Use machines that clusterlab creates, or run pytest with --clusterlab INVENTORY.",
        )
    if LabState(lab.name).read() is not None:
        raise UsageError(
            f"lab {lab.name} exists already, and would be removed after the tests",
            remedy="Give the lab of the tests a name of its own (`lab:`), or remove it first with `clusterlab down`.",
        )
    bench = Bench(lab, converge=True)
    for play in lab.plays:
        bench.need(play)
    with ExitStack() as closing:
        closing.callback(open_machines(lab).down, Silent())
        closing.callback(bench.close)
        bench.open()
        yield bench
