"""Two workstations (two state folders) with the same existing hosts: real engines in namespaces, reached over SSH."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.faults.record import FILE, FaultRecord
from clusterlab.machines.lab_lock import LabBusy
from clusterlab.pipeline import host_owner
from clusterlab.pipeline.host_locks import Holder, HostLocks, NotLockable
from clusterlab.pipeline.host_owner import refuse_other_owners
from clusterlab.progress import Silent
from clusterlab.remote import Hosts
from clusterlab.resources.base import LABEL_LAB
from clusterlab.resources.ownership import LABEL_BY, LABEL_OWNER, this_workstation
from clusterlab.waiting import wait_until
from tests.support.nightly_lab import SLOW, NightlyLab, ThreeHosts, existing_lab, stages, under_way

pytestmark = pytest.mark.engine

LOCK = "ls /run/lock/clusterlab.lock /var/lock/clusterlab.lock /tmp/clusterlab.lock 2>/dev/null | head -n 1"
SLOW_CHECK = {"title": SLOW, "command": {"on": "host1", "run": "sleep 2000", "timeout": "2100s"}}
"""Runs until `end_slow_check`."""
ELSEWHERE = "from clusterlab import workstation\nworkstation.process_space = lambda: 'another computer'"
"""Run first, it makes the processes of this computer unknown to those that look at a lock, as another one's are."""


@pytest.fixture
def hosts(three: ThreeHosts) -> Iterator[Hosts]:
    with Hosts(three.machines.targets()) as opened:
        yield opened
        for host in opened:
            opened[host].run("rm -f /run/lock/clusterlab.lock /var/lock/clusterlab.lock /tmp/clusterlab.lock")


def workstation(three: ThreeHosts, folder: Path, **more: object) -> NightlyLab:
    folder.mkdir()
    made = existing_lab(three.lab, three.machines, folder, sys.executable, **more)
    made.play()
    return made


@pytest.fixture
def ada(three: ThreeHosts, tmp_path: Path) -> NightlyLab:
    return workstation(three, tmp_path / "ada")


@pytest.fixture
def bob(three: ThreeHosts, tmp_path: Path) -> NightlyLab:
    return workstation(three, tmp_path / "bob")


def locked(hosts: Hosts) -> list[str]:
    """The hosts that have a lock."""
    return [name for name in hosts if hosts[name].run(LOCK).stdout.strip()]


END = """
for process in /proc/[0-9]*; do
    [ "$(tr '\\0' ' ' <$process/cmdline)" = "sleep 2000 " ] && kill "${process#/proc/}"
done 2>/dev/null; true
"""


def end_slow_check(hosts: Hosts, checking: subprocess.Popen[str]) -> None:
    """End what the slow check waits for, more than once: what failed is run again at once."""

    def ended() -> bool:
        hosts["host1"].run(END)
        return checking.poll() is not None

    wait_until(ended, "the checks to end", 240.0, longest_pause=1.0)


def age(hosts: Hosts, minutes: int) -> None:
    """Let the lock be as old as if that time had passed."""
    for name in hosts:
        hosts[name].run(f"touch -d '{minutes} minutes ago' $({LOCK})", check=True)


def test_one_is_kept_off_while_the_other_checks_and_is_told_who_and_since_when(
    ada: NightlyLab, bob: NightlyLab, hosts: Hosts
) -> None:
    ada.play(SLOW_CHECK)
    assert ada.run("apply", "-i", "existing.yml")[0] == 0
    with ada.start("check", "-i", "existing.yml") as checking:
        wait_until(lambda: len(locked(hosts)) == len(hosts), "all hosts to be locked", 60)
        for verb in ("check", "apply", "provision", "clean", "run"):
            code, out, err = bob.run(verb, "-i", "existing.yml")
            said = " ".join(err.split())
            assert code == 3, out + err
            assert "is in use:" in said
            assert "has been running `clusterlab check` there since 20" in said
            assert f"process {checking.pid}" in said
            assert "Wait until that command has ended" in said
        assert bob.run("plan", "-i", "existing.yml")[0] == 0, "what only reads needs no lock"
        end_slow_check(hosts, checking)
        out, err = checking.communicate(timeout=120)
    assert checking.returncode == 1, out + err
    assert locked(hosts) == []
    assert bob.run("apply", "-i", "existing.yml")[0] == 0


