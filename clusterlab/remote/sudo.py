"""What a person does so that a user may use sudo without a password."""

from __future__ import annotations

import re
import shlex


def passwordless(user: str) -> str:
    """Commands for root: a drop-in that visudo checks before it takes effect.

    sudoers(5): files are read in the order of their names, the last matching rule counts, and names with a dot are
    ignored.
    """
    file = f"/etc/sudoers.d/zz-clusterlab-{re.sub(r'[^A-Za-z0-9_-]', '_', user)}"
    rule = shlex.quote(f"{user} ALL=(ALL) NOPASSWD: ALL")
    return f"echo {rule} | EDITOR=tee visudo -f {file} && chmod 0440 {file} && visudo -c"
