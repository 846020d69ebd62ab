from __future__ import annotations

from pathlib import Path

from invoke.exceptions import Exit

from clusterlab.cli.verb import DRY_RUN, INVENTORY, JSON, Call, out, verb
from clusterlab.pipeline.lock import Exclusive

PACKAGES = "also remove the packages that provision installed"
SWARM = "also take nodes that provision added out of the Swarm; the last manager ends it"


@verb(
    Exclusive("deprovision"),
    {"inventory": INVENTORY, "json": JSON, "packages": PACKAGES, "swarm": SWARM, "dry_run": DRY_RUN},
)
def deprovision(
    call: Call,
    inventory: str = "",
    json: str = "",
    packages: bool = False,
    swarm: bool = False,
    dry_run: bool = False,
) -> None:
    """Take back what provision added to hosts that stay, and list what remains.

    Hosts get the files, units, exports, disks and kernel parameters back that they had before. Data stays.
    """
    from clusterlab.cli.output import converging
    from clusterlab.cli.session import session
    from clusterlab.pipeline.pipeline import Pipeline
    from clusterlab.reports.plan import kept_document, plan_document, show_kept, show_plan
    from clusterlab.reports.summary import write_json

    with session(call.dry(dry_run), inventory) as lab:
        pipeline = Pipeline(lab)
        withdrawal = pipeline.withdrawal(packages=packages, swarm=swarm)
        kept = kept_document(withdrawal.kept)
        if dry_run:
            if json:
                write_json(Path(json), {**plan_document(lab.lab.name, withdrawal.changes), **kept})
            if json != "-":
                show_plan(out(), withdrawal.changes)
                show_kept(out(), withdrawal.kept)
            raise Exit(code=0)
        try:
            with converging(pipeline, "deprovision", json, kept):
                pipeline.deprovision(withdrawal)
        finally:
            if json != "-":
                show_kept(out(), withdrawal.kept)