SYSCTL = {"net.core.somaxconn": 1024}
OBJECTS = "docker ps -aq; docker volume ls -q; docker network ls -q; find /var/lib/clusterlab /etc/sysctl.d | sort"


def test_a_lab_of_the_same_name_on_the_same_hosts_is_somebody_elses(
    three: ThreeHosts, tmp_path: Path, hosts: Hosts
) -> None:
    """Nobody's objects and nobody's record are touched; when all of it is removed, the name is free."""
    checks = [{"title": "host1 works", "command": {"on": "host1", "run": "test -d /etc"}}]
    play = {"title": "One volume", "volumes": {"kept": {"hosts": "host1"}}, "checks": checks}
    ada, bob = (workstation(three, tmp_path / name, shared=False, sysctl=SYSCTL) for name in ("ada", "bob"))
    for one in (ada, bob):
        (one.folder / "playbooks" / "proof.yml").write_text(json.dumps(play))
        file = one.folder / "existing.yml"
        file.write_text(file.read_text().replace("lab: existing-nightly", "lab: same-name"))
    for verb in ("provision", "apply"):
        code, out, err = ada.run(verb, "-i", "existing.yml")
        assert code == 0, out + err
    before = {name: hosts[name].run(OBJECTS).stdout for name in hosts}
    for verb in ("apply", "check", "clean", "provision", "deprovision", "run"):
        code, _, err = bob.run(verb, "-i", "existing.yml")
        said = " ".join(err.split())
        assert (code, "lab same-name was created there by" in said) == (3, True), said
        assert "with another state folder" in said
        assert "nothing was touched" in said
        assert "shared: true" in said
    assert {name: hosts[name].run(OBJECTS).stdout for name in hosts} == before
    for words in (["clean", "--delete-data"], ["deprovision"]):
        code, out, err = ada.run(*words, "-i", "existing.yml")
        assert code == 0, out + err
    assert bob.run("apply", "-i", "existing.yml")[0] == 0
    assert ada.run("clean", "-i", "existing.yml")[0] == 3
    assert bob.run("clean", "--delete-data", "-i", "existing.yml")[0] == 0


def test_a_swarm_for_a_lab_of_the_same_name_is_somebody_elses(three: ThreeHosts, tmp_path: Path, hosts: Hosts) -> None:
    """Also where nothing else of that lab is on the hosts."""
    bob, engine = workstation(three, tmp_path / "bob", shared=False), hosts["host1"].docker
    file = bob.folder / "existing.yml"
    labels = {LABEL_LAB: "same-name", LABEL_OWNER: "ada's", LABEL_BY: "ada@laptop"}
    engine.init_swarm(advertise_addr=str(three.lab.inventory.hosts["host1"].address), swarm_spec={"Labels": labels})
    try:
        for name, created_by_ada in (("same-name", True), ("another", False)):
            file.write_text(re.sub(r"^lab: .*$", f"lab: {name}", file.read_text(), flags=re.MULTILINE))
            code, _, err = bob.run("provision", "-i", "existing.yml")
            said = "lab same-name was created there by ada@laptop" in " ".join(err.split())
            assert (code, said) == ((3, True) if created_by_ada else (0, False)), err
    finally:
        engine.leave_swarm(force=True)


