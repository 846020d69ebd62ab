"""Configs, secrets and credentials of services: commands for them, and ids in the place of names."""

from __future__ import annotations

import copy
import shlex
from typing import Any

import pytest

from clusterlab.errors import HostError
from clusterlab.model.playbook import Service
from clusterlab.resources.service_body import WantedService, update_command, wanted_service
from clusterlab.resources.service_files import ids_by_name, privileges, with_ids


def wanted(**service: Any) -> WantedService:
    return wanted_service("lab", "play", "name", Service.model_validate({"image": "i", **service}), "tag")


def spec(service: WantedService) -> dict[str, Any]:
    return copy.deepcopy({**service.spec("id"), "Labels": service.labels, "Mode": service.mode})


WHOLE = {
    "configs": ["page", {"source": "site", "target": "/etc/site", "mode": "0400"}],
    "secrets": [{"source": "token", "uid": "7", "gid": "8"}],
    "isolation": "process",
    "credential_spec": {"config": "account"},
}


def test_the_command_that_creates_a_service() -> None:
    assert shlex.join(wanted(**WHOLE).command("id")[5:]).partition(" --label")[0] == (
        "--no-resolve-image --replicas 1"
        " --config source=page,target=page,uid=0,gid=0,mode=0444"
        " --config source=site,target=/etc/site,uid=0,gid=0,mode=0400"
        " --secret source=token,target=token,uid=7,gid=8,mode=0444"
        " --isolation process --credential-spec config://account"
    )


PAGE = "source=page,target=page,uid=0,gid=0,mode=0444"
OTHER = "source=page,target=other,uid=0,gid=0,mode=0444"


@pytest.mark.parametrize(
    ("before", "after", "flags"),
    [
        ({}, {"configs": ["page"]}, f"--config-add {PAGE}"),
        ({"secrets": ["page"]}, {}, "--secret-rm page"),
        (
            {"configs": ["page"]},
            {"configs": ["page", {"source": "page", "target": "other"}]},
            f"--config-rm page --config-add {OTHER} --config-add {PAGE}",
        ),
        ({"configs": ["page", "site"]}, {"configs": ["page"]}, "--config-rm site"),
        ({"isolation": "hyperv"}, {}, "--isolation default"),
        ({"isolation": "default"}, {}, ""),
        ({}, {"credential_spec": {"file": "a.json"}}, "--credential-spec file://a.json"),
        (
            {"credential_spec": {"config": "a"}},
            {"credential_spec": {"registry": "a"}},
            "--credential-spec registry://a",
        ),
        ({"credential_spec": {"config": "a"}}, {}, "--credential-spec ''"),
    ],
)
def test_the_command_that_changes_one_option(before: dict[str, Any], after: dict[str, Any], flags: str) -> None:
    command = update_command(wanted(**after), spec(wanted(**before)), {}, "id")
    labels = [index for index, word in enumerate(command) if word == "--label-add"]
    left = [word for index, word in enumerate(command) if index not in labels and index - 1 not in labels]
    assert left == ["docker", "service", "update", "--no-resolve-image", *shlex.split(flags), "name"]


def test_ids_take_the_place_of_names() -> None:
    container = with_ids(wanted(**WHOLE).container, lambda kind, name: f"id of {kind} {name}")
    assert {one["ConfigName"]: one["ConfigID"] for one in container["Configs"]} == {
        "account": "id of config account",
        "page": "id of config page",
        "site": "id of config site",
    }
    assert [one["SecretID"] for one in container["Secrets"]] == ["id of secret token"]
    assert container["Privileges"] == {"CredentialSpec": {"Config": "id of config account"}}


def test_one_that_does_not_exist_is_named() -> None:
    class Api:
        def configs(self) -> list[dict[str, Any]]:
            return [{"ID": "x", "Spec": {"Name": "page"}}]

    ids = ids_by_name(Api(), "host1", ["config"])
    assert ids("config", "page") == "x"
    with pytest.raises(HostError, match="the config site does not exist"):
        ids("config", "site")


def test_other_privileges_stay() -> None:
    others = {"SELinuxContext": {"User": "u"}, "CredentialSpec": {"File": "a"}}
    of_file = {"Privileges": {"CredentialSpec": {"File": "b"}}}
    assert privileges({"Privileges": others}, of_file) == {**others, "CredentialSpec": {"File": "b"}}
    assert privileges({"Privileges": others}, {}) == {**others, "CredentialSpec": None}
    assert privileges({"Privileges": {"Seccomp": 1}}, {}) == {"Seccomp": 1}
    assert privileges({}, {}) is None
