from __future__ import annotations

from invoke.exceptions import Exit

from clusterlab.cli.verb import INVENTORY, JSON, Call, out, verb
from clusterlab.pipeline.lock import Exclusive

DRY_RUN = "show what would be taken back, and change nothing"
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
    from clusterlab.reports.plan import show_kept, show_plan

    with session(call, inventory) as lab:
        pipeline = Pipeline(lab)
        withdrawal = pipeline.withdrawal(packages=packages, swarm=swarm)
        if dry_run:
            show_plan(out(), withdrawal.changes)
            show_kept(out(), withdrawal.kept)
            raise Exit(code=0)
        try:
            with converging(pipeline, "deprovision", json):
                pipeline.deprovision(withdrawal)
        finally:
            show_kept(out(), withdrawal.kept)
