"""Networks of stacks that exist, compared with the stack's files."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.resources.stack_objects import network_drift
from clusterlab.resources.stack_view import StackObject


def drift(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    listed = {"Driver": "overlay", "Internal": False, "Attachable": False, **found}
    return [str(one) for one in network_drift({"Driver": "overlay", **wanted}, StackObject("network", "st_a", listed))]


@pytest.mark.parametrize("value", ["", "true"])
def test_a_network_that_is_not_encrypted_is_not_an_encrypted_one(value: str) -> None:
    wanted = {"Options": {"encrypted": value}}
    assert (
        drift(wanted, {"Options": {"encrypted": value, "com.docker.network.driver.overlay.vxlanid_list": "4097"}}) == []
    )
    assert (
        drift(wanted, {"Options": {}}) == drift(wanted, {}) == [f"driver_opts.encrypted: wanted {value!r}, found None"]
    )
