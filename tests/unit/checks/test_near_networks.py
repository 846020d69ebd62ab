"""A probe over each of several networks: one answer counts, and without one all must have been asked."""

from __future__ import annotations

import pytest

from clusterlab.checks.batch import Job, ask_all
from clusterlab.checks.place import MissingTool, NotUnderstood, ProbeError
from clusterlab.checks.places import Places
from clusterlab.model.playbook import Network, Play
from clusterlab.remote import Hosts
from clusterlab.remote.completed import Completed
from tests.support.labs import namespaces_lab

JOB = Job(7, "tcp", "10.0.1.2", 80, near=True)
TIMED_OUT = "0 124 "
MISSING = "0 127 timeout: failed to run command: No such file or directory"
ODD = "0 1 curl: (45) something else"
ANSWERED = "0 0 * Connected to 10.0.1.2 (10.0.1.2) port 80"


def asked(monkeypatch: pytest.MonkeyPatch, *lines: str) -> tuple[bool, str]:
    places = Places(namespaces_lab("near", "10.75.0.0/24"), Play(title="none", networks={"net": Network()}), Hosts({}))
    printed = "\n".join(lines)
    monkeypatch.setattr(places, "run", lambda place, argv, timeout: Completed(place.host, "", 0, printed, "", 0.0))
    met = ask_all("host1", [JOB], places)[JOB]
    return met.reached, met.found


@pytest.mark.parametrize(("odd", "error"), [(MISSING, MissingTool), (ODD, NotUnderstood)])
def test_a_network_that_could_not_be_asked_is_not_hidden_by_one_that_timed_out(
    monkeypatch: pytest.MonkeyPatch, odd: str, error: type[ProbeError]
) -> None:
    for lines in ((odd, TIMED_OUT), (TIMED_OUT, odd)):
        with pytest.raises(error):
            asked(monkeypatch, *lines)
    for lines in ((odd, ANSWERED), (ANSWERED, odd)):
        assert asked(monkeypatch, *lines) == (True, "open")
    assert asked(monkeypatch, TIMED_OUT, TIMED_OUT) == (False, "timed out")
