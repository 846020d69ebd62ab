"""Reaching hosts: one SSH connection per host, and all that goes through it.

Commands, files and the Docker API.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .ssh_config import ssh_argv, ssh_config
from .target import Target

if TYPE_CHECKING:
    from .completed import Completed
    from .host import Host
    from .hosts import Hosts

__all__ = ["Completed", "Host", "Hosts", "Target", "ssh_argv", "ssh_config"]

_MODULES = {"Completed": "completed", "Host": "host", "Hosts": "hosts"}


def __getattr__(name: str) -> Any:
    """Import what needs Paramiko only when it is used.

    It takes long, and most of the command line needs none of it.
    """
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
