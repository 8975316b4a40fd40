"""How is a training kept from its trackers? Each works in a thread of its own; nothing it does
stops the training, or holds it up.

What a tracker raises becomes one warning. What it couldn't take is kept, and given to it again:
a server that is down for an hour misses nothing. At the end the training waits for it, not longer
than its `timeout_seconds`, and a few seconds only if it has failed.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections import deque

from dltrain.trackers.contract import Ending, Epoch, TrackedRun, Tracker
from dltrain.trackers.memory import MemoryFile

# After a failure the next try comes this many seconds later; the end of the run has one more.
RETRY_SECONDS = 30.0
# How long the end waits for a tracker that has failed.
LAST_TRY_SECONDS = 10.0

_LONGEST_MESSAGE = 300

# So many epochs at most are handed over together, and then written down as taken.
_MOST_EPOCHS = 200


class Guarded:
    """Work for one tracker, in a thread that dies with the process.

    `take_messages` gives what people should be told; the thread itself prints nothing.
    """

    def __init__(self, tracker: Tracker, run: TrackedRun, memory: MemoryFile) -> None:
        self.tracker = tracker
        self._run = run
        self._memory = memory
        tracker.memory = memory.get(tracker.name)
        self._jobs: queue.SimpleQueue[Epoch | Ending] = queue.SimpleQueue()
        self._pending: deque[Epoch | Ending] = deque()
        self._messages: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._has_warned = False
        self._has_begun = False
        self._failed_at: float | None = None
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"{tracker.name}-tracker")
        self._thread.daemon = True
        self._thread.start()

    def log_epoch(self, epoch: Epoch) -> None:
        """Have an epoch recorded; return at once."""
        self._jobs.put(epoch)

    def finish(self, ending: Ending) -> None:
        """Have the end recorded, and the thread end; `wait` waits for it."""
        self._jobs.put(ending)

    def wait(self, *, at_most: float = math.inf) -> None:
        """Return when all is recorded, or when it has taken too long: `at_most` seconds, say."""
        begun = time.monotonic()
        while self._thread.is_alive():
            self._thread.join(0.02)
            longest = min(self.tracker.timeout_seconds, at_most)
            if self._failed_at is not None:
                longest = min(longest, LAST_TRY_SECONDS)
            if time.monotonic() - begun > longest:
                self._given_up.set()
                self._warn(f"it didn't take all of the run within {round(longest, 1):g} s")
                return

    def take_messages(self) -> list[str]:
        """Return what there is to tell, once."""
        messages = []
        while not self._messages.empty():
            messages.append(self._messages.get())
        return messages

    def _work(self) -> None:
        self._deliver()  # begin at once: a server that is down shows in the first seconds
        is_ending = had_worked = False
        while not is_ending:
            self._pending.append(self._jobs.get())
            while not self._jobs.empty():
                self._pending.append(self._jobs.get())
            is_ending = isinstance(self._pending[-1], Ending)
            failed_at = self._failed_at
            had_worked = failed_at is None
            if is_ending or failed_at is None or time.monotonic() - failed_at >= RETRY_SECONDS:
                self._deliver()
        if self._pending and had_worked:  # it failed only now: the end has one more try
            self._deliver()

    def _deliver(self) -> None:
        """Do what is pending, in order, up to the first failure."""
        try:
            if not self._has_begun:
                self.tracker.begin(self._run)
                self._has_begun = True
                if self._failed_at is None:
                    self._messages.put(f"tracker   {self.tracker.name}: {self.tracker.where}")
                self._memory.put(self.tracker.name, self.tracker.memory)
            while self._pending and not self._given_up.is_set():
                self._hand_over()
                self._memory.put(self.tracker.name, self.tracker.memory)
        except Exception as error:  # whatever another project's code raises
            self._fail(error)
            return
        if self._failed_at is not None:
            self._failed_at = None
            where = self.tracker.where
            self._messages.put(f"{self.tracker.name} works again: all so far is in {where}.")

    def _hand_over(self) -> None:
        """Hand over the epochs that are pending, or the end if there are none."""
        epochs = [job for job in self._pending if isinstance(job, Epoch)][:_MOST_EPOCHS]
        if epochs:
            self.tracker.log_epochs(epochs)
            for _ in epochs:
                self._pending.popleft()
        elif isinstance(self._pending[0], Ending):
            self.tracker.finish(self._pending[0])
            self._pending.popleft()

    def _fail(self, error: Exception) -> None:
        self._failed_at = time.monotonic()
        self._has_begun = False
        self._warn(self.tracker.explain(error) or describe_error(error))
        try:
            self.tracker.abandon()
        except Exception:  # it has failed already, and that was told
            return

    def _warn(self, reason: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._messages.put(
                f"Warning: {self.tracker.name} failed, and the run goes on without it: {reason}."
            )


def describe_error(error: Exception) -> str:
    """Return the first line of what `error` says, with its type where it says little."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    if isinstance(error, ImportError) or len(text.split()) < 3:
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    text = text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"
    return text.rstrip(".")
