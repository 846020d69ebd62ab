"""The verbs that inject a fault, heal, and list the kinds of faults."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clusterlab.cli.verb import DRY_RUN, INVENTORY, JSON, Call, out, verb
from clusterlab.pipeline.lock import Exclusive, Unlocked

if TYPE_CHECKING:
    from clusterlab.model.faults import FaultSpec


@verb(
    Exclusive("fault"),
    {
        "fault": "the fault, written as in a play: 'partition: {between: [host1, host2], lasts: 1m}'",
        "inventory": INVENTORY,
        "dry_run": DRY_RUN,
    },
    interrupted="`clusterlab heal` heals what remains of the fault.",
)
def fault(call: Call, fault: str = "", inventory: str = "", dry_run: bool = False) -> None:
    """Inject one fault, and prove that it takes effect.

    `clusterlab heal` heals it; the hosts heal it themselves once its time is up.
    """
    from clusterlab.cli.dry_run import show_fault
    from clusterlab.cli.session import session
    from clusterlab.faults import safety
    from clusterlab.faults.injection import inject, prepared
    from clusterlab.faults.kinds import FAULTS
    from clusterlab.faults.scene import Scene

    spec = _parsed(fault)
    with session(call.dry(dry_run), inventory) as lab:
        safety.require_possible(FAULTS[spec.name], spec.params, lab.lab.inventory)
        scene = Scene(lab.lab, lab.hosts, lab.progress)
        if dry_run:
            show_fault(out(), prepared(spec, scene))
            return
        injection = inject(spec, scene)
        injection.leave()
    out().print(f"{injection}: {injection.seen}", highlight=False, markup=False, soft_wrap=True)
    out().print(f"Heal it with `clusterlab heal`. After {injection.limit:g} s it heals itself.", highlight=False)


@verb(
    Exclusive("heal"),
    {
        "inventory": INVENTORY,
        "hosts": "ignore what this workstation has recorded, and heal what the hosts remember",
        "dry_run": DRY_RUN,
    },
)
def heal(call: Call, inventory: str = "", hosts: bool = False, dry_run: bool = False) -> None:
    """Heal every fault of the lab, and report what remains.

    It does not matter who injected it, or how that command ended.
    """
    from invoke.exceptions import Exit

    from clusterlab.cli.session import session
    from clusterlab.faults.heal import heal as heal_lab
    from clusterlab.faults.heal import in_any_case, pending
    from clusterlab.faults.scene import Scene

    if dry_run:
        with session(call.dry(dry_run), inventory, heals=True) as lab:
            scene = Scene(lab.lab, lab.hosts, lab.progress)
            found, operations = pending(scene, record=not hosts), in_any_case(scene, record=not hosts)
        for text in found:
            out().print(f"would be healed: {text}", highlight=False, markup=False, soft_wrap=True)
        if not found:
            out().print("No fault was found.", highlight=False)
        if operations:
            names = ", ".join(lab.lab.inventory.hosts)
            text = f"would be done in any case, where it is not so already: {', '.join(operations)} ({names})"
            out().print(text, highlight=False, markup=False, soft_wrap=True)
        return
    with session(call, inventory, heals=True) as lab, lab.progress.task(lab.lab.name, "healing its faults"):
        healed = heal_lab(Scene(lab.lab, lab.hosts, lab.progress), record=not hosts)
    for one in healed.faults:
        out().print(f"healed: {one}", highlight=False, markup=False)
    for one in healed.remains:
        out().print(f"remains: {one}", style="bold red", highlight=False, markup=False)
    if not healed.faults:
        out().print("No fault was found.", highlight=False)
    if healed.remains:
        raise Exit(code=3)


@verb(Unlocked("reads only"), {"json": JSON})
def faults(call: Call, json: str = "") -> None:
    """List the kinds of faults, and which machines can have each, or why not."""
    from clusterlab.faults.kinds import FAULTS
    from clusterlab.machines.kinds import MACHINE_KINDS
    from clusterlab.reports.summary import write_json
    from clusterlab.reports.tables import show_rows

    machines = list(MACHINE_KINDS.values())
    rows = [
        {
            "fault": name,
            **{one.name: "no" if kind.reason(one) else "yes" for one in machines},
            "what it does": kind.summary,
        }
        for name, kind in FAULTS.items()
    ]
    reasons = {
        f"{name} on {one.name}": kind.reason(one)
        for name, kind in FAULTS.items()
        for one in machines
        if kind.reason(one)
    }
    if json:
        write_json(Path(json), {"faults": rows, "reasons": reasons})
    if json == "-":
        return
    show_rows(out(), list(rows[0]), rows)
    for what, reason in reasons.items():
        out().print(f"{what}: {reason}", highlight=False, markup=False)


def _parsed(text: str) -> FaultSpec:
    """The fault that a person wrote; raises UsageError for one that is not valid."""
    import yaml
    from pydantic import ValidationError

    from clusterlab.errors import UsageError
    from clusterlab.faults.kinds import FAULTS
    from clusterlab.model.faults import parse_fault
    from clusterlab.model.problems import suggest

    remedy = f"Write it as in a play: 'isolate: {{host: host2}}'. The kinds are {', '.join(FAULTS)}."
    try:
        value = yaml.safe_load(text)
        if not isinstance(value, dict):
            raise UsageError("a fault is required", remedy=remedy)
        for name in value:
            if name not in FAULTS:
                raise UsageError(f"there is no kind of fault {name!r}", remedy=suggest(str(name), FAULTS, "Kinds"))
        return parse_fault(value)
    except yaml.YAMLError as error:
        raise UsageError(f"the fault is not valid YAML: {error}", remedy=remedy) from error
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}".lstrip(": ") for one in error.errors())
        raise UsageError(f"the fault is not valid: {found}", remedy=remedy) from error
