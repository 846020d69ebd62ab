"""Cases of doctor's codes as data, one file per code.

A case is a YAML file named after its code, as CL305.yml:

    recorded:                # what is different in the recording of a sound lab when this is wrong
      - at: host2.parts.firewall.text
        sub: ["pattern", "text"]        # a regular expression, which must match
      - at: host1.api.tasks
        add: {...}                      # one more item of a list
      - at: host2.api.info.LiveRestoreEnabled
        set: true
    before: [...]            # the same of a reading some seconds earlier, where two are compared
    stack: |                 # the file of a stack that is to be deployed
    silent:                  # what looks like it, each for itself, and must not be reported
      - {recorded: [...], before: [...]}
    engine:                  # how it is caused on real engines in namespaces, by host; a list for several ways
      break: {host2: "a shell command"}
      heal: {host2: "what undoes it"}
      wait: {host1: "a command that succeeds when the engines have noticed"}
    swarm:                   # the same on three managers, in steps that may also be of the Swarm
      - {break: [{host3: leave}], heal: [...], hosts: [those that are asked], long: true, expect: ...}
    releases:                # what is so on hosts of three releases of Debian, whose engines differ
      - {expect: ...}
    machines:                # the same steps on virtual machines: gw, the manager host1, and the worker host2
      - {break: [{host2: run COMMAND}, {gw: until COMMAND}], heal: [...], expect: ...}
    probe:                   # the same in several ways, where only --probe shows it
      - {break: ..., heal: ..., wait: ..., expect: ...}
    variants:                # more recordings that are wrong
      - {recorded: [...], before: [...], expect: [...], also: [...]}
    recorded_only: "why it is not caused on real hosts, in place of engine, swarm, releases and machines"
    expect:                  # findings of the code: exactly these
      - subject: host2
        severity: error
        cause: text in the cause
        found: [texts in the evidence]
        fix: [texts in the fix]
        explains: [codes]
    also: [CL110]            # other codes that may be reported, in either place
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from clusterlab.doctor.answers import Answers, replayed
from clusterlab.doctor.cluster import Cluster, Plan
from clusterlab.doctor.examine import added, examine
from clusterlab.doctor.finding import Diagnosed, Finding
from clusterlab.doctor.planned import with_stack
from clusterlab.stacks import Stack, load_stack

UNIT = Path(__file__).parents[1] / "unit" / "doctor"
CASES = UNIT / "cases"
SOUND = UNIT / "recordings" / "sound.json"
PROPERTIES = {"CL103", "CL106", "CL202"}
"""What is true of the lab and its machine: old control groups, killed processes, one manager."""
_KEYS = {"recorded", "before", "silent", "variants", "stack", "probe", "engine", "swarm", "releases"}
_KEYS |= {"machines", "recorded_only", "expect", "also"}


def case_files() -> list[Path]:
    found = sorted(CASES.glob("CL*.yml"))
    assert found, f"no cases in {CASES}"
    return found


def read_case(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = yaml.safe_load(path.read_text())
    assert set(case) <= _KEYS, f"{path}: unknown keys {set(case) - _KEYS}"
    real = bool(case.keys() & {"engine", "swarm", "releases", "machines"})
    assert real != ("recorded_only" in case), f"{path}: either caused on real hosts, or recorded_only"
    return case


def ways(path: Path, lab: str) -> list[dict[str, Any]]:
    """How a case is caused on real hosts of a kind: "engine", "swarm", "releases", "machines" or "probe"."""
    case = read_case(path)
    found = case.get(lab, [])
    common = {"expect": case["expect"], "also": case.get("also", [])}
    return [{**common, **one} for one in (found if isinstance(found, list) else [found])]


def parameters(lab: str) -> list[Any]:
    """Every way of every case on real hosts of a kind, as parameters of a test: the file, and the way's number."""
    return [
        pytest.param(path, at, id=f"{path.stem}-{at}", marks=[pytest.mark.long] if way.get("long") else [])
        for path in case_files()
        for at, way in enumerate(ways(path, lab))
    ]


def sound() -> dict[str, Any]:
    """The answers of a sound lab, as they were recorded."""
    found: dict[str, Any] = json.loads(SOUND.read_text())
    return found


