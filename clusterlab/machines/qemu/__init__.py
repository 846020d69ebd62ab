"""Virtual machines: QEMU without root, from an image of distribution packages."""
