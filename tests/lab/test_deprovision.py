"""NFS exports, LUNs, units and files on virtual machines: after provision and deprovision they are as before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clusterlab.model.inventory import Inventory
from clusterlab.model.lab import Lab
from clusterlab.plan.deprovision import deprovision
from clusterlab.plan.graph import carry_out
from clusterlab.plan.provision import provision
from clusterlab.progress import Silent
from clusterlab.remote import Hosts

NAME = "withdrawn-test"
LAB = Lab(
    Inventory.model_validate(
        {
            "lab": NAME,
            "machines": "existing",
            "network": {"subnet": "192.168.94.0/24"},
            "hosts": {
                "gw": {"address": "192.168.94.1", "roles": ["nfs_server", "iscsi_target"]},
                "host1": {"address": "192.168.94.11", "roles": ["docker"]},
            },
            "nfs": {"exports": [{"path": "/withdrawn/empty", "clients": "10.99.0.0/24"}]},
            "iscsi": {"luns": [{"name": "disk1", "size": "16M", "host": "host1"}]},
            "sysctl": {"vm.swappiness": 17},
        }
    )
)
STATE = r"""
find /etc -type f -not -name '*.cache' -exec md5sum {} + | sort -k 2
for unit in nfs-server tgt iscsid docker; do
    echo "$unit $(systemctl is-active $unit) $(systemctl is-enabled $unit)"
done
cat /var/lib/nfs/etab; tgtadm --lld iscsi --mode target --op show; sysctl -n vm.swappiness; ls /
"""


@pytest.fixture
def two(hosts: Hosts) -> Iterator[Hosts]:
    """gw and host1, with the units of the NFS server and the iSCSI initiator off and disabled."""
    units = {"gw": "nfs-server", "host1": "iscsid.socket iscsid"}
    for name, off in units.items():
        hosts[name].run(f"systemctl disable --now {off}", check=True, timeout=120)
    with Hosts({name: hosts[name].target for name in units}) as pair:
        yield pair
    for name, off in units.items():
        hosts[name].run(f"systemctl enable --now {off}", timeout=120)


def states(hosts: Hosts) -> dict[str, str]:
    return {name: hosts[name].run(STATE).stdout for name in hosts}


def test_hosts_are_as_they_were_before_provision(two: Hosts) -> None:
    before = states(two)
    report = carry_out(provision(LAB, two), Silent())
    assert report.ok, (report.failed, report.blocked)
    assert "/withdrawn/empty" in two["gw"].run("cat /var/lib/nfs/etab").stdout
    assert f"{NAME}.disk1" in two["gw"].run("tgtadm --lld iscsi --mode target --op show").stdout
    assert provision(LAB, two) == []

    withdrawal = deprovision(NAME, two)
    report = carry_out(withdrawal.changes, Silent())
    assert report.ok, (report.failed, report.blocked)
    kept = {str(one.key): one.reason for one in withdrawal.kept}
    assert "holds the data of the disk" in kept["gw: lun disk1"]
    after = states(two)
    assert after["gw"].replace("withdrawn\n", "") == before["gw"]  # the parent of the export was created too
    assert after["host1"] == before["host1"]
    assert two["gw"].run("ls -A /withdrawn").stdout == ""
    assert two["gw"].run(f"stat -c %s /var/lib/clusterlab/luns/{NAME}/disk1.img").stdout == f"{16 * 2**20}\n"
    assert deprovision(NAME, two).changes == []
    two["gw"].run(f"rm -r /withdrawn /var/lib/clusterlab/luns/{NAME}", check=True)
