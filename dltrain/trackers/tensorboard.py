"""How is a run written as TensorBoard's event files?

RUN/tensorboard/             hyperparameters, final scores, confusion matrices
RUN/tensorboard/train/       loss, metrics, learning rate and weight histograms, a step an epoch
RUN/tensorboard/validation/  loss and metrics: TensorBoard draws them over those of training
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.trackers.confusion_image import draw_confusion_matrix
from dltrain.trackers.contract import Ending, Epoch, TrackedRun, Tracker
from dltrain.trackers.flatten import flatten_config, flatten_scores

# As many as TensorBoard draws; see tensorboard.plugins.histogram.
_BINS = 30

_VALIDATION = "val_"


class TensorBoardTracker(Tracker):
    """Write event files with TensorBoard's own record writer; each epoch is flushed."""

    name = "tensorboard"

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self.histogram_freq = int(options["histogram_freq"])
        self._folder = Path()
        self._files: dict[str, Any] = {}
        self._restart_at = 0

    def begin(self, run: TrackedRun) -> None:
        """Write the hyperparameters; what was written of epochs trained again doesn't count."""
        from tensorboard.plugins.hparams import api

        self._folder = run.paths.tensorboard
        self.where = f"{self._folder} (tensorboard --logdir {run.paths.root.parent})"
        written = int(self.memory.get("epoch", 0))
        if not self._restart_at:  # the first time in this session: later epochs are trained again
            written = min(written, run.epochs_done)
        self.memory["epoch"] = written
        self._restart_at = written + 1
        values = {name: _to_hparam(value) for name, value in flatten_config(run.config).items()}
        begun = self.memory.setdefault("begun", time.time())
        self._write("", 0, api.hparams_pb(values, trial_id=run.label, start_time_secs=begun))
        self._flush()

    def log_epochs(self, epochs: Sequence[Epoch]) -> None:
        """Write each epoch's numbers, and its weights' histograms."""
        for epoch in epochs:
            if epoch.number > self.memory["epoch"]:
                self._log_epoch(epoch)

    def _log_epoch(self, epoch: Epoch) -> None:
        for name, value in epoch.values.items():
            if name != "epoch":
                folder = "validation" if name.startswith(_VALIDATION) else "train"
                tag = name.removeprefix(_VALIDATION)
                self._write(folder, epoch.number, _make_scalar(tag, value), epoch.time)
        for name, array in (epoch.weights or {}).items():
            self._write("train", epoch.number, _make_histogram(name, array), epoch.time)
        self._flush()
        self.memory["epoch"] = epoch.number

    def finish(self, ending: Ending) -> None:
        """Write the final scores and confusion matrices, and that the session has ended."""
        from tensorboard.plugins.hparams import api_pb2, summary

        step = self.memory["epoch"]
        for name, value in flatten_scores(ending.splits).items():
            self._write("", step, _make_scalar(name, value), ending.time)
        for split, scores in ending.splits.items():
            if scores.get("confusion_matrix"):
                image = draw_confusion_matrix(scores["confusion_matrix"], scores["classes"])
                self._write("", step, _make_image(f"{split}/confusion_matrix", image), ending.time)
        failed = ending.state == "failed"
        state = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
        if ending.state != "interrupted":
            self._write("", step, summary.session_end_pb(state, ending.time), ending.time)
        self._close()

    def abandon(self) -> None:
        """Close the files; the next session writes others."""
        self._close()

    def _write(self, folder: str, step: int, summary: Any, at: float | None = None) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        event = Event(wall_time=at or time.time(), step=step)
        # Some of TensorBoard's own functions give TensorFlow's class of the same message.
        event.summary.ParseFromString(summary.SerializeToString())
        self._open(folder).write(event.SerializeToString())

    def _open(self, folder: str) -> Any:
        """Return the writer of a folder's event file of this session, made at its first use.

        It begins with a mark that tells TensorBoard to forget what an earlier file has of the steps
        that come again.
        """
        if folder not in self._files:
            from tensorboard.compat.proto.event_pb2 import Event, SessionLog
            from tensorboard.summary.writer.record_writer import RecordWriter

            place = self._folder / folder
            place.mkdir(parents=True, exist_ok=True)
            # Readers take files in the order of their names.
            moment = f"{time.time():017.6f}"
            name = f"events.out.tfevents.{moment}.{platform.node()}.{os.getpid()}.v2"
            writer = RecordWriter((place / name).open("xb"))
            self._files[folder] = writer
            now = time.time()
            writer.write(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
            mark = SessionLog(status=SessionLog.START)
            start = Event(wall_time=now, step=self._restart_at, session_log=mark)
            writer.write(start.SerializeToString())
        return self._files[folder]

    def _flush(self) -> None:
        for file in self._files.values():
            file.flush()

    def _close(self) -> None:
        files, self._files = [*self._files.values()], {}
        for file in files:
            file.close()


def _to_hparam(value: Any) -> bool | float | str:
    """Return what the hyperparameters' table can hold: a truth value, a number or a text."""
    if isinstance(value, bool | str):
        return value
    return float(value) if isinstance(value, int | float) else str(value)


def _make_scalar(tag: str, value: float) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=tag, simple_value=value)])


def _make_histogram(tag: str, array: npt.NDArray[Any]) -> Any:
    """Return a histogram of all values of `array`, in equal bins from the smallest to the largest.

    Values that aren't finite have no bin.
    """
    from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

    values = array.astype(np.float64).ravel()
    values = values[np.isfinite(values)]
    if not len(values):
        return Summary()
    counts, edges = np.histogram(values, bins=_BINS)
    histogram = HistogramProto(
        min=values.min(),
        max=values.max(),
        num=len(values),
        sum=values.sum(),
        sum_squares=np.square(values).sum(),
        bucket_limit=edges[1:],
        bucket=counts,
    )
    return Summary(value=[Summary.Value(tag=f"weights/{tag}", histo=histogram)])


def _make_image(tag: str, png: tuple[int, int, bytes]) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    height, width, data = png
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=data)
    return Summary(value=[Summary.Value(tag=tag, image=image)])
