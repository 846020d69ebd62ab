"""What roles ask for, and what the answers of hosts mean: no host is asked here."""

from __future__ import annotations

import subprocess

import pytest

from clusterlab.capabilities import ALL_CAPABILITIES, Capabilities
from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.plan.provision import kinds, left_out
from clusterlab.remote import Host, Target
from clusterlab.remote.connection import Connections
from clusterlab.remote.failure import failure
from clusterlab.resources import apt, docker_engine, questions, units
from clusterlab.resources import system as systems
from clusterlab.resources.kernel_modules import MODULE
from clusterlab.resources.observed import Observed
from clusterlab.resources.scope import Scope, Wants

LAB = Lab(
    Inventory.model_validate(
        {
            "lab": "demo",
            "hosts": {
                "gw": {"address": "192.168.98.1", "roles": ["nfs_server", "iscsi_target"]},
                "host1": {"address": "192.168.98.11", "roles": ["docker", "swarm_manager"]},
                "host2": {"address": "192.168.98.12", "roles": ["docker"]},
                "plain": {"address": "192.168.98.13"},
            },
            "nfs": {"exports": [{"path": "/shares", "clients": "192.168.98.0/24"}]},
        }
    )
)
UNSUPPORTED = Capabilities.missing_everywhere(
    LAB.inventory.hosts, {"nfs": "no NFS in this kernel", "ipvs": "no IPVS in this kernel"}
)


def host(name: str = "host1") -> Host:
    return Host(Target(name, "192.168.98.11"), Connections())


def wanted(host: str, unsupported: Capabilities = ALL_CAPABILITIES) -> dict[str, list[str]]:
    """Names of what a host should have, by kind."""
    keys = [key for kind in kinds() for key in kind.wanted(Wants(LAB, capabilities=unsupported)) if key.host == host]
    return {kind: [key.name for key in keys if key.kind == kind] for kind in dict.fromkeys(key.kind for key in keys)}


def at(kind: str = "", answer: str = "", name: str = "host1") -> Observed:
    return Observed("demo", host(name), answers={kind: answer})


def test_roles_ask_for_packages_units_and_modules() -> None:
    assert wanted("gw") == {
        "package": ["nfs-kernel-server", "tgt"],
        "module": ["nfsd"],
        "unit": ["nfs-server"],
        "export": ["/shares"],
    }
    assert wanted("host1") == {
        "package": ["nfs-common", "curl", "iputils-ping"],
        "module": ["overlay", "nfs", "vxlan", "ip_vs"],
        "engine": ["docker"],
        "swarm": ["membership"],
    }
    assert wanted("host2")["module"] == ["overlay", "nfs"]
    assert "swarm" not in wanted("host2")
    assert wanted("plain") == {}


def test_what_machines_cannot_have_is_left_out_and_shown() -> None:
    assert wanted("gw", UNSUPPORTED) == {"package": ["nfs-kernel-server", "tgt"]}
    assert wanted("host1", UNSUPPORTED)["module"] == ["overlay", "vxlan"]
    assert {(str(one.key), one.reason) for one in left_out(LAB, UNSUPPORTED)} == {
        ("gw: module nfsd", "nfs: no NFS in this kernel"),
        ("gw: unit nfs-server", "nfs: no NFS in this kernel"),
        ("gw: export /shares", "nfs: no NFS in this kernel"),
        ("host1: module nfs", "nfs: no NFS in this kernel"),
        ("host1: module ip_vs", "ipvs: no IPVS in this kernel"),
        ("host2: module nfs", "nfs: no NFS in this kernel"),
    }
    assert left_out(LAB) == []


def test_what_one_host_cannot_have_is_left_out_there_alone() -> None:
    one = Capabilities({"host2": {"nfs": "no NFS in this kernel"}})
    assert [str(skipped.key) for skipped in left_out(LAB, one)] == ["host2: module nfs"]
    assert wanted("gw", one) == wanted("gw")
    assert wanted("host1", one) == wanted("host1")


def test_many_questions_are_one_script_and_each_answer_is_kept_to_the_letter() -> None:
    script = questions.script(
        {"plain": "echo one; echo two", "cut": "printf 'no newline'", "silent": "false", "loud": "echo x >&2; exit 3"}
    )
    completed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert completed.stderr == ""
    assert questions.answers(completed.stdout) == {
        "plain": "one\ntwo\n",
        "cut": "no newline",
        "silent": "",
        "loud": "",
    }


@pytest.mark.parametrize(("output", "said"), [("", "empty"), ("\n@@ clusterlab: a\nx\n", "cut off after 'a'")])
def test_an_answer_that_is_not_whole_is_none(output: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        questions.answers(output)


def test_this_system_answers_the_questions_about_systems() -> None:
    answer = subprocess.run(["sh", "-c", systems.QUESTION], capture_output=True, text=True, check=False).stdout
    system = systems.system(answer)
    assert system.kernel
    assert system.user
    assert system.name != "an unknown system"


@pytest.mark.parametrize(
    ("system", "needed"),
    [
        (systems.System(debian="13.1", family=frozenset({"debian"})), ["docker.io", "docker-cli"]),
        (systems.System(debian="12.11", family=frozenset({"debian"})), ["docker.io"]),
        (systems.System(debian="forky/sid", family=frozenset({"debian"})), ["docker.io", "docker-cli"]),
        (systems.System(debian="trixie/sid", family=frozenset({"ubuntu", "debian"})), ["docker.io"]),
        (systems.System(debian="13.1", commands=frozenset({"dockerd", "docker"})), []),
        (systems.System(debian="13.1", commands=frozenset({"dockerd"})), ["docker-cli"]),
    ],
)
def test_an_engine_is_installed_only_where_there_is_none(system: systems.System, needed: list[str]) -> None:
    assert docker_engine.packages(system) == needed


def test_only_installed_packages_count() -> None:
    answer = "curl installed 8.14.1-2\nnfs-common config-files 1:2.8.3-1\niputils-ping not-installed \n"
    assert apt.installed(answer) == {"curl": "8.14.1-2"}


def test_units_are_read_as_systemctl_says_them() -> None:
    read = units.units("docker active enabled\nnfs-server inactive masked\nx inactive not-found\ny  \n")
    assert read["docker"].differences() == ()
    assert read["nfs-server"].masked
    assert not read["x"].exists
    assert not read["y"].exists
    change = units.change(at(), "unit", "nfs-server", read["nfs-server"], frozenset())
    assert change is not None
    assert "systemctl unmask nfs-server" in change.blocked


def test_modules_that_are_built_in_need_no_file() -> None:
    def change(answer: str) -> object:
        scope = Scope("demo", {"host2": at("module", answer, "host2")})
        return next(MODULE.changes(Wants(LAB), scope), None)

    assert change("built in=overlay\nbuilt in=nfs\nfile\n") is None
    assert change("built in=overlay\nloaded=nfs\nfile\n# by clusterlab\nnfs\n") is None
    assert change("built in=overlay\nnot loaded=nfs\nfile\nnfs\n") is not None
    assert change("built in=overlay\nloaded=nfs\nfile\n") is not None
    assert change("built in=overlay\nbuilt in=nfs\nfile\nnfs\n") is not None


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("dpkg: error: No space left on device", "its disk is full"),
        ("mkdir: cannot create directory: Permission denied", "not enough rights"),
        ("touch: x: Read-only file system", "its file system is read-only"),
        ("first\nlast words\n", "last words"),
        ("", "there was no output"),
    ],
)
def test_what_went_wrong_is_said_in_words(output: str, meaning: str) -> None:
    assert failure("host1", "do it", output).message == f"host1: cannot do it: {meaning}"
