"""What Vagrant needs on this computer, each with what to do when it is missing."""

from __future__ import annotations

import re
from pathlib import Path

from clusterlab.errors import ClusterlabError

from .libvirt import virsh
from .program import require_vagrant

_HARDWARE = re.compile(r"^flags\s*:.*\b(vmx|svm)\b", re.MULTILINE)


def require(provider: str) -> None:
    """Raise ClusterlabError when Vagrant or its provider cannot run machines here."""
    require_vagrant()
    if provider == "libvirt":
        virsh("list", "--name")  # raises unless libvirt runs, and whether this user may use it
    elif not has_virtualisation(Path("/proc/cpuinfo").read_text()):
        raise ClusterlabError(
            "VirtualBox needs hardware virtualisation, and this computer offers none",
            remedy="switch it on in the firmware, or in the outer machine's settings (nested virtualisation); "
            "or set provider: libvirt in the inventory, which emulates",
        )


def has_virtualisation(cpuinfo: str) -> bool:
    """Whether the processors described so run virtual machines."""
    return bool(_HARDWARE.search(cpuinfo))
