"""A process that injects one fault, and heals it once its input ends.

Tests kill it, or stop it where it stands.

    python -m tests.support.inject INVENTORY FAULT [MARGIN]

It says `injected` and `healed`, or the class of what was raised. MARGIN are the seconds after which hosts heal
themselves, in place of a minute.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from clusterlab.errors import ClusterlabError
from clusterlab.faults import dead_man
from clusterlab.faults.injection import injected
from clusterlab.faults.scene import Scene
from clusterlab.machines import open_machines
from clusterlab.model import load_inventory
from clusterlab.model.faults import parse_fault
from clusterlab.remote import Hosts


def main(inventory: str, fault: str, margin: str = "") -> None:
    if margin:
        dead_man.MARGIN_SECONDS = float(margin)
    lab = load_inventory(Path(inventory))
    try:
        with Hosts(open_machines(lab).targets()) as hosts:
            with injected(parse_fault(yaml.safe_load(fault)), Scene(lab, hosts)):
                print("injected", flush=True)
                sys.stdin.read()
            print("healed", flush=True)
    except ClusterlabError as error:
        print(type(error).__name__, error.message, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
