"""Setting the clocks of machines that stood still, or come from a saved state.

The clock chip went on all the time.
"""

from __future__ import annotations

from clusterlab.errors import ClusterlabError, Several
from clusterlab.remote import Hosts

from .files import LabFiles

SET = 'read -r now < /sys/class/rtc/rtc0/since_epoch && date --set "@$now.5" > /dev/null'
"""Half a second is what a whole number lacks, as in build/guest/identity.sh."""


def set_clocks(files: LabFiles) -> None:
    """Set the clock of every machine, through connections of its own; see `set_clocks_of`."""
    ports = files.ports
    with Hosts({host: files.target(host, ports[host]) for host in files.machines}) as hosts:
        set_clocks_of(hosts)


def set_clocks_of(hosts: Hosts) -> None:
    """Set the clock of every host by its clock chip.

    Raises ClusterlabError naming those where it could not be.
    """
    answers = hosts.each(list(hosts), lambda host: host.run(SET, check=True).stdout)
    errors = [answer for answer in answers.values() if isinstance(answer, ClusterlabError)]
    if errors:
        raise Several(errors)
