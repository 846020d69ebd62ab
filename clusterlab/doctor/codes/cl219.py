"""CL219: a stack that the Swarm refuses as it is."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.document import Document
from clusterlab.doctor.finding import Fix, Seen, Severity
from clusterlab.stacks.at_plan import Existing, ExistingService, refused_at_plan
from clusterlab.stacks.service_rules import PublishedPort

_MODES = {"Replicated": "replicated", "Global": "global", "ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}


def _find(cluster: Cluster) -> Found:
    if cluster.plan is None:
        return
    stack, existing = cluster.plan.stack, _existing(cluster.plan.now)
    for problem in refused_at_plan(stack, existing):
        yield CODE.finding(
            f"{stack.name} {problem.line}:{problem.column}",
            problem.message,
            [Seen(cluster.manager.name, f"{problem.file}:{problem.line}:{problem.column}", "", problem.message)],
            [Fix("", problem.remedy)],
        )


def _existing(cluster: Cluster) -> Existing:
    """What the Swarm has; the contents of its configs and secrets are not read."""
    manager = cluster.manager
    versions = [_version(node.version) for node in cluster.nodes()]
    return Existing(
        networks={one.text("Name"): one.text("Scope", default="") for one in manager.networks()},
        configs={one.text("Spec", "Name"): None for one in manager.api("configs").items()},
        secrets={one.text("Spec", "Name"): None for one in manager.api("secrets").items()},
        services={one.text("Spec", "Name"): _service(one) for one in cluster.services()},
        oldest_engine=min(versions, default=(99, 0)),
    )


def _service(service: Document) -> ExistingService:
    mode = next((_MODES[key] for key in service.mapping("Spec", "Mode") if key in _MODES), "replicated")
    ports = frozenset(
        PublishedPort(
            int(one.number("PublishedPort", default=0)),
            one.text("Protocol", default="tcp"),
            one.text("PublishMode", default="ingress"),
        )
        for one in service.items("Spec", "EndpointSpec", "Ports")
    )
    return ExistingService(mode, ports)


def _version(text: str) -> tuple[int, int]:
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (99, 0)


CODE = Diagnosis(
    code="CL219",
    title="A stack cannot be deployed on this Swarm",
    severity=Severity.ERROR,
    effect="`docker stack deploy` ends with an error, after it has created a part of the stack.",
    detection="With --stack: the external networks, configs and secrets, the published ports and the modes of the "
    "stack against what the Swarm has. The contents of secrets and configs are not read.",
    remedy="Create what is missing; publish another port; remove a service whose mode changes.",
    needs_swarm=True,
    cluster=_find,
)
