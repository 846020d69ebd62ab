"""What is merged into daemon.json, and what becomes of keys that the inventory no longer has."""

from __future__ import annotations

from typing import Any

import pytest

from clusterlab.resources.engine_settings import ENGINE_SETTINGS, Found, merged


@pytest.mark.parametrize(
    ("wanted", "found", "differing", "file"),
    [
        ({"debug": True}, Found({}), ["debug: wanted True, found None"], {"debug": True}),
        ({"debug": True}, Found({"debug": True, "mtu": 1400}), [], {"debug": True, "mtu": 1400}),
        ({"debug": True}, Found({"mtu": 1400}), ["debug: wanted True, found None"], {"debug": True, "mtu": 1400}),
        # The inventory had mtu: it was not there before, or had another value.
        ({}, Found({"mtu": 9000}, {"mtu": None}, {"mtu": 9000}), ["mtu: wanted None, found 9000"], {}),
        ({}, Found({"mtu": 9000}, {"mtu": 1400}, {"mtu": 9000}), ["mtu: wanted 1400, found 9000"], {"mtu": 1400}),
        # Somebody has changed it since.
        ({}, Found({"mtu": 1234}, {"mtu": 1400}, {"mtu": 9000}), [], {"mtu": 1234}),
        ({"mtu": 1300}, Found({"mtu": 9000}, {"mtu": 1400}, {"mtu": 9000}), ["mtu: wanted 1300, found 9000"],
         {"mtu": 1300}),
    ],
)  # fmt: skip
def test_keys_are_merged_and_given_back(
    wanted: dict[str, Any], found: Found, differing: list[str], file: dict[str, Any]
) -> None:
    assert [str(one) for one in ENGINE_SETTINGS.differences(wanted, found)] == differing
    assert merged(found, wanted) == file
