"""Vagrant's output, line by line as it really printed it."""

from __future__ import annotations

import pytest

from clusterlab.machines.vagrant.events import Event, failure, parse_event, step
from clusterlab.machines.vagrant.status import states_in

STATUS = """\
1795524719,demo-gw,metadata,provider,libvirt
1795524719,demo-host1,metadata,provider,libvirt
1795524719,demo-gw,provider-name,libvirt
1795524719,demo-gw,state,running
1795524719,demo-gw,state-human-short,running
1795524719,demo-host1,provider-name,libvirt
1795524719,demo-host1,state,shutoff
1795524719,demo-host1,state-human-short,shutoff
1795524719,demo-host2,state,not_created
1795524719,,ui,info,Current machine states:\\n\\ndemo-gw    running (libvirt)%!(VAGRANT_COMMA) and so on
"""


def test_states() -> None:
    found = states_in([parse_event(line) for line in STATUS.splitlines()])
    assert found == {
        "demo-gw": ("running", "running"),
        "demo-host1": ("stopped", "shutoff"),
        "demo-host2": ("absent", "not_created"),
    }


def test_a_state_that_is_not_known_is_no_good_one() -> None:
    assert states_in([Event("demo-gw", "state", ("crashed",))]) == {"demo-gw": ("unreachable", "crashed")}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("1,demo-gw,ui,info,Creating image (snapshot)...", "Creating image (snapshot)"),
        ("1,demo-gw,ui,info, -- Name:              clusterlab-demo-gw", ""),
        ("1,demo-gw,ui,info,==> demo-gw: Waiting for an IP...", "Waiting for an IP"),
        ("1,demo-gw,ui,detail,    demo-gw: SSH address: 192.168.121.7:22", "SSH address: 192.168.121.7:22"),
        ("1,demo-gw,ui,detail,    demo-gw: \\n    demo-gw: Inserting a key", "Inserting a key"),
        ("1,,ui,detail,Progress: 40% (Rate: 515M/s%!(VAGRANT_COMMA) Estimated time remaining: 0:00:01)", ""),
        ("1,demo-gw,ui,info,\x1b[KProgress: 40%", ""),
        ("1,demo-gw,ui,info,Uploading base box image", "Uploading base box image"),
        ("1,demo-gw,metadata,provider,libvirt", ""),
        ("/usr/lib/ruby/x.rb:1: warning: already initialized", "/usr/lib/ruby/x.rb:1: warning: already initialized"),
    ],
)  # fmt: skip
def test_steps(line: str, text: str) -> None:
    assert step(parse_event(line)) == text


def test_the_error_that_ended_it() -> None:
    lines = [
        "1,demo-gw,ui,info,Creating image (snapshot of base box volume).",
        "1,,error-exit,VagrantPlugins::ProviderLibvirt::Errors::DomainVolumeExists,Volume for domain is already"
        " created. Please run 'vagrant destroy' first%!(VAGRANT_COMMA) then up.",
    ]
    name, text = failure([parse_event(line) for line in lines])
    assert name == "DomainVolumeExists"
    assert text == "Volume for domain is already created. Please run 'vagrant destroy' first, then up."


def test_without_a_word_on_the_error_its_warnings_and_what_is_no_event() -> None:
    lines = ["1,demo-gw,ui,info,fine", "1,demo-gw,ui,error,broken", "Segmentation fault"]
    assert failure([parse_event(line) for line in lines]) == ("", "broken\nSegmentation fault")
