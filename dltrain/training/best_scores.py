"""What follows the last step? The best model is saved, compared with what was saved, and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dltrain.data.batches import Table
from dltrain.data.members import digest_of
from dltrain.errors import TrainingError
from dltrain.evaluation.advice import diagnose_run
from dltrain.evaluation.mistakes import write_mistakes
from dltrain.evaluation.predict import Predictor
from dltrain.evaluation.score import predict_split, score_predictions
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import write_metrics
from dltrain.runs.predictions import write_predictions
from dltrain.training.listener import Listener

if TYPE_CHECKING:
    from dltrain.training.assemble import Prepared
    from dltrain.training.loop import Machinery, Progress

# How many rows are predicted by the live and by the reloaded model, to compare them to the bit.
_COMPARED_ROWS = 1_024


def evaluate_best(
    prepared: Prepared,
    paths: RunPaths,
    machinery: Machinery,
    progress: Progress,
    listener: Listener,
    splits: Sequence[str],
) -> dict[str, Mapping[str, Any]]:
    """Save the best model, and write its scores to metrics.json; return them by split.

    `splits` are those to be scored, where the data has them. With "test" among them the saved
    model is loaded and checked; without, that is left to whoever scores the test rows. Raises as
    `load_checked_model` does.
    """
    best, data = machinery.best, prepared.data
    if not best.epoch:
        best.keep(0)
        last = "that of the last step" if progress.step else "untrained, not a step was taken"
        listener.warn(f"No epoch was finished: the model is {last}.")
    listener.note("Evaluating the best model.")
    best.finish()
    if "test" in splits:
        predictor = load_checked_model(paths, prepared.model, data.tables["train"])
    else:
        predictor = Predictor(prepared.model)
        _refuse_non_finite(predictor(data.tables["train"].head(_COMPARED_ROWS)))
    digest = digest_of(paths.model, "sha256")
    predictions = {
        split: predict_split(
            predictor,
            data.tables[split],
            targets=prepared.targets,
            class_names=data.info.class_names,
            ids=data.sources[split].ids(),
            model=digest,
        )
        for split in splits
        if split in data.tables
    }
    scores: dict[str, Mapping[str, Any]] = {
        split: score_predictions(each, train_labels=data.train_labels)
        for split, each in predictions.items()
    }
    if predictions:
        write_predictions(paths.predictions, predictions)
        shown = "test" if "test" in predictions else "validation"
        write_mistakes(
            paths.mistakes,
            shown,
            predictions[shown],
            data.sources[shown],
            largest=data.largest,
        )
    training = {"best_epoch": best.epoch, "epochs": progress.epoch}
    diagnosis = diagnose_run(progress.history, prepared.loaded, scores).describe()
    write_metrics(paths.metrics, scores, data=data.kind, training=training, diagnosis=diagnosis)
    return scores


def scored_splits(*, train: bool, test: bool = True) -> tuple[str, ...]:
    """Return the splits whose scores are wanted, where the data has them."""
    return (*(("train",) * train), "validation", *(("test",) * test))


def load_checked_model(paths: RunPaths, live: Any, table: Table) -> Predictor:
    """Load the saved model and compare its predictions with the live one's, to the bit.

    Raises TrainingError if they differ (the saved model would not be what was measured), or if
    they aren't finite: no number could be computed from them.
    """
    from dltrain.evaluation.saved_model import load_saved_model

    saved = Predictor(load_saved_model(paths.model))
    sample = table.head(_COMPARED_ROWS)
    before, after = Predictor(live)(sample), saved(sample)
    if not np.array_equal(before, after, equal_nan=True):
        largest = float(np.max(np.abs(before - after)))
        raise TrainingError(
            f"{paths.model} predicts differently from the model that was trained: by up to "
            f"{largest:.3g}.",
            hint="A layer is not saved as it is; please report it with the config.",
        )
    _refuse_non_finite(after)
    return saved


def _refuse_non_finite(predictions: np.ndarray) -> None:
    if not np.isfinite(predictions).all():
        raise TrainingError(
            "The model predicts NaN or infinite values: its last steps broke the weights.",
            hint="Lower optimizer.learning_rate, normalize the inputs, or set optimizer.clipnorm.",
        )
