"""A Paramiko transport that sends nothing on a channel after its close.

Paramiko makes a message of a channel under the channel's lock and sends it after that, while another thread may have
sent the close meanwhile (https://github.com/paramiko/paramiko/issues/1115). RFC 4254, 5.3 forbids that, and OpenSSH
ends the whole connection ("ieof packet referred to nonexistent channel"); when it has already given the number to the
next channel, it even takes the message for that one, whose input is then at its end, or holds another's data.
"""

from __future__ import annotations

from typing import Any, cast

import paramiko
from paramiko.common import cMSG_CHANNEL_CLOSE


class Transport(paramiko.Transport):
    """Looks at the channel once more when a message of it is really sent, which only one thread does at a time."""

    def open_channel(self, *args: Any, **kwargs: Any) -> paramiko.Channel:
        channel = super().open_channel(*args, **kwargs)
        channel.transport = cast(paramiko.Transport, _Sender(self, channel))
        return channel

    def _send_message(self, data: paramiko.Message) -> None:
        """Called with the lock under which all messages are sent: a channel is `closed` before its close comes here."""
        sender: paramiko.Channel | None = getattr(data, "sender", None)
        if sender is None or not sender.closed or data.asbytes().startswith(cMSG_CHANNEL_CLOSE):
            super()._send_message(data)  # type: ignore[misc]  # the stubs leave out what is not public


class _Sender:
    """What a channel takes for its transport: the same, which notes on messages whose they are."""

    def __init__(self, transport: Transport, channel: paramiko.Channel) -> None:
        self._transport = transport
        self._channel = channel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _send_user_message(self, message: Any) -> None:
        message.sender = self._channel
        self._transport._send_user_message(message)  # type: ignore[attr-defined]
