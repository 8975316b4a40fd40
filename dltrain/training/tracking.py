"""How do trackers hear of a training? From its listener's events, and from the run's own files."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dltrain.errors import DltrainError
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import read_metrics
from dltrain.trackers.choose import make_trackers
from dltrain.trackers.contract import Ending, Epoch, State, TrackedRun
from dltrain.trackers.guard import Guarded
from dltrain.trackers.memory import FILE_NAME, MemoryFile
from dltrain.training.listener import EpochReport, Listener, Plan
from dltrain.training.outcome import Interrupted
from dltrain.training.resume import Resumption

if TYPE_CHECKING:
    from dltrain.training.assemble import Prepared

# What the end waits for trackers after Ctrl-C, and when --max-seconds are over.
_HURRIED_SECONDS = 5.0

# Files of the run that still change, or that only dltrain reads.
_NOT_UPLOADED = {"status.json", FILE_NAME}
_FOLDERS = ("plots",)


@contextmanager
def tracking(
    specs: Sequence[Mapping[str, Any]],
    prepared: Prepared,
    paths: RunPaths,
    resumption: Resumption | None,
    listener: Listener,
    *,
    offline: bool,
    deadline: float | None,
) -> Iterator[Listener]:
    """Yield a listener that tells `listener`, and the trackers of `specs`, of the training.

    At the end of the block, however it ends, they get the scores and files that lie in the run,
    and a time to take them: until `deadline` (of time.perf_counter). Nothing is raised for them.
    """
    if not specs:
        yield listener
        return
    memory = MemoryFile(paths.root)
    damage = memory.read()
    if damage:
        listener.warn(f"{damage} The trackers begin anew.")
    checkpoint = resumption.checkpoint if resumption else None
    run = TrackedRun(
        paths,
        prepared.loaded.config.model_dump(mode="json", exclude={"trackers"}),
        device=prepared.device,
        epochs_done=checkpoint.epoch if checkpoint else 0,
        offline=offline,
    )
    trackers = [Guarded(tracker, run, memory) for tracker in make_trackers(specs)]
    told = _TrackingListener(listener, trackers, prepared.model)
    told.catch_up(checkpoint.state["history"] if checkpoint else [])
    state: State = "failed"
    try:
        yield told
        state = "finished"
    except (KeyboardInterrupt, Interrupted):
        state = "interrupted"
        raise
    finally:
        _finish(told, paths, state, deadline)


def _finish(told: _TrackingListener, paths: RunPaths, state: State, deadline: float | None) -> None:
    at_most = math.inf
    if state == "interrupted":
        at_most = _HURRIED_SECONDS
    elif deadline is not None:
        at_most = max(_HURRIED_SECONDS, deadline - time.perf_counter())
    splits: Mapping[str, Mapping[str, Any]] = {}
    if state == "finished":
        with suppress(DltrainError):  # it ended before it was scored: then nothing is told
            splits = read_metrics(paths.metrics)
    told.finish(
        lambda log_model: Ending(
            state,
            time=time.time(),
            root=paths.root,
            splits=splits,
            files=_list_files(paths, log_model=log_model) if state == "finished" else (),
        ),
        at_most=at_most,
    )


def _list_files(paths: RunPaths, *, log_model: bool) -> tuple[Path, ...]:
    """Return the files of the run that are uploaded, those of `plots/` last."""
    left_out = _NOT_UPLOADED if log_model else {*_NOT_UPLOADED, paths.model.name}
    folders = (paths.root, *(paths.root / name for name in _FOLDERS))
    return tuple(
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name not in left_out and not path.name.startswith(".")
    )


class _TrackingListener(Listener):
    """Tell a listener, which comes first, and the trackers; show what those have to say."""

    def __init__(self, listener: Listener, trackers: Sequence[Guarded], model: Any) -> None:
        self._listener = listener
        self._trackers = trackers
        self._model = model

    def note(self, text: str) -> None:
        """Pass a line on."""
        self._listener.note(text)

    def warn(self, text: str) -> None:
        """Pass a warning on."""
        self._listener.warn(text)

    def advance(self, label: str, *, done_bytes: int, total_bytes: int | None) -> None:
        """Pass on how far a download is."""
        self._listener.advance(label, done_bytes=done_bytes, total_bytes=total_bytes)

    def plan(self, plan: Plan) -> None:
        """Pass the plan on."""
        self._listener.plan(plan)

    def begin_epoch(self, epoch: int, epochs: int, steps: int) -> None:
        """Pass on that an epoch begins."""
        self._show_messages()
        self._listener.begin_epoch(epoch, epochs, steps)

    def step(self, step: int, loss: float) -> None:
        """Pass on where the epoch is."""
        self._show_messages()
        self._listener.step(step, loss)

    def end_epoch(self, report: EpochReport) -> None:
        """Hand the epoch to everyone; the weights are copied for those who want them."""
        self._listener.end_epoch(report)
        values = {**report.values, "seconds": round(report.seconds, 3)}
        copies: Mapping[str, Any] | None = None
        now = time.time()
        for guarded in self._trackers:
            every = guarded.tracker.histogram_freq
            wants_weights = every > 0 and report.epoch % every == 0
            if wants_weights and copies is None:
                copies = _copy_weights(self._model)
            weights = copies if wants_weights else None
            guarded.log_epoch(Epoch(report.epoch, values, time=now, weights=weights))
        self._show_messages()

    def close(self) -> None:
        """Pass on that nothing more is shown of an epoch."""
        self._listener.close()

    def catch_up(self, history: Sequence[Mapping[str, float]]) -> None:
        """Hand over the epochs of earlier sessions; a tracker takes those that it doesn't have."""
        for row in history:
            values = {name: value for name, value in row.items() if name != "epoch"}
            for guarded in self._trackers:
                guarded.log_epoch(Epoch(int(row["epoch"]), values, time=time.time()))

    def finish(self, make_ending: Callable[[bool], Ending], *, at_most: float) -> None:
        """Hand over the end, and wait for all, `at_most` seconds together."""
        self._listener.close()
        for guarded in self._trackers:
            guarded.finish(make_ending(guarded.tracker.options.get("log_model", False)))
        begun = time.monotonic()
        for guarded in self._trackers:
            guarded.wait(at_most=max(0.0, at_most - (time.monotonic() - begun)))
        self._show_messages()

    def _show_messages(self) -> None:
        for guarded in self._trackers:
            for message in guarded.take_messages():
                warning = message.removeprefix("Warning: ")
                tell = self._listener.note if warning == message else self._listener.warn
                tell(warning)


def _copy_weights(model: Any) -> dict[str, Any]:
    """Return a copy of each variable by its path, such as `dense/kernel`."""
    return {variable.path: np.array(variable.value.numpy()) for variable in model.weights}
