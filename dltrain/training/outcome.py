"""How did a run end? Whatever ends it, status.json says so, and never `finished` when it isn't."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from dltrain.errors import DltrainError, TrainingError
from dltrain.runs.layout import RunPaths
from dltrain.runs.status import State, begin_status, write_status

# How TensorFlow names the operation that failed, and the lines that say only where in the code.
_NODE = re.compile(r"Detected at node (\S+)")
_LOCATIONS = ("Graph execution error", "Detected at", "File ", "<stack", "[[", "(")


class Interrupted(DltrainError):
    """A signal ended the training; the exit code is 128 plus its number (130, 143)."""

    def __init__(self, message: str, *, signal_number: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal_number


class Terminated(BaseException):
    """SIGTERM arrived. Like KeyboardInterrupt it is no Exception, so that nothing swallows it."""


class RunOutcome:
    """Keep a run's status.json up to date, from `running` to how it ended."""

    def __init__(self, paths: RunPaths, *, epochs_goal: int) -> None:
        self.paths = paths
        self.status = begin_status(epochs_goal=epochs_goal)
        self.batch_size: int | None = None
        self.signal_number: int | None = None
        write_status(paths.status, self.status)

    def describe_memory(self, batch_size: int) -> None:
        """Note the batch size that a message about memory names."""
        self.batch_size = batch_size

    def raise_if_signalled(self) -> None:
        """Raise KeyboardInterrupt or Terminated if SIGINT or SIGTERM has arrived.

        A handler's exception is lost where it meets a finalizer or C code that clears errors;
        asked after every step, this makes up for that.
        """
        if self.signal_number == signal.SIGTERM:
            raise Terminated
        if self.signal_number == signal.SIGINT:
            raise KeyboardInterrupt

    def finish_epoch(self, epochs_done: int) -> None:
        """Write down that `epochs_done` epochs are done."""
        self.status = self.status.progress(epochs_done)
        write_status(self.paths.status, self.status)

    def finish(self) -> None:
        """Write down that the run ended well."""
        done, goal = self.status.epochs_done, self.status.epochs_goal
        reason = "" if done == goal else f"stopped early after {done} of {goal} epochs"
        self.status = self.status.end("finished", reason=reason)
        write_status(self.paths.status, self.status)

    def fail(self, state: State, reason: str) -> None:
        """Write down that the run ended otherwise, as far as the disk lets us.

        What is told is the first failure; a run that still says `running` without a process is
        listed as killed.
        """
        with suppress(DltrainError):
            write_status(self.paths.status, self.status.end(state, reason=reason))


@contextmanager
def recording_outcome(paths: RunPaths, *, epochs_goal: int) -> Iterator[RunOutcome]:
    """Write status.json at the start and at the end of the block, however it ends.

    Raises Interrupted on Ctrl-C and SIGTERM, TrainingError when memory runs out or TensorFlow
    refuses the values that a layer gets; other errors go on as they are.
    """
    outcome = RunOutcome(paths, epochs_goal=epochs_goal)
    try:
        with _raising_on_signals(outcome):
            yield outcome
            outcome.finish()
    except (KeyboardInterrupt, Terminated) as error:
        raise _interrupt(outcome, error) from None
    except DltrainError as error:
        outcome.fail("failed", error.message)
        raise
    except Exception as error:
        failure = _explain(error, outcome.batch_size)
        outcome.fail("failed", failure.message if failure else f"{type(error).__name__}: {error}")
        if failure is not None:
            raise failure from error
        raise


def _interrupt(outcome: RunOutcome, error: BaseException) -> Interrupted:
    number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
    word = "terminated" if number == signal.SIGTERM else "interrupted"
    reached = f"{word} after {outcome.status.epochs_done} of {outcome.status.epochs_goal} epochs"
    outcome.fail("interrupted", reached)
    model = outcome.paths.model
    return Interrupted(
        f"The run was {reached}.",
        signal_number=number,
        hint=f"The best model so far is {model}; the run's numbers are in {outcome.paths.history}."
        if model.exists()
        else "No epoch was finished, so no model was saved.",
    )


def _explain(error: Exception, batch_size: int | None) -> TrainingError | None:
    """Return what an error of TensorFlow or Python means to the user; None for a defect of ours."""
    import tensorflow as tf

    if isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError)):
        return TrainingError(
            f"Memory ran out at a batch size of {batch_size}.",
            hint="Lower training.batch_size, or make the model smaller.",
        )
    if isinstance(error, tf.errors.InvalidArgumentError):
        # Only a step shows these: an id beyond an embedding, a negative category.
        node = _NODE.search(str(error))
        lines = [line.strip() for line in str(error).splitlines()]
        said = next((line for line in lines if line and not line.startswith(_LOCATIONS)), "")
        return TrainingError(
            f"TensorFlow refused the values that a layer got: {said[:300]}"
            + (f" (in {node[1]})" if node else ""),
            hint="Look at what that layer is given.",
        )
    return None


@contextmanager
def _raising_on_signals(outcome: RunOutcome) -> Iterator[None]:
    """Note SIGINT and SIGTERM in `outcome` and raise them, in the main thread only.

    What is ignored stays so: a shell starts its background jobs with SIGINT ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        outcome.signal_number = number
        outcome.raise_if_signalled()

    numbers = (signal.SIGINT, signal.SIGTERM)
    heard = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
