"""How do inputs become batches: full ones of what lies there, or what has come of a stream?"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from dltrain.evaluation.predict import PREDICTION_BATCH_SIZE

Thing = TypeVar("Thing")

# After the first row of a stream, so long is waited for more before what is there is predicted.
_PATIENCE_SECONDS = 0.05


def make_batches(
    things: Iterable[Thing], size: int = PREDICTION_BATCH_SIZE
) -> Iterator[list[Thing]]:
    """Yield lists of `size` things, the last one shorter."""
    batch: list[Thing] = []
    for thing in things:
        batch.append(thing)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def make_batches_as_they_come(
    things: Iterable[Thing], size: int = PREDICTION_BATCH_SIZE
) -> Iterator[list[Thing]]:
    """Yield lists of at most `size` things, none of which has waited long for the next to come.

    They are taken in a thread, at most two batches ahead. What taking them raises is raised here,
    after those before it.
    """
    waiting: queue.Queue[Thing | _End] = queue.Queue(2 * size)

    def take() -> None:
        try:
            for thing in things:
                waiting.put(thing)
        except BaseException as error:
            waiting.put(_End(error))
        else:
            waiting.put(_End(None))

    threading.Thread(target=take, name="read", daemon=True).start()
    while True:
        batch, end = _collect(waiting, size)
        if batch:
            yield batch
        if end is not None:
            if end.error is not None:
                raise end.error
            return


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def _collect(waiting: queue.Queue[Thing | _End], size: int) -> tuple[list[Thing], _End | None]:
    first = waiting.get()
    if isinstance(first, _End):
        return [], first
    batch = [first]
    until = time.monotonic() + _PATIENCE_SECONDS
    while len(batch) < size:
        try:
            thing = waiting.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        if isinstance(thing, _End):
            return batch, thing
        batch.append(thing)
    return batch, None
