"""How good is a run's model on new data that has labels? What `dltrain eval --data` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.config.table_columns import describe_number, parse_number
from dltrain.data.members import digest_of
from dltrain.data.progress import SILENT, Progress
from dltrain.errors import DataError, UsageError
from dltrain.evaluation.score import score_rows
from dltrain.prediction.batching import make_batches
from dltrain.prediction.items import STDIN, Item, check_inputs, read_items
from dltrain.prediction.predict import ModelOfRun, load_model_of_run
from dltrain.prediction.run_input import RunInput
from dltrain.runs.atomic import write_json
from dltrain.runs.predictions import Predictions
from dltrain.training.engine import Device

# As many bad inputs are named; a file of another form would fill the screen.
_LISTED = 10

FILE_NAME = "evaluation-data.json"


@dataclass(frozen=True)
class DataEvaluation:
    """Hold the scores of a model on new data, and where they were written.

    Their baseline, for which the training rows would be needed, is None.
    """

    scores: Mapping[str, Any]
    written_to: Path


def evaluate_data(
    run: RunInput,
    data: str,
    *,
    column: str | None = None,
    device: Device = "auto",
    progress: Progress = SILENT,
) -> DataEvaluation:
    """Score the run's model on labelled data, and write the scores to evaluation-data.json.

    Of a folder, the folders in it are the labels. The rows themselves stay in memory a batch at a
    time. Raises UsageError for data that the run can't take; DataError, listing them, if some
    inputs can't be read or have a label that the model doesn't know: nothing is written then.
    """
    if data == STDIN:
        raise UsageError("--data - : labelled data is read from a file or a folder.")
    check_inputs(run, [data], ())
    model = load_model_of_run(run, device=device)
    items = read_items(run, [data], column=column, labelled=True, progress=progress)
    names: list[str] = []
    labels: list[float] = []
    predicted, bad = [], []
    for batch in make_batches(items):
        good: list[Item] = []
        for item in batch:
            label = _find_label(item, run.class_names)
            error = model.find_misfit(item)
            if error or isinstance(label, str):
                bad.append(f"{item.name}: {error or label}")
            else:
                good.append(item)
                names.append(item.name)
                labels.append(label)
        if good and not bad:
            predicted.append(model.predict(good))
    if bad:
        raise _refuse(bad, len(bad) + len(names))
    if not names:
        raise DataError(f"{data} holds no rows.", hint="Give data with labels: docs/predict.md.")
    scores = score_rows(_gather(model, names, labels, np.concatenate(predicted)))
    scores |= {"baseline": None}
    written_to = run.paths.root / FILE_NAME
    record = {"format": 1, "data": data, "digest": _digest(Path(data)), **scores}
    write_json(written_to, record)
    return DataEvaluation(scores, written_to)


def _find_label(item: Item, class_names: Sequence[str]) -> float | str:
    """Return the class number, or the target of a regression; or what is wrong, as a text."""
    text = item.label
    if text is None or not text.strip():
        return "has no label"
    if class_names:
        if text in class_names:
            return class_names.index(text)
        number = parse_number(text.strip())
        for name in (text.strip(), "" if number is None else describe_number(number)):
            if name in class_names:
                return class_names.index(name)
        return f"has the label '{text[:40]}', which the model doesn't know"
    target = parse_number(text.strip())
    if target is None or not np.isfinite(target):
        return f"has the target '{text[:40]}'; expected a number"
    return target


def _gather(
    model: ModelOfRun, names: list[str], labels: list[float], predicted: Any
) -> Predictions:
    if model.targets.task == "regression":
        return Predictions("regression", (), names, np.array(labels), predicted)
    return Predictions(
        "classification",
        model.run.class_names,
        names,
        np.array(labels, dtype=np.int64),
        predicted.argmax(axis=1),
        predicted,
    )


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None of a folder, whose files have no one content."""
    return digest_of(path, "sha256") if path.is_file() else None


def _refuse(bad: Sequence[str], total: int) -> DataError:
    listed = "\n".join(f"  {each}" for each in bad[:_LISTED])
    more = f"\n  and {len(bad) - _LISTED:,} more" if len(bad) > _LISTED else ""
    return DataError(
        f"{len(bad):,} of {total:,} inputs can't be evaluated:\n{listed}{more}",
        hint="Mend them or leave them out: a score is of all rows.",
    )
