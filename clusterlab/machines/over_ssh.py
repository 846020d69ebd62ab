"""Logs and missing capabilities, over SSH, of machines not run by clusterlab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from clusterlab.capabilities import Capabilities
from clusterlab.errors import ClusterlabError
from clusterlab.progress import Progress
from clusterlab.remote import Host, Hosts, Target

T = TypeVar("T")

_CAPABILITIES = {
    "nfs": "grep -qw nfs /proc/filesystems || modprobe -nq nfs",
    "ipvs": "test -e /proc/net/ip_vs || modprobe -nq ip_vs",
    "iscsi": "test -d /sys/class/iscsi_transport || modprobe -nq iscsi_tcp",
    "xfrm": "{ grep -qw esp_init_state /proc/kallsyms || modprobe -nq esp4; } && "
    "{ grep -qw crypto_rfc4106_create /proc/kallsyms || modprobe -nq gcm; }",
}
"""How to find a capability of a host's kernel: built in, loaded, or available as a module. Nothing is loaded."""

_ASK_KERNEL = """\
PATH=$PATH:/usr/sbin:/sbin; running=$(uname -r); echo "$running"
if [ -e "/lib/modules/$running" ]; then echo; else echo $(ls /lib/modules 2>/dev/null); fi
""" + "".join(f"({test}) 2>/dev/null || echo {name}\n" for name, test in _CAPABILITIES.items())
"""Prints the release of the running kernel, of which kernels there are modules when there are none of this one, and
then what the kernel lacks."""

_LOGS = {
    "docker": "journalctl --no-pager -n 2000 -u docker -u containerd",
    "nfs": "journalctl --no-pager -n 500 -u nfs-server -u nfs-mountd -u rpcbind",
    "kernel": "dmesg | tail -n 500",
}


def each(targets: Mapping[str, Target], function: Callable[[Host], T]) -> dict[str, T | ClusterlabError]:
    """What `function` returns for each host, or the error that it raised there.

    All at the same time.
    """
    with Hosts(targets) as hosts:
        return hosts.each(targets, function)


def collect_journals(targets: Mapping[str, Target], folder: Path, progress: Progress) -> None:
    """The hosts' journals of Docker and NFS, and their kernels' last messages.

    In a folder per host.

    What could not be collected is named in the progress, and is not an error: this runs when things are broken.
    """
    answers = each(targets, lambda host: _collect(host, folder / host.name))
    for name, answer in answers.items():
        for problem in [answer.message] if isinstance(answer, ClusterlabError) else answer:
            progress.say(name, f"not collected: {problem}")


def lacking(targets: Mapping[str, Target]) -> Capabilities:
    """What each host's kernel lacks.

    A host that does not answer is left out: the next command for it reports that.
    """
    found: dict[str, dict[str, str]] = {}
    for name, answer in each(targets, lambda host: host.run(_ASK_KERNEL, timeout=30.0, check=True)).items():
        if isinstance(answer, ClusterlabError):
            continue
        release, others, *missing = answer.stdout.splitlines()
        found[name] = dict.fromkeys(missing, _reason(release, others))
    return Capabilities({name: missing for name, missing in found.items() if missing})


def _reason(release: str, others: str) -> str:
    """Why a capability is missing.

    `others` are the kernels with modules when the running one has none any more.
    """
    if others:
        installed = ", ".join(others.split())
        return (
            f"kernel {release} runs, and /lib/modules has only {installed}: the kernel was upgraded without a reboot, "
            "and its modules cannot be loaded until then"
        )
    return f"kernel {release} has it neither built in nor as a module"


def _collect(host: Host, folder: Path) -> list[str]:
    """Write one host's logs into `folder`; returns what could not be collected."""
    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    for name, command in _LOGS.items():
        said = host.run(command, timeout=30.0)
        if said.ok:
            (folder / f"{name}.log").write_text(said.stdout)
        else:
            problems.append(f"`{command}` ended with exit code {said.exit}: {said.stderr.strip()[-300:]}")
    return problems
