"""CL214: an update that was paused or rolled back."""

from __future__ import annotations

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found
from clusterlab.doctor.finding import Fix, Seen, Severity


def _find(cluster: Cluster) -> Found:
    for service in cluster.services():
        status = service.at("UpdateStatus")
        state = status.text("State", default="")
        if not (state == "paused" or state.startswith("rollback")):
            continue
        name = service.text("Spec", "Name")
        message = status.text("Message", default="")
        if "manually" in message.lower():
            continue
        word = {"paused": "paused", "rollback_completed": "rolled back"}.get(state, state.replace("_", " "))
        failed = [
            task.text("Status", "Err", default="")
            for task in cluster.tasks()
            if task.text("ServiceID", default="") == service.text("ID") and task.text("Status", "State") in _FAILED
        ]
        if state.startswith("rollback") and not failed:
            continue  # somebody wanted it
        yield CODE.finding(
            name,
            f"service {name}: its last update was {word}; it does not run the new version",
            [
                Seen(cluster.manager.name, f"docker service inspect {name}", "completed", f"{state}: {message}"),
                *(Seen(cluster.manager.name, f"docker service ps --no-trunc {name}", "", text) for text in failed[:3]),
            ],
            [Fix("", f"docker service ps --no-trunc {name} shows why; correct it, then update the service again")],
            consequences=("CL213",),
        )


_FAILED = ("failed", "rejected")


CODE = Diagnosis(
    code="CL214",
    title="An update was paused or rolled back",
    severity=Severity.ERROR,
    effect="The command that updated it ended long ago; the service runs the old specification, or a mixture, without "
    "any message.",
    detection="`UpdateStatus` of the services, and their failed tasks.",
    guard="A rollback without a failed task: somebody wanted it.",
    remedy="Find out why the new tasks failed, then update again.",
    root=9,
    needs_swarm=True,
    cluster=_find,
)
