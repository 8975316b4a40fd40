"""Does a run hold what its model predicts already? Then TensorFlow need not be started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dltrain.data.load import Source
from dltrain.data.members import digest_of
from dltrain.errors import RunError
from dltrain.runs.layout import RunPaths
from dltrain.runs.predictions import Predictions, read_predictions


def read_recorded(paths: RunPaths, splits: Sequence[str]) -> dict[str, Predictions] | None:
    """Return what predictions.parquet holds of all `splits`; None unless its model is the run's.

    It must have been written by the model.keras that is there now, to the byte. None too if one of
    the files is missing or damaged: predicting anew mends the one and names the other.
    """
    try:
        found = read_predictions(paths.predictions, splits=splits)
        digest = digest_of(paths.model, "sha256")
    except (RunError, OSError):
        return None
    whole = all(split in found and found[split].model == digest for split in splits)
    return found if whole else None


def are_rows_of(predictions: Mapping[str, Predictions], sources: Mapping[str, Source]) -> bool:
    """Tell whether the predictions are those of the rows in `sources`, in the same order."""
    for split, source in sources.items():
        rows, labels = predictions[split], np.asarray(source.rows.labels[source.indices])
        if list(rows.ids) != source.ids() or not np.array_equal(rows.true, labels):
            return False
    return True
