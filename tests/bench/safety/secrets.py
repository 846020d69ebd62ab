"""Scenarios with secrets and hostile text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bench.safety.scenario import CLUSTER, Seen, scenario
from tests.bench.safety.stand import Ran, Stand
from tests.support.hostile import CONTROLS, HOSTILE, TOKEN, hostile_ssh_server

SECRET, GREETING = "sesame-open-7", "velvet-morning"
SAYS = f'printf "{HOSTILE} said $DB_PASSWORD, {TOKEN}\\n"'
ENVIRONMENT = {"DB_PASSWORD": SECRET, "GREETING": GREETING}
TALKER = {"host": "host1", "image": "shell", "command": ["sh", "-c", f"{SAYS}; sleep infinity"]}
BODY: dict[str, Any] = {"containers": {"talker": {**TALKER, "environment": ENVIRONMENT}}}
CHECKS: list[dict[str, Any]] = [
    {"title": "what is printed", "command": {"in": "talker", "run": f"{SAYS}; env; exit 3"}},
    {"title": "an environment", "inspect": {"container": "talker", "path": "Config.Env", "value": []}},
]


def leaked(text: str, *values: str) -> Seen:
    found = [value for value in values if value in text]
    return Seen(bool(found), f"shown: {', '.join(value[:16] for value in found)}" if found else "not shown")


def written(folder: Path, pattern: str = "*") -> str:
    paths = [path for path in folder.rglob(pattern) if path.is_file()]
    return "\n".join(path.read_bytes().decode(errors="replace") for path in paths)


@scenario(CLUSTER, "plan shows the values of an environment, on the terminal or in JSON")
def secret_in_plan(stand: Stand) -> Seen:
    stand.ada.play(*CHECKS, **BODY)
    file = stand.ada.folder / "plan.json"
    ran = stand.ada("plan", "--json", str(file))
    return leaked(ran.out + ran.err + file.read_text(), SECRET, GREETING)


@scenario(CLUSTER, "explain shows the values of an environment")
def secret_in_explain(stand: Stand) -> Seen:
    stand.ada.play(*CHECKS, **BODY)
    ran = Ran(*stand.ada.cli.run("explain", "proof", "-i", str(stand.ada.file)))
    return leaked(ran.out + ran.err, SECRET, GREETING)


def _checked(stand: Stand) -> tuple[Ran, Path]:
    """A check with all its files, in a folder."""
    folder = stand.ada.folder / "out"
    if "secrets" not in stand.kept:
        folder.mkdir()
        stand.ada.play(*CHECKS, **BODY)
        stand.ada.must("apply")
        stand.kept["secrets"] = stand.ada(
            "check", "--json", str(folder / "check.json"), "--junit", str(folder / "check.xml")
        )
    ran: Ran = stand.kept["secrets"]
    return ran, folder


@scenario(CLUSTER, "results show values of the play, on the terminal, in JSON or in JUnit")
def secret_in_results(stand: Stand) -> Seen:
    ran, folder = _checked(stand)
    return leaked(ran.out + ran.err + written(folder), SECRET, GREETING)


def _nightly(stand: Stand) -> Path:
    """The folder with all that nightly runs keep, after one."""
    folder = stand.ada.cli.state / "clusterlab" / "runs"
    if "nightly" not in stand.kept:
        stand.ada.play(*CHECKS, **BODY)
        stand.kept["nightly"] = stand.ada("nightly")
        assert list(folder.rglob("report.html")), stand.kept["nightly"].text[-600:]
    return folder


@scenario(CLUSTER, "the page of a nightly run shows values of the play")
def secret_in_html(stand: Stand) -> Seen:
    return leaked(written(_nightly(stand), "*.html"), SECRET, GREETING)


@scenario(CLUSTER, "logs that a nightly run collects keep tokens and values of the play")
def secret_in_logs(stand: Stand) -> Seen:
    folder = _nightly(stand)
    assert "said" in written(folder, "talker.log"), "the container's log was not collected"
    return leaked(written(folder, "*.log"), SECRET, TOKEN)


@scenario(CLUSTER, "results, or the page of a nightly run, can be read by every user of the computer")
def files_for_everybody(stand: Stand) -> Seen:
    _, folder = _checked(stand)
    paths = [folder / "check.json", folder / "check.xml", *_nightly(stand).rglob("report.html")]
    modes = {path.name: f"{path.stat().st_mode & 0o777:04o}" for path in paths}
    return Seen(any(not mode.endswith("00") for mode in modes.values()), ", ".join(map(" ".join, modes.items())))


@scenario(CLUSTER, "a link prepared under the temporary name of a report is followed, and a file overwritten")
def prepared_link(stand: Stand) -> Seen:
    victim = stand.ada.folder / "victim"
    victim.write_text("precious")
    for name in ("linked.json.partial", ".linked.json.partial"):
        (stand.ada.folder / name).symlink_to(victim)
    stand.ada.play()
    stand.ada("check", "--json", str(stand.ada.folder / "linked.json"))
    lost = victim.read_text() != "precious"
    return Seen(lost, "the file was overwritten" if lost else "the file is untouched")


def _controls(*shown: Ran) -> Seen:
    found = sorted({repr(one) for ran in shown for one in CONTROLS.findall(ran.out + ran.err)})
    return Seen(bool(found), f"printed: {', '.join(found)}" if found else "none is printed")


@scenario(CLUSTER, "control sequences of a host's SSH banner reach the terminal")
def hostile_banner(stand: Stand) -> Seen:
    stand.ada.play()
    hosts = stand.ada.inventory["hosts"]
    with hostile_ssh_server() as port:
        host1 = {**hosts["host1"], "ssh": {**hosts["host1"]["ssh"], "address": "127.0.0.1", "port": port}}
        with stand.ada.having(hosts={**hosts, "host1": host1}):
            return _controls(*(stand.ada(verb) for verb in ("status", "plan", "provision")))


@scenario(CLUSTER, "control sequences of a label that somebody else gave reach the terminal")
def hostile_label(stand: Stand) -> Seen:
    stand.ada.play(volumes={"taken": {"hosts": "host1"}})
    stand.sh("host1", f'docker volume create --label org.clusterlab.lab="$(printf "{HOSTILE}")" taken')
    return _controls(stand.ada("plan"), stand.ada("apply"))


@scenario(CLUSTER, "control sequences that a container prints reach the terminal")
def hostile_output(stand: Stand) -> Seen:
    ran, _ = _checked(stand)
    dies = {"dies": {**TALKER, "command": ["sh", "-c", f"{SAYS}; exit 3"]}}
    stand.ada.play(containers=dies)
    return _controls(ran, stand.ada("apply"))


@scenario(CLUSTER, "the remedy for sudo that asks for a password edits sudoers without visudo's check")
def sudo_remedy(stand: Stand) -> Seen:
    user = "clusterlab-test"
    stand.ada.play()
    stand.sh("gw", f"useradd -m -s /bin/bash {user}; cp -r /root/.ssh ~{user}/; chown -R {user}: ~{user}/.ssh")
    stand.sh("gw", f"echo '{user} ALL=(ALL) ALL' > /etc/sudoers.d/{user}; chmod 440 /etc/sudoers.d/{user}")
    hosts = stand.ada.inventory["hosts"]
    try:
        with stand.ada.having(hosts={**hosts, "gw": {**hosts["gw"], "ssh": {**hosts["gw"]["ssh"], "user": user}}}):
            ran = stand.ada("up")
    finally:
        stand.sh("gw", f"rm -f /etc/sudoers.d/{user}; userdel -rf {user} 2>/dev/null")
    assert "NOPASSWD" in ran.text, ran.text[-600:]
    return Seen("visudo" not in ran.text, "visudo checks it" if "visudo" in ran.text else "nothing checks it")
