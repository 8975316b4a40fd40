"""How did a run of repeats end? As for a single run: never `finished` while a repeat is missing."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dltrain.config.document import join_sources
from dltrain.config.dump import dump_config
from dltrain.config.load import LoadedConfig
from dltrain.errors import ConfigError, DltrainError, RunError
from dltrain.runs.atomic import write_text
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import release_run
from dltrain.runs.repeats import find_repeats, write_repeats
from dltrain.runs.status import State, StoppedBy, begin_status, write_status
from dltrain.training.outcome import Interrupted, explain_resuming
from dltrain.training.signals import Signals, Terminated, listening


class RepeatsOutcome:
    """Keep status.json and repeats.json of a run of repeats up to date, however it ends."""

    def __init__(self, paths: RunPaths, loaded: LoadedConfig, goal: int) -> None:
        self.current = "Before the first repeat"
        self._paths, self._goal, self._seed = paths, goal, loaded.config.seed
        write_text(paths.config, dump_config(loaded.config))
        if not paths.source.is_file():
            write_text(paths.source, join_sources(loaded.document))
        epochs_goal = goal * loaded.config.training.epochs
        begun = begin_status(epochs_goal=epochs_goal)
        self._status = dataclasses.replace(begun, repeats_done=0, repeats_goal=goal)
        self.count()

    def count(self) -> None:
        """Write down what the repeats have given so far."""
        self.document = write_repeats(self._paths, goal=self._goal, seed=self._seed)
        epochs = sum(row["epochs"] for row in self.document["repeats"])
        status = self._status.progress(epochs)
        self._status = dataclasses.replace(status, repeats_done=self.document["done"])
        write_status(self._paths.status, self._status)

    def finish(self) -> None:
        """Write down that all went well. Raises RunError if a repeat is missing after all."""
        if self.document["done"] != self._goal:
            raise RunError(f"{self._paths.repeats}: {self._reached()}.")
        short = [row for row in self.document["repeats"] if row["stopped_by"] == "max_seconds"]
        cut = f"{len(short)} of {self._goal} repeats were stopped by --max-seconds"
        self._status = self._status.end(
            "finished",
            reason=cut if short else "",
            stopped_by="max_seconds" if short else None,
        )
        write_status(self._paths.status, self._status)

    def fail(self, state: State, reason: str) -> None:
        """Write down that it ended otherwise, as far as the disk lets us."""
        with suppress(DltrainError):
            self.count()
        stopped_by: StoppedBy | None = "signal" if state == "interrupted" else None
        with suppress(DltrainError):
            status = self._status.end(state, reason=reason, stopped_by=stopped_by)
            write_status(self._paths.status, status)

    def interrupt(self, number: int) -> Interrupted:
        """Write down that a signal ended it; return the error that says so."""
        word = "terminated" if number == signal.SIGTERM else "interrupted"
        self.fail("interrupted", f"{word}: {self._reached()}")
        return Interrupted(
            f"The run was {word}: {self._reached()}.",
            signal_number=number,
            hint=f"Go on with it: {explain_resuming(self._paths.root)}",
        )

    def name_repeat(self, error: DltrainError) -> None:
        """Say in `error` which repeat failed, and how to go on; problems in a config stay whole."""
        if isinstance(error, ConfigError):
            return
        error.message = f"{self.current} failed: {error.message}"
        error.args = (error.message,)
        then = f"Then go on with the others: {explain_resuming(self._paths.root)}"
        error.hint = f"{error.hint} {then}".lstrip()

    @property
    def is_empty(self) -> bool:
        """Tell whether no repeat has left anything."""
        return not any(child.looks_like_run() for child in find_repeats(self._paths))

    def remove(self) -> None:
        """Remove the run, of which no repeat has begun, and let go of it."""
        paths = self._paths
        for file in (paths.status, paths.repeats, paths.config, paths.source):
            file.unlink(missing_ok=True)
        release_run(paths)
        for folder in (paths.repeat(1).root, paths.repeat(1).root.parent, paths.root):
            with suppress(OSError):
                folder.rmdir()

    def _reached(self) -> str:
        return f"{self.document['done']} of {self._goal} repeats are done"


@contextmanager
def recording_repeats(outcome: RepeatsOutcome, *, is_new: bool) -> Iterator[None]:
    """Write down how the block ends, and listen to signals where no repeat does.

    A new run of which no repeat has begun leaves nothing behind. Raises Interrupted on Ctrl-C and
    SIGTERM; other errors of dltrain go on with the repeat named.
    """
    try:
        with listening(Signals(), on_second=outcome.interrupt):
            yield
        outcome.finish()
    except (KeyboardInterrupt, Terminated) as error:
        number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
        raise _end(outcome, outcome.interrupt(number), is_new=is_new) from None
    except Interrupted as error:
        interrupted = outcome.interrupt(error.exit_code - 128)
        raise _end(outcome, interrupted, is_new=is_new) from None
    except DltrainError as error:
        outcome.fail("failed", f"{outcome.current} failed: {error.message}")
        if outcome.is_empty:
            _end(outcome, error, is_new=is_new)
        else:
            outcome.name_repeat(error)
        raise
    except Exception as error:
        outcome.fail("failed", f"{outcome.current}: {type(error).__name__}: {error}")
        raise


def _end(outcome: RepeatsOutcome, error: DltrainError, *, is_new: bool) -> DltrainError:
    if is_new and outcome.is_empty:
        outcome.remove()
        if isinstance(error, Interrupted):
            error.hint = "Nothing was trained yet."
    return error
