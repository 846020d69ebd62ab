"""Virtual machines: QEMU without root, from an image made of distribution packages."""

from .lab import QemuMachines

__all__ = ["QemuMachines"]
