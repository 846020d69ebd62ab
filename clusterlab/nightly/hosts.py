"""What a nightly run wants to know of every host first.

Whether it answers, and with which versions.
"""

from __future__ import annotations

from clusterlab.errors import ClusterlabError
from clusterlab.model import Lab
from clusterlab.nightly.nightly_run import OWN_PLAY
from clusterlab.remote import Host, Hosts
from clusterlab.remote.engine_errors import engine_errors
from clusterlab.results import Evidence, Outcome, Result

_QUESTIONS = """\
echo "kernel=$(uname -r)"
. /etc/os-release 2>/dev/null && echo "system=$PRETTY_NAME"
nfs=$(mount.nfs -V 2>/dev/null) && echo "nfs=$nfs"
echo "up for=$(cut -d. -f1 /proc/uptime) s"
echo "free on /=$(df -h --output=avail / | tail -n 1 | tr -d ' ')"
"""
_SECONDS = 30.0


def host_answers(host: str) -> str:
    """The statement that is made of every host."""
    return f"{host} answers"


def ask_hosts(lab: Lab, hosts: Hosts) -> tuple[list[Result], dict[str, dict[str, str]]]:
    """One result per host, and the versions found on those that answer.

    A host that is dead hides no other.
    """
    results, versions = [], {}
    for name, answer in hosts.each(lab.inventory.hosts, lambda host: _versions(lab, host)).items():
        results.append(_result(lab, name, answer))
        if not isinstance(answer, ClusterlabError):
            versions[name] = answer
    return results, versions


def ask_versions(lab: Lab, hosts: Hosts) -> dict[str, dict[str, str]]:
    """The versions of those hosts that answer, as they are now.

    Images are there only once plays are applied.
    """
    answers = hosts.each(lab.inventory.hosts, lambda host: _versions(lab, host))
    return {name: answer for name, answer in answers.items() if not isinstance(answer, ClusterlabError)}


def _versions(lab: Lab, host: Host) -> dict[str, str]:
    answer = host.run(_QUESTIONS, timeout=_SECONDS)
    found = dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
    if "docker" in lab.inventory.hosts[host.name].roles:
        found |= _engine(host)
    return found


def _engine(host: Host) -> dict[str, str]:
    """The engine's version and images.

    An engine that does not exist yet is not an error, since provision creates it.
    """
    try:
        with engine_errors(host, "read the versions"):
            found = {"engine": str(host.docker.version()["Version"])}
            for image in host.docker.images():
                for tag in image.get("RepoTags") or []:
                    found[f"image {tag}"] = str(image["Id"]).removeprefix("sha256:")[:12]
    except ClusterlabError as error:
        return {"engine": f"does not answer: {error}"}
    return found


def _result(lab: Lab, name: str, answer: dict[str, str] | ClusterlabError) -> Result:
    check, wanted, command = host_answers(name), "answers over SSH", f"clusterlab ssh {name} -- uname -r"
    if isinstance(answer, ClusterlabError):
        evidence = Evidence(name, command, wanted, answer.message, answer.detail, holds=False)
        return Result(OWN_PLAY, check, "host", Outcome.ERROR, evidence=(evidence,), hint=answer.remedy, own=True)
    evidence = Evidence(name, command, wanted, f"kernel {answer.get('kernel', '?')}")
    return Result(OWN_PLAY, check, "host", Outcome.PASS, evidence=(evidence,), own=True)
