"""A Paramiko transport that forwards Unix sockets.

It sends nothing on a channel after its close.

Paramiko makes a message of a channel under the channel's lock and sends it after that, while another thread may have
sent the close meanwhile (https://github.com/paramiko/paramiko/issues/1115). RFC 4254, 5.3 forbids that, and OpenSSH
ends the whole connection ("ieof packet referred to nonexistent channel"); when it has already given the number to the
next channel, it even takes the message for that one, whose input is then at its end, or holds another's data.
"""

from __future__ import annotations

import threading
from typing import Any, cast

import paramiko
from paramiko.common import cMSG_CHANNEL_CLOSE, cMSG_CHANNEL_OPEN

_STREAMLOCAL = "direct-streamlocal@openssh.com"
"""A channel to a Unix socket of the host: OpenSSH's PROTOCOL, section 2.4."""


class Transport(paramiko.Transport):
    """Checks the channel again at the moment when a message of it is sent.

    Only one thread sends at a time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._opening = threading.local()  # `socket`: the path that this thread is opening
        super().__init__(*args, **kwargs)

    def open_unix_socket(self, path: str) -> paramiko.Channel:
        """A channel to a Unix socket of the host.

        As for any channel, SSHException says that it was refused.

        Paramiko does not know this kind of channel: `_send_user_message` adds the fields that it leaves out.
        """
        self._opening.socket = path
        try:
            return self.open_channel(_STREAMLOCAL)
        finally:
            self._opening.socket = ""

    def open_channel(self, *args: Any, **kwargs: Any) -> paramiko.Channel:
        channel = super().open_channel(*args, **kwargs)
        channel.transport = cast(paramiko.Transport, _Sender(self, channel))
        return channel

    def _send_user_message(self, data: paramiko.Message) -> None:
        socket = getattr(self._opening, "socket", "")
        if socket and data.asbytes().startswith(cMSG_CHANNEL_OPEN):
            data.add_string(socket)
            data.add_string("")  # two reserved fields
            data.add_int(0)
        super()._send_user_message(data)  # type: ignore[misc]  # the stubs leave out what is not public

    def _send_message(self, data: paramiko.Message) -> None:
        """Called with the lock under which all messages are sent.

        A channel is `closed` before its close comes here.
        """
        sender: paramiko.Channel | None = getattr(data, "sender", None)
        if sender is None or not sender.closed or data.asbytes().startswith(cMSG_CHANNEL_CLOSE):
            super()._send_message(data)  # type: ignore[misc]  # the stubs leave out what is not public


class _Sender:
    """What a channel takes for its transport.

    The same, which notes on messages whose they are.
    """

    def __init__(self, transport: Transport, channel: paramiko.Channel) -> None:
        self._transport = transport
        self._channel = channel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _send_user_message(self, message: Any) -> None:
        message.sender = self._channel
        self._transport._send_user_message(message)
