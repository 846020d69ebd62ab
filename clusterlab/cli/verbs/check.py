"""The verbs that prove statements: check, and run as the whole way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterlab.cli.stack_words import COMPOSE_FILE, STACK, WITHOUT
from clusterlab.cli.verb import DRY_RUN, FRESH, INVENTORY, JSON, PLAY, PLAYBOOKS, Call, out, verb
from clusterlab.cli.verbs.converge import DATA_LOSS, STACK_OPTIONS
from clusterlab.pipeline.lock import Exclusive

if TYPE_CHECKING:
    from clusterlab.cli.output import RunOutput
    from clusterlab.cli.output_files import OutputFiles
    from clusterlab.pipeline.pipeline import Pipeline

JUNIT = "write the results to this file as JUnit XML"
HTML = "write the results to this file as an HTML page"
STRICT = "fail when a statement is unsupported; always so on existing machines"


@verb(
    Exclusive("check"),  # checks stop, drain and restart things
    {
        "play": f"{PLAY}; or a stack file",
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "compose_file": COMPOSE_FILE,
        "stack": STACK,
        "json": JSON,
        "junit": JUNIT,
        "html": HTML,
        "strict": STRICT,
        "without": WITHOUT,
        "dry_run": "list the statements, and what proving them changes meanwhile; contact no host",
    },
    lists=("play", "compose_file", "without"),
)
def check(
    call: Call,
    play: list[str],
    compose_file: list[str],
    without: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    stack: str = "",
    json: str = "",
    junit: str = "",
    html: str = "",
    strict: bool = False,
    dry_run: bool = False,
) -> None:
    """Prove the plays' statements on the lab as it is."""
    from clusterlab.cli.dry_run import show_check
    from clusterlab.cli.output_files import OutputFiles
    from clusterlab.cli.session import session
    from clusterlab.pipeline.pipeline import Pipeline

    dry = call.dry(dry_run)
    with session(dry, inventory, play, playbooks, compose_files=compose_file, stack=stack, without=without) as lab:
        pipeline = Pipeline(lab)
        if dry_run:
            pipeline.require_checks()
            show_check(out(), lab.lab)
            return
        output = _output(pipeline, "check", strict, OutputFiles(json, junit, html))
        try:
            output.stages.carry_out("check", pipeline.check, essential=True)
            if pipeline.failed:
                output.stages.carry_out("doctor", pipeline.diagnose)
        except KeyboardInterrupt:
            output.interrupted("clusterlab check")
            raise
    output.finish()


@verb(
    Exclusive("run"),
    {
        "play": f"{PLAY}; or a stack file",
        "inventory": INVENTORY,
        "playbooks": PLAYBOOKS,
        "json": JSON,
        "junit": JUNIT,
        "html": HTML,
        "strict": STRICT,
        "allow_data_loss": DATA_LOSS,
        **STACK_OPTIONS,
        "fresh": FRESH,
        "dry_run": DRY_RUN,
        "without": WITHOUT,
    },
    lists=("play", "compose_file", "without"),
    interrupted="`clusterlab run` continues from here; `clusterlab down` removes the machines.",
)
def run(
    call: Call,
    play: list[str],
    compose_file: list[str],
    without: list[str],
    inventory: str = "",
    playbooks: str = "playbooks",
    stack: str = "",
    json: str = "",
    junit: str = "",
    html: str = "",
    strict: bool = False,
    allow_data_loss: bool = False,
    prune: bool = False,
    resolve_image: str = "",
    with_registry_auth: bool = False,
    adopt: bool = False,
    fresh: bool = False,
    dry_run: bool = False,
) -> None:
    """Do the main job: up, provision, apply and check."""
    from clusterlab.cli.dry_run import show_run
    from clusterlab.cli.output import show_stage
    from clusterlab.cli.output_files import OutputFiles
    from clusterlab.cli.session import session
    from clusterlab.pipeline.pipeline import Pipeline
    from clusterlab.resources.deploying import Deploying, resolving

    deploying = Deploying(prune, resolving(resolve_image), with_registry_auth, adopt)
    dry = call.dry(dry_run)
    with session(dry, inventory, play, playbooks, compose_files=compose_file, stack=stack, without=without) as lab:
        pipeline = Pipeline(
            lab,
            allow_data_loss=allow_data_loss,
            deploying=deploying,
            saved_lab=True,
            fresh=fresh,
            on_report=show_stage,
        )
        if dry_run:
            show_run(out(), pipeline, json)
            return
        output = _output(pipeline, "run", strict, OutputFiles(json, junit, html))
        try:
            # Without machines or their roles nothing can be proven. After an incomplete apply, checks say what fails.
            output.stages.carry_out("up", pipeline.up, essential=True)
            output.stages.carry_out("provision", pipeline.provision, essential=True)
            output.stages.carry_out("apply", pipeline.apply)
            output.stages.carry_out("check", pipeline.check, essential=True)
            if pipeline.failed:
                output.stages.carry_out("doctor", pipeline.diagnose)
        except KeyboardInterrupt:
            output.interrupted("clusterlab run")
            raise
    output.finish()


def _output(pipeline: Pipeline, verb: str, strict: bool, files: OutputFiles) -> RunOutput:
    """Begin a run.

    Runs on somebody else's machines are strict: what cannot be proven there is a failure.
    """
    from clusterlab.cli.output import RunOutput
    from clusterlab.reports.summary import Run

    session = pipeline.session
    if verb == "check" or not session.lab.stacks:  # `run` deploys stacks, and waits until their tasks run
        pipeline.require_checks()
    run = Run(session.lab.name, verb, strict=strict or session.machines.kind.foreign)
    return RunOutput(pipeline, run, files)
