"""What hosts keep may be damaged, as after a power failure: a message or a container less, never a traceback."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusterlab.errors import HostError
from clusterlab.remote import Host
from clusterlab.resources import record
from clusterlab.resources.observed import Observed
from clusterlab.resources.stored import Stored, stored_in


def observed(text: str) -> Observed:
    return Observed("shop", cast(Host, SimpleNamespace(name="host1")), answers={record.SECTION: text})


@pytest.mark.parametrize("content", ["", '{"a": '])
def test_a_damaged_entry_is_named_with_what_to_do(content: str) -> None:
    at = observed(f"package@curl null\nsysctl@vm.swappiness {content}\n")
    assert record.entries(at, "package") == {"curl": None}
    with pytest.raises(
        HostError, match=r"host1: what sysctl vm.swappiness was before provision is recorded in"
    ) as raised:
        record.entries(at, "sysctl")
    file = "/var/lib/clusterlab/provision/shop/sysctl@vm.swappiness"
    assert file in raised.value.message
    assert f"clusterlab ssh host1 -- rm {file}" in raised.value.remedy


def test_an_entry_is_on_disk_before_it_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    scripts: list[str] = []
    monkeypatch.setattr(record, "do", lambda host, script, doing: scripts.append(script))
    record.remember(cast(Any, None), "shop", "package", {"curl": None})
    record.hand_over(cast(Any, None), "shop", "sysctl", "vm.swappiness", "10", "60")
    assert len(scripts) == 2
    for script in scripts:
        moves = [line for line in script.splitlines() if " mv " in line]
        assert moves
        assert all(line.index("sync ") < line.index(" mv ") for line in moves)


def test_a_container_that_was_removed_meanwhile_is_left_out() -> None:
    answer = 'one config.v2 {"Name": "/one"}\none hostconfig {}\ntwo config.v2 \ntwo hostconfig {}\n'
    assert stored_in("host1", answer) == {"one": Stored({"Name": "/one"}, {})}
