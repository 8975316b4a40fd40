"""How did a run end? Whatever ends it, status.json says so, and never `finished` when it isn't."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dltrain.errors import DltrainError, MachineError, TrainingError
from dltrain.runs.checkpoint import list_checkpoints
from dltrain.runs.layout import RunPaths
from dltrain.runs.status import DataKind, State, StoppedBy, begin_status, write_status
from dltrain.training.memory import HINT
from dltrain.training.signals import Signals, Terminated, listening

# How TensorFlow names the operation that failed, and the lines that say only where in the code.
_NODE = re.compile(r"Detected at node (\S+)")
_LOCATIONS = ("Graph execution error", "Detected at", "File ", "<stack", "[[", "(")

# How often status.json is brought up to date at most: writing it takes longer than some epochs.
_SECONDS_BETWEEN_WRITES = 0.1


class Interrupted(DltrainError):
    """A signal ended the training; the exit code is 128 plus its number (130, 143)."""

    def __init__(self, message: str, *, signal_number: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal_number


class Stopped(DltrainError):
    """Whoever listens to a training asks it to stop after an epoch; the run is interrupted."""

    exit_code = 4

    def __init__(self, message: str, *, stopped_by: StoppedBy) -> None:
        super().__init__(message)
        self.stopped_by = stopped_by


class RunOutcome:
    """Keep a run's status.json up to date, from `running` to how it ended."""

    def __init__(
        self,
        paths: RunPaths,
        *,
        epochs_goal: int,
        epochs_done: int = 0,
        data: DataKind = "real",
    ) -> None:
        self.paths = paths
        self.status = begin_status(epochs_goal=epochs_goal, epochs_done=epochs_done, data=data)
        self.memory: str = ""
        self.stopped_by: StoppedBy | None = None
        self.signals = Signals()
        write_status(paths.status, self.status)
        self._written_at = time.monotonic()

    def describe_memory(self, text: str) -> None:
        """Note what a message about memory says: the batch size and what a step takes."""
        self.memory = text

    def stop_early(self, stopped_by: StoppedBy | None) -> None:
        """Note what ended the training before its goal."""
        self.stopped_by = stopped_by

    def finish_epoch(self, epochs_done: int) -> None:
        """Note that `epochs_done` epochs are done, and write it down if the last note is old."""
        self.status = self.status.progress(epochs_done)
        if time.monotonic() - self._written_at >= _SECONDS_BETWEEN_WRITES:
            write_status(self.paths.status, self.status)
            self._written_at = time.monotonic()

    def finish(self) -> None:
        """Write down that the run ended well."""
        done, goal = self.status.epochs_done, self.status.epochs_goal
        reason = ""
        if self.stopped_by == "max_seconds":
            reason = f"stopped by --max-seconds after {done} of {goal} epochs"
        elif done != goal:
            reason = f"stopped early after {done} of {goal} epochs"
        self.status = self.status.end("finished", reason=reason, stopped_by=self.stopped_by)
        write_status(self.paths.status, self.status)

    def fail(self, state: State, reason: str, *, stopped_by: StoppedBy | None = None) -> None:
        """Write down that the run ended otherwise, as far as the disk lets us.

        What is told is the first failure; a run that still says `running` without a process is
        listed as killed.
        """
        if state == "interrupted" and stopped_by is None:
            stopped_by = "signal"
        with suppress(DltrainError):
            write_status(
                self.paths.status, self.status.end(state, reason=reason, stopped_by=stopped_by)
            )

    def interrupt(self, signal_number: int) -> str:
        """Write down that a signal ended the run; return how far it had come."""
        word = "terminated" if signal_number == signal.SIGTERM else "interrupted"
        reached = f"{word} after {self.status.epochs_done} of {self.status.epochs_goal} epochs"
        self.fail("interrupted", reached)
        return reached


@contextmanager
def recording_outcome(
    paths: RunPaths, *, epochs_goal: int, epochs_done: int = 0, data: DataKind = "real"
) -> Iterator[RunOutcome]:
    """Write status.json at the start and at the end of the block, however it ends.

    Raises Interrupted on Ctrl-C and SIGTERM, TrainingError when memory runs out or TensorFlow
    refuses the values that a layer gets; other errors go on as they are.
    """
    outcome = RunOutcome(paths, epochs_goal=epochs_goal, epochs_done=epochs_done, data=data)
    try:
        with listening(outcome.signals, on_second=outcome.interrupt):
            yield outcome
            outcome.finish()
    except (KeyboardInterrupt, Terminated) as error:
        number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
        raise _interrupted(outcome, number) from None
    except Stopped as stop:
        outcome.fail("interrupted", stop.message, stopped_by=stop.stopped_by)
        raise
    except DltrainError as error:
        outcome.fail("failed", error.message)
        is_own = paths.sweep is None  # a trial goes on with its sweep
        if isinstance(error, MachineError) and is_own and list_checkpoints(paths.checkpoints):
            error.hint += f" Then go on with the run: {explain_resuming(paths.root)}"
        raise
    except Exception as error:
        failure = _explain(error, outcome)
        outcome.fail("failed", failure.message if failure else f"{type(error).__name__}: {error}")
        if failure is not None:
            raise failure from error
        raise


def explain_resuming(root: Path) -> str:
    """Return the command that goes on with a run."""
    return f"dltrain fit --resume {root}"


def _interrupted(outcome: RunOutcome, number: int) -> Interrupted:
    reached = outcome.interrupt(number)
    paths = outcome.paths
    hint = "No checkpoint was written yet: train again from the config."
    if list_checkpoints(paths.checkpoints):
        hint = f"Go on with it: {explain_resuming(paths.root)}"
    return Interrupted(f"The run was {reached}.", signal_number=number, hint=hint)


def _explain(error: Exception, outcome: RunOutcome) -> TrainingError | None:
    """Return what an error of TensorFlow or Python means to the user; None for a defect of ours."""
    import tensorflow as tf

    if isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError)):
        return TrainingError(
            f"Memory ran out{outcome.memory}.",
            hint=HINT,
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
