"""How do the process of a sweep and its workers talk? JSON objects, a line each, on a socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

Message = dict[str, Any]


class Channel:
    """One end of the talk."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._held = b""

    def send(self, message: Mapping[str, Any]) -> bool:
        """Send a message; tell whether somebody is there."""
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return False
        return True

    def receive(self) -> Message | None:
        """Wait for a message, and return it; None when the other end is gone."""
        while b"\n" not in self._held:
            try:
                data = self.socket.recv(65_536)
            except OSError:
                data = b""
            if not data:
                return None
            self._held += data
        line, _, self._held = self._held.partition(b"\n")
        message: Message = json.loads(line)
        return message

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
