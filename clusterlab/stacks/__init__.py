"""Docker stack files, read exactly as `docker stack deploy` reads them.

And the specs that it would send.

Sources: docker/cli 28.2 (loader, converter), the Compose file format 3.13, the Docker API, swarmkit's validation.
"""

from __future__ import annotations

from .load import Loaded, load_stack
from .specs import StackSpecs, stack_specs
from .stack import Stack

__all__ = ["Loaded", "Stack", "StackSpecs", "load_stack", "stack_specs"]
