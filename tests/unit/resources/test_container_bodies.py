"""What a container of a play is to the engine's API, and as a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterlab.model.playbook import Container
from clusterlab.resources.container_body import wanted_container

CASES = list(yaml.safe_load_all(Path(__file__).with_name("container_bodies.yml").read_text()))


@pytest.mark.parametrize("case", CASES, ids=[case["title"] for case in CASES])
def test_body_and_command(case: dict[str, Any]) -> None:
    container = Container.model_validate({"host": "h", "image": "i", **case["container"]})
    wanted = wanted_container("lab", "play", "name", container, "tag")
    body = {
        key: value
        for key, value in wanted.config.items()
        if key not in ("HostConfig", "Labels", "Image", "StopTimeout")
    }
    plain = {"NetworkMode": "bridge", "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}}
    host = {key: value for key, value in wanted.host_config.items() if value and plain.get(key) != value}
    assert body == case.get("body", {})
    assert host == case.get("host", {})
    commands = [[word for word in command if not word.startswith("org.clusterlab.")] for command in wanted.commands]
    text = " && ".join(" ".join(word for word in command if word != "--label") for command in commands)
    assert text == case["command"]


def test_labels_name_lab_play_and_a_spec_that_every_option_changes() -> None:
    def spec(**options: Any) -> str:
        container = Container.model_validate({"host": "h", "image": "i", **options})
        labels = wanted_container("lab", "play", "name", container, "tag").labels
        assert labels["org.clusterlab.lab"] == "lab"
        assert labels["org.clusterlab.play"] == "play"
        return labels["org.clusterlab.spec"]

    options: list[dict[str, Any]] = [
        {},
        {"command": "x"},
        {"environment": {"A": 1}},
        {"labels": {"a": "b"}},
        {"networks": ["n"]},
        {"networks": ["n", "m"]},
        {"networks": {"n": None, "m": {"aliases": ["x"]}}},
        {"networks": {"n": None, "m": {"ipv4_address": "10.0.0.1"}}},
        {"restart": "always"},
        {"stop_grace_period": "5s"},
        {"tmpfs": "/x"},
    ]
    assert len({spec(**one) for one in options}) == len(options)
    assert spec() == spec()
