"""Scenarios in which several people work on the same hosts."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from clusterlab.waiting import wait_until
from tests.bench.safety.actions import BODY
from tests.bench.safety.scenario import CLUSTER, FOREIGN, Seen, scenario
from tests.bench.safety.stand import Ran, Stand, Workstation

WAITS = {
    "title": "it waits",
    "command": {
        "on": "host1",
        "run": "touch /tmp/waiting; while [ ! -e /tmp/go ]; do sleep 0.1; done",
        "timeout": "200s",
    },
}
VOLUMES = "docker volume ls -q"


@contextmanager
def checking(stand: Stand, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Ada's check is under way inside the block, and goes on after it."""
    stand.sh("host1", "rm -f /tmp/waiting /tmp/go")
    stand.ada.play(WAITS, **BODY)
    stand.ada.must("apply")
    with stand.ada.cli.start("check", "-i", str(stand.ada.file), *words) as process:
        try:
            wait_until(lambda: stand.up.hosts["host1"].run("test -e /tmp/waiting").ok, "the check to wait", 60)
            yield process
        finally:
            stand.sh("host1", "touch /tmp/go")
            process.communicate(timeout=120)


def _applied_meanwhile(ran: Ran) -> Seen:
    said = "clusterlab check" in ran.text or "at work on it: check," in ran.text
    return Seen(ran.code == 0 or not said, f"exit code {ran.code}{', and it says what is under way' if said else ''}")


@scenario(CLUSTER, "an apply changes the lab while a check stops and drains things in it")
def apply_during_check(stand: Stand) -> Seen:
    with checking(stand):
        return _applied_meanwhile(stand.ada("apply"))


@scenario(CLUSTER, "another workstation changes shared hosts while a check is under way")
def other_workstation_during_check(stand: Stand) -> Seen:
    with stand.ada.having(shared=True):
        bob = stand.workstation("bob", shared=True)
        bob.play(**BODY)
        with checking(stand):
            return _applied_meanwhile(bob("apply"))


@scenario(CLUSTER, "an interrupted check writes no results although some are known")
def interrupted_check(stand: Stand) -> Seen:
    file = stand.ada.folder / "interrupted.json"
    with checking(stand, "--json", str(file)) as process:
        process.send_signal(signal.SIGINT)
    written = file.exists()
    what = json.loads(file.read_text())["outcome"] if written else ""
    return Seen(not written, f"a file, with the outcome {what}" if written else "no file")


@scenario(CLUSTER, "a lab of the same name on another workstation removes one's data")
def same_name_on_hosts(stand: Stand) -> Seen:
    stand.ada.play(volumes={"kept": {"hosts": "host1"}})
    stand.ada.must("apply")
    eve = stand.workstation("eve")
    eve.play()
    ran = eve("clean", "--delete-data")
    gone = "kept" not in stand.sh("host1", VOLUMES).split()
    return Seen(gone, f"the volume is {'gone' if gone else 'there'}; exit code {ran.code}")


@scenario(CLUSTER, "`gc --hosts --remove` removes the running lab of a colleague")
def gc_of_a_colleague(stand: Stand) -> Seen:
    stand.ada.play(**BODY)
    stand.ada.must("apply")
    labels = "--label org.clusterlab.lab=colleague --label org.clusterlab.play=theirs"
    stand.sh("host1", f"docker run --detach --name theirs {labels} {stand.image('web')} sleep infinity")
    stand.ada.gc("--hosts", "--remove", "--days", "0", "-i", str(stand.ada.file))
    gone = "theirs" not in stand.sh("host1", "docker ps --format '{{.Names}}'").split()
    return Seen(gone, f"their container {'was removed' if gone else 'runs'}")


@scenario(CLUSTER, "`down` on existing machines says that nothing is left although volumes are")
def down_says_nothing_is_left(stand: Stand) -> Seen:
    eve = stand.workstation("down", lab="down")
    eve.play(volumes={"kept": {"hosts": "host1"}})
    eve.must("apply")
    ran = eve("down")
    wrong = "nothing is left" in ran.text
    return Seen(wrong, "nothing is left" if wrong else "it says that the machines and objects stay")


@scenario(FOREIGN, "what provision added to existing hosts stays for good")
def deprovision(stand: Stand) -> Seen:
    state = "systemctl is-enabled docker; systemctl is-active docker; ls -A /var/lib/clusterlab /etc/sysctl.d 2>&1"
    eve: Workstation = stand.workstation("provisioning", lab="provisioning")
    eve.inventory["hosts"] = {"host1": {**eve.inventory["hosts"]["host1"], "roles": ["docker"]}}
    eve.write()
    eve.play()
    stand.sh("host1", "docker swarm leave --force >/dev/null 2>&1 || true; systemctl disable --now docker")
    before = stand.sh("host1", f"{state}; true")
    eve.must("provision")
    ran = eve("deprovision")
    same = stand.sh("host1", f"{state}; true") == before
    stand.sh("host1", "systemctl enable --now docker")
    return Seen(not same, f"the host is {'as before' if same else 'as provision left it'}; exit code {ran.code}")
