"""What a plan says of a stack besides its changes.

On a terminal, and as JSON-compatible data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from clusterlab.plan.stack_plan import StackPlan
from clusterlab.redaction import clean
from clusterlab.reports.validation import show_advice
from clusterlab.resources.candidates import Candidates


def show_stack_plans(console: Console, plans: Sequence[StackPlan]) -> None:
    """Each stack: where its tasks can run, what restarts, and what data is at risk.

    And why tasks cannot run elsewhere.
    """
    for plan in plans:
        by = "" if plan.deployed_by == "nobody" else f", deployed by {plan.deployed_by}"
        console.print(Text(f"stack {plan.name}{by}", style="bold"), soft_wrap=True)
        for one in plan.candidates:
            _candidates(console, one)
        _listed(console, "restarts", [str(one) for one in plan.restarts], "yellow")
        _listed(console, "data at risk", plan.at_risk, "bold red")
        _listed(console, "not in the files (--prune removes it)", plan.not_in_files, "yellow")
        _listed(console, "stays as it is", plan.drift, "yellow")
        show_advice(console, plan.advice)


def _candidates(console: Console, one: Candidates) -> None:
    count = "a task on each node" if one.tasks is None else f"{one.tasks} task{'' if one.tasks == 1 else 's'}"
    where = f"can run on {', '.join(one.can)}" if one.can else "NO NODE CAN TAKE IT"
    _line(console, f"  {one.service}: {count}, {where}", "" if one.can else "bold red")
    for node, reasons in one.cannot.items():
        _line(console, f"      not on {node}: {'; '.join(reasons)}", "dim")
    if one.to_pull:
        _line(console, f"      {one.image} is not on {', '.join(one.to_pull)} and must be pulled there", "dim")


def _listed(console: Console, title: str, lines: Sequence[str], style: str) -> None:
    for line in lines:
        console.print(Text.assemble((f"  {title}: ", style), clean(line)), soft_wrap=True)


def _line(console: Console, text: str, style: str) -> None:
    console.print(Text(clean(text), style=style), soft_wrap=True)


def stack_plan_documents(plans: Sequence[StackPlan]) -> list[Mapping[str, object]]:
    """What plans say of stacks, as JSON-compatible data."""
    return [
        {
            "stack": plan.name,
            "deployed_by": plan.deployed_by,
            "services": [
                {
                    "service": one.service,
                    "tasks": one.tasks,
                    "nodes": list(one.can),
                    "others": {node: list(why) for node, why in one.cannot.items()},
                    "pulls": list(one.to_pull),
                }
                for one in plan.candidates
            ],
            "restarts": [
                {"service": one.service, "tasks": list(one.tasks), "order": one.order} for one in plan.restarts
            ],
            "data_at_risk": list(plan.at_risk),
            "not_in_files": list(plan.not_in_files),
            "drift": list(plan.drift),
            "advice": [
                {"key": one.key, "file": one.file, "line": one.line, "message": one.message} for one in plan.advice
            ],
        }
        for plan in plans
    ]
