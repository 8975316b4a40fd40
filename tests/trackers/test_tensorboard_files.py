"""Does TensorBoard's own reader find in the event files what was put there, and nothing twice?"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tracked_runs import FLAT_SCORES, make_ending, make_epoch, make_run, read_events, read_scalars

from dltrain.trackers.confusion_image import draw_confusion_matrix
from dltrain.trackers.contract import Epoch, TrackedRun
from dltrain.trackers.guard import Guarded
from dltrain.trackers.memory import MemoryFile
from dltrain.trackers.tensorboard import TensorBoardTracker

OPTIONS = {"type": "tensorboard", "histogram_freq": 1, "timeout_seconds": 60.0}


@pytest.fixture
def run(tmp_path: Path) -> TrackedRun:
    return make_run(tmp_path / "runs/tiny/0001")


def begin(run: TrackedRun, memory: dict[str, float] | None = None) -> TensorBoardTracker:
    tracker = TensorBoardTracker(OPTIONS)
    tracker.memory = dict(memory or {})
    tracker.begin(run)
    return tracker


def test_epochs_of_training_and_validation_stand_beside_each_other(run: TrackedRun) -> None:
    tracker = begin(run)
    for number in (1, 2):
        tracker.log_epochs([make_epoch(number, learning_rate=0.25)])
    # Before the end, too: each epoch is flushed.
    folder = run.paths.tensorboard
    assert read_scalars(folder / "validation") == {"loss": [(1, 2.0), (2, 1.0)]}
    assert read_scalars(folder / "train") == {
        "loss": [(1, 1.0), (2, 0.5)],
        "seconds": [(1, 0.5), (2, 0.5)],
        "learning_rate": [(1, 0.25), (2, 0.25)],
    }
    tracker.finish(make_ending(run))


def test_weights_become_histograms(run: TrackedRun) -> None:
    tracker = begin(run)
    kernel = np.linspace(-1, 2, 300, dtype=np.float32).reshape(30, 10)
    broken = np.array([np.nan, np.inf], dtype=np.float32)
    weights = {"dense/kernel": kernel, "dense/bias": np.zeros(3), "broken": broken}
    tracker.log_epochs([Epoch(1, {"loss": 1.0}, time=1.0, weights=weights)])
    events = read_events(run.paths.tensorboard / "train")
    assert events.Tags()["histograms"] == ["weights/dense/kernel", "weights/dense/bias"]
    (event,) = events.Histograms("weights/dense/kernel")
    histogram = event.histogram_value
    assert (event.step, histogram.num) == (1, 300)
    assert (histogram.min, histogram.max) == (-1, 2)
    assert histogram.sum == pytest.approx(150)
    assert histogram.sum_squares == pytest.approx(np.square(kernel, dtype=np.float64).sum())
    assert histogram.bucket == [10] * 30
    assert histogram.bucket_limit == pytest.approx(np.linspace(-1, 2, 31)[1:])
    (zeros,) = events.Histograms("weights/dense/bias")
    assert sum(zeros.histogram_value.bucket) == 3


def test_the_end_brings_scores_a_confusion_matrix_and_hyperparameters(run: TrackedRun) -> None:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    tracker = begin(run)
    tracker.log_epochs([make_epoch(1)])
    tracker.finish(make_ending(run))
    scalars = read_scalars(run.paths.tensorboard)
    assert {tag: value for tag, ((_, value),) in scalars.items()} == pytest.approx(FLAT_SCORES)
    events = read_events(run.paths.tensorboard)
    (image,) = events.Images("test/confusion_matrix")
    picture = Image.open(io.BytesIO(image.encoded_image_string))
    assert picture.size == (image.width, image.height)
    found = events.PluginTagToContent("hparams")
    start = HParamsPluginData.FromString(found["_hparams_/session_start_info"])
    values = start.session_start_info.hparams
    assert values["model.layers.1.units"].number_value == 2
    assert values["training.shuffle"].bool_value is True
    assert values["model.layers.0"].string_value == "flatten"
    assert start.session_start_info.group_name == "tiny/0001"
    end = HParamsPluginData.FromString(found["_hparams_/session_end_info"])
    assert end.session_end_info.status == 1  # success


def test_epochs_that_are_trained_again_replace_those_of_the_killed_session(
    run: TrackedRun,
) -> None:
    killed = begin(run)
    for number in (1, 2, 3):
        killed.log_epochs([make_epoch(number, learning_rate=0.5)])
    # Its last checkpoint was that of epoch 1.
    resumed = make_run(run.paths.root, epochs_done=1)
    tracker = begin(resumed, killed.memory)
    for number in (1, 2, 3, 4):
        tracker.log_epochs([make_epoch(number, learning_rate=0.25)])
    scalars = read_scalars(run.paths.tensorboard / "train")
    assert scalars["learning_rate"] == [(1, 0.5), (2, 0.25), (3, 0.25), (4, 0.25)]
    assert tracker.memory["epoch"] == 4


def test_a_file_that_fails_is_told_once_and_the_next_one_goes_on(
    run: TrackedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dltrain.trackers.guard.RETRY_SECONDS", 0.0)
    tracker = TensorBoardTracker(OPTIONS)
    guarded = Guarded(tracker, run, MemoryFile(run.paths.root))

    def log_and_break(epoch: Epoch) -> None:
        TensorBoardTracker._log_epoch(tracker, epoch)
        if epoch.number == 1:
            tracker._files["train"]._writer.close()

    monkeypatch.setattr(tracker, "_log_epoch", log_and_break)
    for number in (1, 2, 3):
        guarded.log_epoch(make_epoch(number))
    guarded.finish(make_ending(run))
    guarded.wait()
    where, warning, again = guarded.take_messages()
    place = f"{run.paths.tensorboard} (tensorboard --logdir {run.paths.root.parent})"
    assert where == f"tracker   tensorboard: {place}"
    assert warning == (
        "Warning: tensorboard failed, and the run goes on without it: write to closed file."
    )
    assert again == f"tensorboard works again: all so far is in {place}."
    for folder, first in (("train", 1.0), ("validation", 2.0)):
        losses = read_scalars(run.paths.tensorboard / folder)["loss"]
        assert losses == [(n, pytest.approx(first / n)) for n in (1, 2, 3)]


def test_a_folder_that_cannot_be_made_is_told(run: TrackedRun) -> None:
    run.paths.tensorboard.write_text("in the way")
    guarded = Guarded(TensorBoardTracker(OPTIONS), run, MemoryFile(run.paths.root))
    guarded.log_epoch(make_epoch(1))
    guarded.finish(make_ending(run))
    guarded.wait()
    assert guarded.take_messages() == [
        "Warning: tensorboard failed, and the run goes on without it: "
        f"[Errno 17] File exists: '{run.paths.tensorboard}'."
    ]


@pytest.mark.parametrize("classes", [2, 40])
def test_a_confusion_matrix_is_darkest_where_all_of_a_class_lie(classes: int) -> None:
    counts = np.diag(range(classes))  # the first class has no rows
    names = [f"${number}" for number in range(classes)]
    height, width, png = draw_confusion_matrix(counts.tolist(), names)
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert picture.shape == (height, width, 3)
    blue = (picture[..., 2].astype(int) - picture[..., 0]) > 80
    # The last class stands at the right, at the bottom.
    rows, columns = np.nonzero(blue)
    assert rows.max() > 0.6 * height
    assert columns.max() > 0.6 * width
