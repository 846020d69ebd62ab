"""The names of this package's kinds of faults, in the order of FAULTS.

Light on purpose: each key press in a completing shell imports it.
"""

from __future__ import annotations

OWN = (
    *("partition", "isolate", "split", "block", "loss", "delay", "rate", "mtu"),
    *("no_route", "duplicate_address", "dns", "conntrack_flush"),
    *("unplug", "flap", "power_off", "reset", "pause_machine"),
    *("clock", "fill_disk", "slow_disk", "memory"),
    *("stop_engine", "kill_engine", "restart_engine", "freeze_engine", "freeze_task", "kill_task"),
    *("stop_nfs", "unexport", "export_ro"),
    "drain_node",
)
