"""A network of the lab that machines of another clone use, with virsh's answers."""

from __future__ import annotations

import pytest

from clusterlab.errors import ClusterlabError
from clusterlab.machines.vagrant import libvirt


@pytest.mark.parametrize("others", [True, False])
def test_nothing_is_removed_while_others_use_the_network(monkeypatch: pytest.MonkeyPatch, others: bool) -> None:
    done: list[str] = []

    def virsh(*words: str) -> list[str]:
        done.append(words[0])
        if words[0] == "domiflist":
            return (
                ["vnet0 network clusterlab-shop virtio 52:54:00:00:00:01"]
                if others
                else ["vnet0 network default virtio"]
            )
        return ["clusterlab-shop-other1"]

    found = libvirt.LibvirtObjects((), ("shop.img",), ("clusterlab-shop",))
    monkeypatch.setattr(libvirt, "virsh", virsh)
    monkeypatch.setattr(libvirt, "find", lambda *_: found)
    monkeypatch.setattr(libvirt, "remove_volume", done.append)
    if others:
        with pytest.raises(ClusterlabError, match="none of its own: clusterlab-shop-other1"):
            libvirt.remove_rest("shop", ["shop-host1"])
    else:
        libvirt.remove_rest("shop", ["shop-host1"])
    assert ("shop.img" in done, "net-undefine" in done) == (not others, not others)
