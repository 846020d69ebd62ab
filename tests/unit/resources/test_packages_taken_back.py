"""Packages that provision installed, and what of them is recorded and goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.progress import Silent
from clusterlab.resources import apt, packages, record
from clusterlab.resources.base import Change
from clusterlab.resources.docker_engine import ENGINE
from clusterlab.resources.iscsi_initiator import INITIATOR
from clusterlab.resources.nfs import EXPORT
from clusterlab.resources.observed import Observed
from clusterlab.resources.packages import PACKAGE
from clusterlab.resources.scope import Scope
from tests.support.rooted import Rooted


@pytest.fixture
def host(tmp_path: Path) -> Rooted:
    return Rooted(tmp_path / "root")


def test_the_record_keeps_of_packages_that_apt_failed_to_install_only_those_on_the_host(
    host: Rooted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "_HOLDERS", "true")
    host.program("apt-get", "case $* in *install*) echo 'E: broken' >&2; exit 100;; esac")
    host.program("dpkg-query", "echo 'tgt half-configured 1.0'; echo 'old config-files 1.0'; exit 1")
    with pytest.raises(ClusterlabError, match="cannot install tgt old curl"):
        packages._record_and_install(host, "demo", ["tgt", "old", "curl"], Silent())
    assert list(record.entries(host.observed(), "package")) == ["tgt"]


def recorded_packages(host: Rooted, names: Sequence[str], installed: Sequence[str], **more: Any) -> Observed:
    """A host on which provision installed packages, of which those are still there."""
    record.remember(host, "demo", PACKAGE.name, dict.fromkeys(names))
    answers = more.pop("answers", {})
    return host.observed({PACKAGE.name: "".join(f"{name} installed 1.0\n" for name in installed), **answers}, **more)


def removal_of_packages(at: Observed, *allowed: str) -> tuple[dict[str, str], Change | None]:
    """Why packages are kept, and the change that removes the others."""
    scope = Scope("demo", {at.name: at}, allowed=frozenset(allowed))
    kept, change = {}, None
    for key, found in PACKAGE.observe(scope).items():
        if why := PACKAGE.kept(scope, key, found):
            kept[key.name] = why
        else:
            change = change or PACKAGE.remove(scope, key, found, "why")
    return kept, change


def test_a_package_that_somebody_removed_takes_no_other_with_it(host: Rooted) -> None:
    """Without --packages, what provision installed stays, whatever has become of the rest."""
    host.program("apt-get", "exit 1")
    at = recorded_packages(host, ["curl", "tgt", "nfs-common"], ["curl", "nfs-common"])
    kept, change = removal_of_packages(at)
    assert kept == dict.fromkeys(("curl", "nfs-common"), "packages stay unless --packages is given")
    assert change is not None
    assert (change.action, change.key.name) == ("forget", "tgt")
    host.program("dpkg-query", "exit 1")
    change.carry_out()
    assert list(record.entries(host.observed(), PACKAGE.name)) == ["curl", "nfs-common"]


def test_packages_go_with_their_flag_but_for_those_that_others_use(host: Rooted) -> None:
    """Also where no unit is recorded: Debian starts what it installs, so provision may have found it running."""
    names = ["docker.io", "docker-cli", "nfs-kernel-server", "open-iscsi", "curl"]
    table = "\n@ /var/lib/nfs/etab\n/srv/theirs\t*(rw)\n"
    answers = {
        EXPORT.name: table,
        INITIATOR.name: "InitiatorName=iqn.x\nsession1\n",
        ENGINE.name: "docker active enabled\n",
    }
    at = recorded_packages(host, names, names, info={"Containers": 2}, answers=answers)
    kept, change = removal_of_packages(at, "--packages")
    assert kept == {
        "docker.io": "others use it: 2 containers",
        "docker-cli": "others use it: 2 containers",
        "nfs-kernel-server": "others use it: /srv/theirs",
        "open-iscsi": "others use it: session1",
    }
    assert change is not None
    assert change.command == "apt-get remove curl"
    silent = recorded_packages(host, names, names, answers=answers)
    assert "an engine that does not answer" in removal_of_packages(silent, "--packages")[0]["docker.io"]