def changed(recording: dict[str, Any], changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The recording with what a case changes in it."""
    for change in _filled(changes, recording):
        *path, last = _path(change["at"])
        holder: Any = recording
        for key in path:
            holder = holder[_key(holder, key)]
        key = _key(holder, last)
        if "sub" in change:
            pattern, text = change["sub"]
            holder[key], number = re.subn(pattern, text, holder[key], flags=re.MULTILINE)
            assert number, f"{change['at']}: {pattern} matches nothing"
        elif "add" in change:
            holder[key] = [*(holder.get(key) or []), change["add"]]
        elif "remove" in change:
            del holder[key]
        else:
            holder[key] = change["set"]
    return recording


def _filled(value: Any, recording: Mapping[str, Any]) -> Any:
    """The changes with IDs of the recording in place of <service NAME>, <node HOST> and <now>."""
    if isinstance(value, list):
        return [_filled(one, recording) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, recording) for key, one in value.items()}
    return (
        re.sub(r"<(service|node|now) ?(\w*)>", lambda found: _known(found, recording), value)
        if (isinstance(value, str))
        else value
    )


def _known(found: re.Match[str], recording: Mapping[str, Any]) -> str:
    kind, name = found[1], found[2]
    if kind == "now":
        now = float(recording["host1"]["parts"]["clock"]["text"])
        return datetime.fromtimestamp(now - 90, UTC).isoformat().replace("+00:00", "Z")
    if kind == "node":
        return str(recording[name]["api"]["info"]["Swarm"]["NodeID"])
    return next(str(one["ID"]) for one in recording["host1"]["api"]["services"] if one["Spec"]["Name"] == name)


def _path(text: str) -> list[str]:
    """Keys separated by dots; a key with dots stands in braces."""
    return [one.strip("{}") for one in re.findall(r"\{[^}]*\}|[^.]+", text)]


def _key(holder: Any, key: str) -> Any:
    """The key in an object, or the place in a list: its number, or NAME=VALUE of one of its items."""
    if not isinstance(holder, list):
        return key
    name, sign, value = key.partition("=")
    if not sign:
        return int(key)
    names = [one[name] for one in holder]
    return next(at for at, one in enumerate(names) if value in (one if isinstance(one, list) else [one]))


def cluster_of(recording: Mapping[str, Any]) -> Cluster:
    return Cluster({name: replayed(one) for name, one in recording.items()})


def record(answers: Mapping[str, Answers]) -> dict[str, Any]:
    """Answers as a recording."""
    return {name: one.recorded() for name, one in answers.items()}


def reading(case: Mapping[str, Any]) -> Diagnosed:
    """What doctor says to the recording with the changes of a case, or of one of its silent variants."""
    later = cluster_of(changed(sound(), case["recorded"]))
    if "before" in case:
        return examine(cluster_of(changed(sound(), case["before"])), lambda: later)
    if "stack" in case:
        return _with_stack(later, case["stack"])
    return examine(later)


def stack_of(text: str) -> Stack:
    """The stack of a case, which is called shop."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "shop" / "stack.yml"
        file.parent.mkdir()
        file.write_text(text)
        return load_stack([str(file)], environment={}).valid()


def _with_stack(now: Cluster, text: str) -> Diagnosed:
    stack = stack_of(text)
    answers = with_stack({name: host.answers for name, host in now.hosts.items()}, stack)
    return added(Cluster(answers, Plan(stack, now)), Plan(stack, now))


def compare(code: str, case: Mapping[str, Any], diagnosed: Diagnosed) -> None:
    """Exactly the expected findings of the code, and no others but those that may be."""
    found = [one for one in diagnosed.findings if one.code == code]
    expected = case["expect"]
    wrong = [f"{len(found)} findings, not {len(expected)}"] if len(found) != len(expected) else []
    for wanted in expected:
        finding = next((one for one in found if re.fullmatch(wanted["subject"], one.subject)), None)
        wrong += [f"no finding on {wanted['subject']}"] if finding is None else list(_problems(wanted, finding))
    allowed = {code, *PROPERTIES, *case.get("also", [])}
    wrong += [f"besides: {one.key}" for one in diagnosed.findings if one.code not in allowed]
    unknown = [f"unknown {one.key}: {one.reason}" for one in diagnosed.unknown]
    assert not wrong, "\n".join([*wrong, *unknown, *(told(one) for one in diagnosed.findings)])


def _problems(wanted: Mapping[str, Any], finding: Finding) -> Iterator[str]:
    if finding.severity != wanted.get("severity", "error"):
        yield f"severity {finding.severity}"
    if wanted.get("cause", "") not in finding.cause:
        yield f"{wanted['cause']!r} is not in the cause"
    found = "\n".join(f"{one.host} {one.asked} {one.found}" for one in finding.evidence)
    yield from (f"{text!r} is not in the evidence" for text in wanted.get("found", []) if text not in found)
    fix = "\n".join(f"{one.host}: {one.run}" for one in finding.fix)
    yield from (f"{text!r} is not in the fix" for text in wanted.get("fix", []) if text not in fix)
    codes = {one.partition(":")[0] for one in finding.explains}
    yield from (f"{text} is not explained" for text in wanted.get("explains", []) if text not in codes)
    if not finding.evidence or not finding.fix:
        yield "no evidence, or no fix"


def told(finding: Finding) -> str:
    """A finding in full, for the one who reads a failed test."""
    lines = [f"{finding.severity} {finding.key}: {finding.cause}"]
    lines += [f"    {one.host}: {one.asked}: wanted {one.wanted}, found {one.found}" for one in finding.evidence]
    lines += [f"    fix {one.host}: {one.run}" for one in finding.fix]
    return "\n".join([*lines, f"    explains {finding.explains}"])
