"""A lab of their own for some tests, where others of the same run have other labs or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clusterlab.errors import UsageError
from clusterlab.model import Lab

from .bench import Bench


@contextmanager
def temporary_lab(lab: Lab) -> Iterator[Bench]:
    """Inside the block the machines are up, provisioned, and have what the plays want; they are gone after it.

    A fixture `clusterlab` that yields this gives a module's tests all fixtures of the plug-in, on that lab.

    Raises UsageError for existing machines, which would stay, and for a lab that is up already; and ClusterlabError.
    """
    if lab.inventory.kind.foreign:
        raise UsageError(
            f"the machines of lab {lab.name} existed before, and would remain",
            remedy="Use machines that clusterlab creates, or run pytest with --clusterlab INVENTORY.",
        )
    bench = Bench(lab, converge=True, temporary=True)
    for play in lab.plays:
        bench.need(play)
    try:
        bench.open()
        yield bench
    finally:
        bench.close()
