"""Images of one tag in stores or on platforms whose IDs cannot be compared: digests tell whether they are one."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.doctor.examine import examine
from tests.support.doctor_cases import cluster_of, sound

INDEX, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def _mixed(here: list[str], there: list[str]) -> dict[str, Any]:
    """The sound recording with containerd's store on host3, and the digests that host2 and host3 know of the image."""
    recording = sound()
    second, third = recording["host2"]["api"], recording["host3"]["api"]
    third["info"]["Driver"] = "overlayfs"
    (web,) = [one for one in third["containers"] if one["Labels"].get("com.docker.swarm.service.name") == "web"]
    (same,) = [one for one in second["containers"] if one["Labels"].get("com.docker.swarm.service.name") == "web"]
    web["ImageID"] = INDEX
    second["images"] = [{"Id": same["ImageID"], "RepoDigests": [f"shell@{one}" for one in here] or None}]
    third["images"] = [{"Id": INDEX, "RepoDigests": [f"shell@{one}" for one in there]}]
    return recording


def _unknown(recording: dict[str, Any]) -> list[str]:
    diagnosed = examine(cluster_of(recording))
    assert not [one for one in diagnosed.findings if one.code == "CL216"]
    return [one.reason for one in diagnosed.unknown if one.code == "CL216"]


@pytest.mark.parametrize("known", [[INDEX], [OTHER, INDEX]])
def test_a_digest_that_both_know_makes_them_one(known: list[str]) -> None:
    assert _unknown(_mixed(known, [INDEX])) == []


@pytest.mark.parametrize("known", [[], [OTHER], ["<none>"]])
def test_without_such_a_digest_it_is_unknown(known: list[str]) -> None:
    (reason,) = _unknown(_mixed(known, [INDEX, "<none>"]))
    assert reason.startswith("service web: its nodes have different image stores or platforms")
