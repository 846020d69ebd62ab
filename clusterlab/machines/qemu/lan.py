"""The LAN between a lab's machines: one vde_switch, which needs no root."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from clusterlab.errors import ClusterlabError
from clusterlab.files import make_private
from clusterlab.private_folder import check_private
from clusterlab.programs import run_program
from clusterlab.waiting import wait_until

from .processes import SWITCH, end, processes_in

_LONGEST = 80  # bytes: a socket's path is limited to 107, and switch and plugs add to it
_PORTS = 256
_START_SECONDS = 10.0


class Lan:
    """The switch of the lab whose state is in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def sockets(self) -> Path:
        """The folder with the switch's sockets.

        In the lab's, unless its path is too long for sockets.
        """
        inside = self._folder / "lan"
        if len(os.fsencode(inside)) <= _LONGEST:
            return inside
        digest = hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"clusterlab-{os.geteuid()}-{digest}"

    @property
    def is_up(self) -> bool:
        return any(_is_switch(process.arguments) for process in processes_in(self._folder))

    def start(self) -> None:
        """Start the switch.

        Machines that were plugged into an earlier one are not plugged into this one.
        """
        self._remove_sockets()
        make_private(self.sockets)
        check_private(self.sockets)
        pid_file = self._folder / "switch.pid"  # also how the process is known to be this lab's
        pid_file.unlink(missing_ok=True)  # where one is left, the switch ends silently
        command = [SWITCH, "--sock", str(self.sockets), "--mode", "600", "--dirmode", "700", "--numports", str(_PORTS)]
        command += ["--rcfile", "/dev/null", "--pidfile", str(pid_file), "--daemon"]
        done = run_program(command, _START_SECONDS)
        if done.exit != 0:
            raise ClusterlabError("the LAN's vde_switch did not start", detail=done.output)
        listening = (self.sockets / "ctl").is_socket
        wait_until(listening, "the LAN's vde_switch to start", _START_SECONDS)

    def stop(self) -> None:
        """End the switch and remove its sockets."""
        end(process for process in processes_in(self._folder) if _is_switch(process.arguments))
        self._remove_sockets()

    def _remove_sockets(self) -> None:
        """Remove the folder of the sockets.

        Raises ClusterlabError for one that is not ours.
        """
        if os.path.lexists(self.sockets):
            check_private(self.sockets)
            shutil.rmtree(self.sockets)


def _is_switch(arguments: tuple[str, ...]) -> bool:
    return Path(arguments[0]).name == SWITCH
