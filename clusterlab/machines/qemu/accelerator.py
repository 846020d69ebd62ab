"""How QEMU runs the guests' instructions on this computer."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.programs import run_program

BINARY = "qemu-system-x86_64"


@dataclass(frozen=True)
class Accelerator:
    """The QEMU at hand, with the accelerator and processor model to ask it for."""

    name: str  # for people: "KVM" or "emulation"
    accel: str
    cpu: str
    fingerprint: str
    """What a saved machine depends on: QEMU's version, and under KVM the processor's."""
    kernel: str = ""
    """Options for the guests' kernel, besides those of every machine."""


@cache
def accelerator() -> Accelerator:
    """KVM where it really works, emulation elsewhere.

    Raises ClusterlabError when QEMU is not installed.
    """
    version = _qemu_version()
    processor = _processor()
    if _kvm_works(processor):
        model = re.search(r"^model name\s*:\s*(.*)$", processor, re.MULTILINE)
        return Accelerator("KVM", "kvm", "host", f"{version} kvm {model[1] if model else ''} {_flags(processor)}")
    # QEMU translates code again for each address that it runs at: without randomisation, programs keep theirs.
    return Accelerator("emulation", "tcg,thread=multi,tb-size=512", "max,pcid=off", f"{version} tcg", "norandmaps")


def _kvm_works(processor: str) -> bool:
    """Whether guests run under KVM.

    /dev/kvm may open without hardware behind it, and guests then hang.
    """
    return bool({"vmx", "svm"} & set(_flags(processor).split())) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def _processor() -> str:
    return Path("/proc/cpuinfo").read_text().partition("\n\n")[0]


def _flags(processor: str) -> str:
    found = re.search(r"^flags\s*:\s*(.*)$", processor, re.MULTILINE)
    return found[1] if found else ""


def _qemu_version() -> str:
    for tool, package in ((BINARY, "qemu-system-x86"), ("qemu-img", "qemu-utils"), ("vde_switch", "vde2")):
        if not shutil.which(tool):
            raise ClusterlabError(
                f"{tool} is not installed: virtual machines cannot be run",
                remedy=f"install it: sudo apt-get install {package}",
            )
    done = run_program([BINARY, "--version"], 30)
    if done.exit != 0:
        raise ClusterlabError(f"{BINARY} does not run", detail=done.stderr)
    return done.stdout.splitlines()[0]
