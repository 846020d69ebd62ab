"""Labs that share a registry, and call its host by different names."""

from __future__ import annotations

import pytest

from clusterlab.remote import Host, Target
from clusterlab.remote.connection import Connections
from clusterlab.resources import record, registry_server
from clusterlab.resources.base import Key
from clusterlab.resources.observed import Observed
from clusterlab.resources.registry_server import PACKAGE, REGISTRY, Registry, WantedRegistry
from clusterlab.resources.scope import Scope

GW = "DNS:gw,IP:10.74.0.1"
WANTED = WantedRegistry("hub", "10.74.0.1")


def found(names: str, others: str) -> Registry:
    parts = f"--- names\n{names}\n--- authority\n--- config\n{registry_server._TEXT}"
    answers = {
        REGISTRY.name: f"{PACKAGE} active enabled\n{parts}",
        record.SECTION: f'registry@{PACKAGE} ""\n',
        record.OTHERS: others,
    }
    at = Observed("shop", Host(Target("hub", "10.74.0.1"), Connections()), answers=answers)
    return REGISTRY.observe(Scope("shop", {at.name: at}))[Key("hub", REGISTRY.name, PACKAGE)]


@pytest.mark.parametrize(
    ("names", "others", "certificate"),
    [
        (GW, f'blog/registry@{PACKAGE} ""\n', f"{GW},DNS:hub"),
        (f"{GW},DNS:hub", f'blog/registry@{PACKAGE} ""\n', ""),
        (f"{GW},DNS:hub", "", "DNS:hub,IP:10.74.0.1"),
        (GW, f"blog/package@{PACKAGE} null\n", "DNS:hub,IP:10.74.0.1"),
        ("DNS:hub,IP:10.74.0.1", "", ""),
        ("", "", "DNS:hub,IP:10.74.0.1"),
    ],
)
def test_the_certificate_keeps_the_names_of_other_labs(names: str, others: str, certificate: str) -> None:
    registry = found(names, others)
    differences = {one.name: one.wanted for one in REGISTRY.differences(WANTED, registry)}
    assert differences == ({"certificate": certificate} if certificate else {})
    if certificate:
        assert f"echo subjectAltName={certificate} > extensions" in registry_server._script(
            WANTED, registry.names_for(WANTED)
        )
