"""Times and processors in billionths, and as commands take them."""

from __future__ import annotations

import pytest

from clusterlab.model.playbook import Container, Service
from clusterlab.resources.container_body import wanted_container
from clusterlab.resources.nano import milliseconds, nano, processors
from clusterlab.resources.service_body import wanted_service


@pytest.mark.parametrize(
    ("amount", "billionths"), [(0, 0), (8.2, 8_200_000_000), (2.01, 2_010_000_000), (4.1, 4_100_000_000), (1e-9, 1)]
)
def test_amounts_are_rounded(amount: float, billionths: int) -> None:
    assert nano(amount) == billionths


@pytest.mark.parametrize(
    ("nanoseconds", "typed"),
    [(0, "0ms"), (8_200_000_000, "8200ms"), (500_000, "0.5ms"), (1, "0.000001ms"), (10**15, "1000000000ms")],
)
def test_times_as_commands_take_them(nanoseconds: int, typed: str) -> None:
    assert milliseconds(nanoseconds) == typed


@pytest.mark.parametrize(
    ("billionths", "typed"), [(0, "0"), (2_010_000_000, "2.01"), (123_456_789_012, "123.456789012")]
)
def test_processors_as_commands_take_them(billionths: int, typed: str) -> None:
    assert processors(billionths) == typed


def test_services_and_containers_have_the_times_that_their_play_gives() -> None:
    check = {"test": "true", "interval": "8.2s", "timeout": "4.1s", "start_period": "8.2s"}
    service = Service.model_validate(
        {
            "image": "i",
            "stop_grace_period": "8.2s",
            "healthcheck": check,
            "deploy": {"resources": {"limits": {"cpus": 2.01}}, "update_config": {"delay": "4.1s"}},
        }
    )
    spec = wanted_service("lab", "play", "name", service, "tag").spec("id")
    assert spec["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"] == 8_200_000_000
    assert spec["TaskTemplate"]["Resources"]["Limits"]["NanoCPUs"] == 2_010_000_000
    assert spec["UpdateConfig"]["Delay"] == 4_100_000_000
    container = Container.model_validate({"host": "h", "image": "i", "healthcheck": check})
    found = wanted_container("lab", "play", "name", container, "tag").config["Healthcheck"]
    assert {key: found[key] for key in ("Interval", "Timeout", "StartPeriod")} == {
        "Interval": 8_200_000_000,
        "Timeout": 4_100_000_000,
        "StartPeriod": 8_200_000_000,
    }
