"""What do Ctrl-C and SIGTERM do? The first lets the step end, a second one stops at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Terminated(BaseException):
    """SIGTERM arrived. Like KeyboardInterrupt it is no Exception, so that nothing swallows it."""


class Signals:
    """Remember the first signal. Inside `deferred` it is only noted, elsewhere it is raised."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._deferred = False

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Let the block go on to a place where it can stop; raise at its end."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        self.raise_if_any()

    @contextlib.contextmanager
    def heeded(self) -> Iterator[None]:
        """Raise at once in this part of a `deferred` block: it only waits, nothing is half done."""
        self.raise_if_any()
        self._deferred = False
        try:
            yield
        finally:
            self._deferred = True

    def raise_if_any(self) -> None:
        """Raise KeyboardInterrupt or Terminated if SIGINT or SIGTERM has arrived.

        A handler's exception is lost where it meets a finalizer or C code that clears errors;
        asked again, this makes up for that.
        """
        if self.number == signal.SIGTERM:
            raise Terminated
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Do what a signal's handler does."""
        self.number = self.number or number
        if not self._deferred:
            self.raise_if_any()


@contextlib.contextmanager
def listening(signals: Signals, *, on_second: Callable[[int], object]) -> Iterator[None]:
    """Give SIGINT and SIGTERM to `signals` in the block, in the main thread only.

    At the second one the process ends at once with 128 plus its number, after `on_second`: every
    file is replaced as a whole, so nothing is torn. What is ignored stays so: a shell starts its
    background jobs with SIGINT ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in _NUMBERS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, signals.handle) for number in heard}
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # Python's handlers wait until TensorFlow returns; the byte arrives here at once.
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(reader, on_second), name="signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        os.close(writer)
        watcher.join()
        os.close(reader)
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(reader: int, on_second: Callable[[int], object]) -> None:
    """Read the signals' numbers until the pipe is closed."""
    count = 0
    while data := os.read(reader, 1):
        if data[0] not in _NUMBERS:
            continue
        count += 1
        if count == 2:
            with contextlib.suppress(Exception):
                on_second(data[0])
            sys.stderr.flush()
            os._exit(128 + data[0])
