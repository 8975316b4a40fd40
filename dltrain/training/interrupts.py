"""What do Ctrl-C and SIGTERM do to a training? They end it as `interrupted`, never as finished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dltrain.errors import DltrainError


class Interrupted(DltrainError):
    """A signal ended the training; the exit code is 128 plus its number (130, 143)."""

    def __init__(self, message: str, *, signal_number: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal_number


class Terminated(BaseException):
    """SIGTERM arrived. Like KeyboardInterrupt it is no Exception, so that nothing swallows it."""


@contextmanager
def raising_on_terminate() -> Iterator[None]:
    """Turn SIGTERM into `Terminated` while the block runs (in the main thread only)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