def test_an_engine_that_does_not_answer_hides_nobodys_lab(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner is unknown, unless another host says that the lab is this workstation's."""
    patience = f"timeout {host_owner._PATIENCE} "
    assert patience in host_owner._SCRIPT
    monkeypatch.setattr(host_owner, "_SCRIPT", host_owner._SCRIPT.replace(patience, "timeout 1 "))
    labels = {LABEL_LAB: "same-name", LABEL_OWNER: "ada's", LABEL_BY: "ada@laptop"}
    hosts["host1"].docker.create_volume("of-ada", labels=labels)
    try:
        with pytest.raises(ClusterlabError, match="host1: lab same-name was created there by ada@laptop"):
            refuse_other_owners("same-name", hosts)
        hosts["host1"].run("kill -STOP $(cat /run/docker.pid)", check=True)
        try:
            with pytest.raises(ClusterlabError, match=r"host1: whether lab same-name .* is unknown, .* within 20 s"):
                refuse_other_owners("same-name", hosts)
            refuse_other_owners("same-name", hosts, heals=True)
            mine = {**labels, LABEL_OWNER: this_workstation()}
            hosts["host2"].docker.create_volume("of-mine", labels=mine)
            refuse_other_owners("same-name", hosts)
        finally:
            hosts["host1"].run("kill -CONT $(cat /run/docker.pid)", check=True)
    finally:
        for name, volume in (("host1", "of-ada"), ("host2", "of-mine")):
            hosts[name].run(["docker", "volume", "rm", "--force", volume], check=True)


def test_an_engine_that_did_not_run_is_asked_before_anything_is_changed_in_it(
    three: ThreeHosts, tmp_path: Path, hosts: Hosts
) -> None:
    bob = workstation(three, tmp_path / "bob", shared=False)
    file = bob.folder / "existing.yml"
    file.write_text(re.sub(r"^lab: .*$", "lab: same-name", file.read_text(), flags=re.MULTILINE))
    labels = {LABEL_LAB: "same-name", LABEL_OWNER: "ada's", LABEL_BY: "ada@laptop"}
    hosts["host1"].docker.create_volume("of-ada", labels=labels)
    before = hosts["host1"].run("docker volume ls --quiet", check=True).stdout
    hosts["host1"].run("systemctl stop docker", check=True)
    try:
        assert refuse_other_owners("same-name", hosts) == {"gw", "host1"}  # the gateway has no engine
        code, out, err = bob.run("run", "-i", "existing.yml")
        assert hosts["host1"].run(["systemctl", "is-active", "docker"]).stdout.strip() == "active", out + err
        said = " ".join((out + err).split())
        assert (code, "host1: lab same-name was created there by ada@laptop" in said) == (3, True), said
        assert hosts["host1"].run("docker volume ls --quiet").stdout == before
        with pytest.raises(ClusterlabError, match="created there by ada@laptop"):
            refuse_other_owners("same-name", hosts)
    finally:
        hosts["host1"].run("systemctl start docker && docker volume rm --force of-ada", check=True)
        for name in hosts:
            hosts[name].run("rm -rf /var/lib/clusterlab/provision/same-name", check=True)


def test_tests_in_several_processes_lock_the_hosts(ada: NightlyLab, hosts: Hosts) -> None:
    words = ["-m", "pytest", "-p", "clusterlab.pytest_plugin", "-p", "xdist", "-p", "no:cacheprovider", "-n", "1"]
    environment = {**os.environ, "XDG_STATE_HOME": str(ada.state), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def tests() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *words, "--clusterlab", "existing.yml", "playbooks", "-k", "says"]
        return subprocess.run(
            command, cwd=ada.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    with HostLocks(hosts, "shop", "apply", Silent(), me=holder("bob")):
        done = tests()
        assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
        said = " ".join((done.stdout + done.stderr).split())
        assert "bob@elsewhere has been running `clusterlab apply` there" in said
        assert "Traceback" not in said
    done = tests()
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert locked(hosts) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_releases_the_hosts(
    ada: NightlyLab, bob: NightlyLab, hosts: Hosts, number: signal.Signals
) -> None:
    ada.play(SLOW_CHECK)
    with ada.start("check", "-i", "existing.yml") as checking:
        wait_until(lambda: len(locked(hosts)) == len(hosts), "all hosts to be locked", 60)
        checking.send_signal(number)
        end_slow_check(hosts, checking)
        checking.communicate(timeout=120)
    assert checking.returncode == 3
    assert locked(hosts) == []
    assert bob.run("apply", "-i", "existing.yml")[0] == 0


def test_the_lock_of_a_killed_command_of_another_computer_expires(
    ada: NightlyLab, bob: NightlyLab, hosts: Hosts
) -> None:
    ada.play(SLOW_CHECK)
    with ada.start("check", "-i", "existing.yml", first=ELSEWHERE) as checking:
        wait_until(lambda: len(locked(hosts)) == len(hosts), "all hosts to be locked", 60)
        checking.kill()
        checking.communicate(timeout=60)
    end_slow_check(hosts, checking)
    code, _, err = bob.run("apply", "-i", "existing.yml")
    assert code == 3
    assert re.search(r"If it was killed, its lock expires in \d+ s", " ".join(err.split()))
    age(hosts, 3)
    assert bob.run("apply", "-i", "existing.yml")[0] == 0
    assert locked(hosts) == []


def test_the_lock_of_a_killed_command_of_this_computer_is_taken_over_at_once(
    ada: NightlyLab, bob: NightlyLab, hosts: Hosts
) -> None:
    ada.play(SLOW_CHECK)
    with ada.start("check", "-i", "existing.yml") as checking:
        wait_until(lambda: len(locked(hosts)) == len(hosts), "all hosts to be locked", 60)
        checking.kill()
        checking.communicate(timeout=60)
    end_slow_check(hosts, checking)
    assert len(locked(hosts)) == len(hosts)
    assert bob.run("apply", "-i", "existing.yml")[0] == 0


def test_a_nightly_run_waits_for_the_hosts_as_long_as_it_may(ada: NightlyLab, bob: NightlyLab, hosts: Hosts) -> None:
    ada.play(SLOW_CHECK)
    with ada.start("check", "-i", "existing.yml") as checking:
        wait_until(lambda: len(locked(hosts)) == len(hosts), "all hosts to be locked", 60)
        code, run = bob.nightly()
        assert code == 3
        assert "is in use" in run["stages"][0]["message"]
        assert stages(run)["collect"] == stages(run)["clean up"] == "skipped"
        with bob.start("nightly", "-i", "existing.yml", "--wait", "600s") as waiting:
            under_way(bob, "lock", number=2)
            end_slow_check(hosts, checking)
            out, err = waiting.communicate(timeout=600)
        assert waiting.returncode == 0, out + err
        checking.communicate(timeout=120)


def holder(name: str) -> Holder:
    return Holder(name, f"{name}@elsewhere", "apply", "shop", 1, f"2026-01-01 00:00:0{len(name)}", "elsewhere", "1")


def test_down_heals_nothing_while_another_workstation_is_at_work(ada: NightlyLab, hosts: Hosts) -> None:
    assert ada.run("provision", "-i", "existing.yml")[0] == 0
    (folder,) = (ada.state / "clusterlab" / "labs").glob("existing-*/")
    fault = FaultRecord.new("block", {}).model_copy(update={"heals": {"host1": "touch /tmp/healed"}})
    (folder / FILE).write_text(json.dumps([fault.model_dump()]))
    with HostLocks(hosts, "shop", "apply", Silent(), me=holder("bob")):
        code, _, err = ada.run("down", "-i", "existing.yml")
        assert (code, "bob@elsewhere has been running `clusterlab apply`" in " ".join(err.split())) == (3, True), err
    assert not hosts["host1"].run("ls /tmp/healed").ok
    assert (folder / FILE).exists()


def test_a_held_lock_is_renewed(hosts: Hosts) -> None:
    with HostLocks(hosts, "shop", "apply", Silent(), expires=2.0, me=holder("ada")):
        threading.Event().wait(5.0)
        with pytest.raises(LabBusy, match=r"ada@elsewhere has been running `clusterlab apply` there since 2026-01-01"):
            HostLocks(hosts, "shop", "apply", Silent(), expires=2.0, me=holder("bob")).__enter__()
    assert locked(hosts) == []


def test_who_lost_the_lock_is_ended(hosts: Hosts) -> None:
    """As after the computer slept for longer than the lock lives, and another one took over."""
    first, *_ = list(hosts)

    def work() -> None:
        with HostLocks(hosts, "shop", "apply", Silent(), expires=2.0, me=holder("ada")):
            path = hosts[first].run(LOCK).stdout.strip()
            hosts[first].write(path, json.dumps(vars(holder("bob"))).encode())
            threading.Event().wait(20.0)

    with pytest.raises(LabBusy, match=f"{first}: the lock of this command expired.*bob@elsewhere runs"):
        work()
    assert locked(hosts) == [first], "the other's lock stays"


def test_of_two_that_come_at_the_same_moment_one_gets_all_hosts(hosts: Hosts) -> None:
    began = threading.Barrier(2)
    outcomes: dict[str, bool] = {}

    def compete(name: str) -> None:
        began.wait()
        try:
            with HostLocks(hosts, "shop", "apply", Silent(), me=holder(name)):
                outcomes[name] = locked(hosts) == list(hosts)
                threading.Event().wait(1.0)
        except LabBusy:
            outcomes[name] = False

    for _ in range(5):
        threads = [threading.Thread(target=compete, args=(name,)) for name in ("ada", "robert")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes.values()) == [False, True]
        assert locked(hosts) == []


def test_a_link_in_place_of_the_lock_is_not_followed(hosts: Hosts) -> None:
    first, *_ = list(hosts)
    with HostLocks(hosts, "shop", "apply", Silent()):
        path = hosts[first].run(LOCK).stdout.strip()
    hosts[first].run(f"echo precious > /root/victim && ln -s /root/victim {path}", check=True)
    with pytest.raises(NotLockable, match=f"{first}: it cannot be locked: {path} is not a file"):
        HostLocks(hosts, "shop", "apply", Silent()).__enter__()
    hosts[first].run(["rm", path], check=True)
    assert hosts[first].read("/root/victim") == b"precious\n"


MANY = [{"title": f"slow {number}", "command": {"on": "host1", "run": f"sleep 5 || {number}"}} for number in range(12)]
"""More than run at the same time."""


def test_interrupted_checks_are_in_the_files(ada: NightlyLab) -> None:
    """What ended before the interrupt has its result, and what had not begun says so."""
    ada.play(*MANY)
    assert ada.run("apply", "-i", "existing.yml")[0] == 0
    for verb in ("check", "run"):
        report, xml = ada.folder / f"{verb}.json", ada.folder / f"{verb}.xml"
        words = (verb, "-i", "existing.yml", "--json", str(report), "--junit", str(xml))
        with ada.start(*words) as checking:
            assert checking.stderr is not None
            for line in checking.stderr:
                if "✔" in line and "host2 says its name" in line:
                    break
            checking.send_signal(signal.SIGINT)
            _, err = checking.communicate(timeout=120)
        assert checking.returncode == 3, err
        document = json.loads(report.read_text())
        assert document["outcome"] == "error"
        assert document["error"]["message"] == "interrupted"
        found = {result["check"]: result["outcome"] for result in document["results"]}
        assert found["host2 says its name"] == "pass"
        assert found["slow 11"] == "not-run"
        assert len(found) == 4 + len(MANY)
        assert "not run: the run was interrupted" in xml.read_text()
        assert report.stat().st_mode & 0o777 == xml.stat().st_mode & 0o777 == 0o600


def test_an_interrupted_nightly_run_is_in_the_files(ada: NightlyLab) -> None:
    ada.play(*MANY)
    report, xml = ada.folder / "nightly.json", ada.folder / "nightly.xml"
    words = ("nightly", "-i", "existing.yml", "--json", str(report), "--junit", str(xml))
    with ada.start(*words) as running:
        under_way(ada, "check")
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=120)
    assert running.returncode == 3, err
    run = json.loads(report.read_text())
    assert not run["finished"]
    found = {result["check"]: result["outcome"] for result in run["results"]}
    assert found["slow 11"] == "not-run"
    assert "not run: the run was interrupted" in xml.read_text()
