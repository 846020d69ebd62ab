"""Virtual machines: QEMU without root, from an image made of distribution packages."""
