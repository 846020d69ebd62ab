"""CL401: a volume has other options on one node than on the others."""

from __future__ import annotations

from collections import Counter

from clusterlab.doctor.cluster import Cluster
from clusterlab.doctor.diagnosis import Diagnosis, Found, answers
from clusterlab.doctor.document import Document
from clusterlab.doctor.finding import Fix, Seen, Severity, listed
from clusterlab.doctor.host_view import Volume, container_name


def _find(cluster: Cluster) -> Found:
    volumes, missing = answers(cluster.answering(), lambda host: host.volumes)
    yield from missing
    wanted = _of_services(cluster)
    for name in sorted({name for one in volumes.values() for name in one}):
        seen = {host: found[name] for host, found in volumes.items() if name in found}
        if all(not one.options and one.driver == "local" for one in seen.values()) and name not in wanted:
            continue  # local everywhere, as wanted
        options = Counter(str(one) for one in seen.values() if one.options)
        right = wanted.get(name) or options.most_common(1)[0][0] if options or name in wanted else ""
        odd = {host: one for host, one in seen.items() if str(one) != right}
        if odd and right:
            yield from _differs(cluster, name, right, seen, odd)


def _of_services(cluster: Cluster) -> dict[str, str]:
    """The options that services give their volumes, where they give any."""
    found: dict[str, str] = {}
    if not cluster.in_swarm:
        return found
    for service in cluster.services():
        for mount in service.items("Spec", "TaskTemplate", "ContainerSpec", "Mounts"):
            options = mount.texts("VolumeOptions", "DriverConfig", "Options")
            source = mount.text("Source", default="")
            if mount.text("Type", default="") == "volume" and source and options and "{{" not in source:
                found[source] = str(Volume(source, "local", options))
    return found


def _differs(cluster: Cluster, name: str, right: str, seen: dict[str, Volume], odd: dict[str, Volume]) -> Found:
    for host, volume in odd.items():
        users = [container_name(one) for one in cluster.hosts[host].running() if _mounts(one, name)]
        local = not volume.options
        what = f"is not what it is elsewhere on {host}" if not local else f"is a local directory on {host}"
        effect = ": its containers see other files" if users else ""
        others = {one for one in seen if one not in odd}
        yield CODE.finding(
            f"{name} on {host}",
            f"volume {name} {what}{effect}",
            [
                Seen(host, f"docker volume inspect {name}", right, str(volume)),
                *([Seen(listed(others), f"docker volume inspect {name}", right, right)] if others else []),
                *(Seen(host, "docker ps", "", f"{one} mounts it") for one in users),
            ],
            _fix(name, host, users, right),
            severity=Severity.ERROR if users else Severity.ADVICE,
            hosts=[host],
            consequences=("CL402",),
        )


def _mounts(container: Document, volume: str) -> bool:
    return any(mount.text("Name", default="") == volume for mount in container.items("Mounts"))


def _fix(name: str, host: str, users: list[str], right: str) -> list[Fix]:
    options = " ".join(f"-o {one}" for one in right.split(" "))
    return [
        *(Fix(host, f"stop {one} (a service: docker service scale NAME=0), and save its files") for one in users),
        Fix(host, f"docker volume rm {name}"),
        Fix(host, f"docker volume create {options} {name}"),
    ]


CODE = Diagnosis(
    code="CL401",
    title="A volume has other options on one node",
    severity=Severity.ERROR,
    effect="A task that moves there finds an empty directory: volumes belong to a node, and `docker volume create` "
    "with "
    "an existing name changes nothing and reports nothing.",
    detection="The options of each volume on every node, and those that services give it.",
    guard="Volumes that are local everywhere; advice only where no container uses it.",
    remedy="Stop what uses it, save its files, remove the volume on that node and create it with the right options.",
    cluster=_find,
)
