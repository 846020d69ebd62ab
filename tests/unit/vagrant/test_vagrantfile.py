"""The Vagrantfile reads the same inventory: what it assumes without being told is what clusterlab assumes."""

from __future__ import annotations

import re

from clusterlab.machines.qemu.kind import QemuSettings
from clusterlab.machines.vagrant.folder import OWN
from clusterlab.machines.vagrant.kind import VagrantSettings
from clusterlab.machines.vagrant.libvirt import domain_name, network_name
from clusterlab.model.inventory import Network

TEXT = (OWN / "Vagrantfile").read_text()


def test_defaults_are_the_models() -> None:
    block = re.search(r"^DEFAULTS = \{\n(.*?)^\}", TEXT, re.DOTALL | re.MULTILINE)
    assert block
    said = dict(re.findall(r'"(\w+)" => "?([^",]+)"?,', block[1]))
    model = VagrantSettings()
    assert said == {
        "subnet": str(Network().subnet),
        "provider": model.provider,
        "memory": model.memory,
        "cpus": str(model.cpus),
        "boot_timeout": f"{model.boot_timeout / 60:.0f}m",
        "release": QemuSettings().release,
    }


def test_names_are_those_that_clusterlab_looks_for() -> None:
    prefix = re.search(r'libvirt\.default_prefix = "(.*)"', TEXT)
    network = re.search(r'libvirt__network_name: "(.*?)"', TEXT)
    assert prefix
    assert network
    assert prefix[1] + "demo-gw" == domain_name("demo-gw")
    assert network[1].replace("#{lab}", "demo") == network_name("demo")
