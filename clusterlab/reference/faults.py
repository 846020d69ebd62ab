"""The page of all faults with their parameters.

And of the machines that can have each.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from clusterlab.faults.kinds import FAULTS
from clusterlab.machines.kinds import MACHINE_KINDS

from .models import table


def page() -> str:
    """Markdown: the table of faults and machines, and a section for each fault."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    machines = list(MACHINE_KINDS.values())
    yield "# Faults\n"
    yield "`do: {KIND: {...}}` in the steps of a check, or `clusterlab fault 'KIND: {...}'`."
    yield "See [faults](../faults.md).\n"
    yield f"| fault | {' | '.join(one.name for one in machines)} | named |"
    yield f"|---|{'---|' * len(machines)}---|"
    for name, kind in FAULTS.items():
        able = (f"no: {reason}" if (reason := kind.reason(one)) else "yes" for one in machines)
        yield f"| [{name}](#{name}) | {' | '.join(able)} | {'yes' if kind.named else ''} |"
    yield "\nOn machines that clusterlab did not create, `allow_faults` must list a fault that is *named*."
    for name, kind in FAULTS.items():
        yield f"\n## {name}\n"
        yield inspect.getdoc(type(kind)) or ""
        yield ""
        yield from table(kind.model)
