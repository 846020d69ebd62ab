"""How channels to a host's engine are opened.

By forwarding its socket, or through `docker system dial-stdio`.
"""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass

import paramiko

from clusterlab.errors import HostError

from .channels import Channels, ForwardingRefused


@dataclass(frozen=True)
class Way:
    """A channel to the engine, which reads and answers HTTP.

    `dialled` when a process on the host carries it; `spare` when it is the connection's spare channel.
    """

    channel: paramiko.Channel
    dialled: bool
    spare: bool


class Ways:
    """Opens channels to the engine of one host. Safe to use from several threads.

    sshd forwards the engine's socket without starting anything. It refuses when the user may not open the socket, when
    forwarding is disabled, and when nothing listens, and does not say which. Then `docker system dial-stdio` is run, as
    root with `become`: it may open the socket, or says why there is no engine. Once that has answered and forwarding is
    refused again, the host is dialled from then on.

    `counts` is added to: "streams" (forwarded sockets) and "dials" (processes) opened.
    """

    def __init__(self, channels: Channels, counts: Counter[str]) -> None:
        self._channels = channels
        self._counts = counts
        self._dial_answers = False
        self._only_dials = False

    def open(self, timeout: float, *, spare: bool = False) -> Way:
        """A new channel, or the `spare` one, to be ended with `Channels.give_back`.

        Its reads wait `timeout` seconds at most.

        Raises HostError when the host cannot be reached, ChannelsInUse when all channels stayed in use.
        """
        if not self._only_dials:
            dial_answers = self._dial_answers
            try:
                channel = self._channels.take(timeout, spare=spare, socket=self._channels.target.engine)
            except ForwardingRefused:
                self._only_dials = dial_answers
            else:
                channel.settimeout(timeout)
                self._counts["streams"] += 1
                return Way(channel, dialled=False, spare=spare)
        return Way(self._dial(timeout, spare), dialled=True, spare=spare)

    def answers(self, way: Way) -> None:
        """The engine has answered through this channel."""
        self._dial_answers = self._dial_answers or way.dialled

    def _dial(self, timeout: float, spare: bool) -> paramiko.Channel:
        target = self._channels.target
        command = ["docker", "--host", f"unix://{target.engine}", "system", "dial-stdio"]
        channel = self._channels.take(timeout, spare=spare)
        self._counts["dials"] += 1
        try:
            channel.settimeout(timeout)
            channel.exec_command(shlex.join([*(["sudo", "-n", "--"] if target.become else []), *command]))
        except (paramiko.SSHException, EOFError, OSError) as error:
            self._channels.give_back(channel, spare=spare)
            raise HostError(
                target.name,
                f"the connection was lost while the engine was dialled ({error or type(error).__name__})",
                remedy="The machine may be rebooting: try again.",
            ) from error
        return channel
