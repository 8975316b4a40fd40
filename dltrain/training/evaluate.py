"""What does `dltrain eval` do? A finished run's best model, scored on one of its splits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dltrain.config.load import LoadedConfig
from dltrain.data.load import LoadedData, Source, load_data
from dltrain.data.members import digest_of
from dltrain.data.preset_tokenizer import is_of_preset
from dltrain.data.sources import open_sources
from dltrain.errors import RunError
from dltrain.evaluation.details import Details, check_details, compute_details
from dltrain.evaluation.predict import Predictor
from dltrain.evaluation.saved_model import load_saved_model
from dltrain.evaluation.score import predict_split, score_predictions, score_rows
from dltrain.runs.atomic import write_json
from dltrain.runs.checkpoint import list_checkpoints
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import read_metrics
from dltrain.runs.predictions import Predictions, replace_predictions
from dltrain.runs.records import read_record
from dltrain.runs.repeats import refuse_repeats
from dltrain.runs.status import is_stale, read_status
from dltrain.training.engine import Device, begin_import, start_engine, without_chatter
from dltrain.training.listener import Listener
from dltrain.training.outcome import explain_resuming
from dltrain.training.prepare import resolve_built_targets
from dltrain.training.recorded_data import check_same_data, read_preprocessing, read_tokenizer
from dltrain.training.recorded_predictions import are_rows_of, read_recorded
from dltrain.training.resume import read_run_config

Split = Literal["train", "validation", "test"]


_ENDINGS = {
    "running": "it is at work",
    "failed": "it failed",
    "interrupted": "it was interrupted",
    "killed": "it was killed",
}


@dataclass(frozen=True)
class Evaluation:
    """The scores of a split, and whether metrics.json has the same (None: it has none).

    `details` are what `compute_details` returned.
    """

    paths: RunPaths
    split: Split
    scores: Mapping[str, Any]
    details: Mapping[str, Any]
    written_to: Path
    agrees: bool | None


@dataclass(frozen=True)
class _Predicted:
    """Hold predictions by split, with the rows behind the one evaluated, and its baseline."""

    predictions: Mapping[str, Predictions]
    scores: Mapping[str, Any]
    source: Source | None


def evaluate_run(
    paths: RunPaths,
    *,
    split: Split,
    data_dir: Path,
    details: Details | None = None,
    offline: bool = False,
    device: Device = "auto",
    listener: Listener | None = None,
) -> Evaluation:
    """Score the best model of a run, and write the scores to evaluation-SPLIT.json in it.

    What it predicted takes the place of that split's rows in predictions.parquet. With `details`
    (a threshold, slices) it predicts nothing if that file holds what the same model predicted, and
    `device` is auto: TensorFlow is not imported then.

    Everything comes from the run: config.yaml, tokenizer.json, model.keras. Raises RunError if the
    run never finished or is damaged, DataError if its data is gone or not the same, UsageError for
    details that this run can't answer.
    """
    listener, details = listener or Listener(), details or Details()
    refuse_repeats(paths, doing="evaluated")
    check_finished(paths)
    loaded = read_run_config(paths)
    info, dataset = loaded.info, loaded.config.dataset
    check_details(details, split=split, info=info, config=dataset)
    metrics = read_metrics(paths.metrics)
    found = None
    if details and device == "auto":
        found = _find_recorded(loaded, paths, split, details, metrics, data_dir, offline, listener)
    found = found or _predict(loaded, paths, split, details, data_dir, offline, device, listener)
    computed = compute_details(
        details,
        found.predictions[split],
        validation=found.predictions.get("validation"),
        source=found.source,
        info=info,
        config=dataset,
    )
    written_to = paths.root / f"evaluation-{split}.json"
    write_json(written_to, {"format": 1, "split": split, **found.scores, **computed})
    recorded = metrics.get(split)
    agrees = None if recorded is None else _values(recorded) == _values(found.scores)
    return Evaluation(paths, split, found.scores, computed, written_to, agrees)


def _find_recorded(
    loaded: LoadedConfig,
    paths: RunPaths,
    split: Split,
    details: Details,
    metrics: Mapping[str, Mapping[str, Any]],
    data_dir: Path,
    offline: bool,
    listener: Listener,
) -> _Predicted | None:
    """Return what the run holds of the predictions wanted, or None: predict them."""
    predictions = read_recorded(paths, details.needed_splits(split))
    # The baseline is of the training rows, which only reading all of the data would tell.
    baseline = metrics.get(split, {}).get("baseline")
    if predictions is None or baseline is None:
        return None
    source = None
    if details.needs_rows:
        opened = open_sources(
            loaded.config.dataset,
            seed=loaded.config.seed,
            data_dir=data_dir,
            splits={split},
            offline=offline,
            progress=listener,
        )
        check_same_data(paths, read_record(paths.environment, format_number=1), opened)
        if not are_rows_of(predictions, opened.sources):
            return None
        source = opened.sources[split]
    listener.note(f"Taking what the model predicted from {paths.predictions}.")
    scores = {**score_rows(predictions[split]), "baseline": baseline}
    return _Predicted(predictions, scores, source)


def _predict(
    loaded: LoadedConfig,
    paths: RunPaths,
    split: Split,
    details: Details,
    data_dir: Path,
    offline: bool,
    device: Device,
    listener: Listener,
) -> _Predicted:
    """Predict with the saved model, and keep what it predicts in predictions.parquet."""
    begin_import(device=device)
    splits = details.needed_splits(split)
    data = read_run_data(loaded, paths, splits, data_dir, offline, listener)
    if split not in data.tables:
        raise RunError(
            f"{paths.root} has no {split} rows: dataset.{split}_split is 0.",
            hint="Evaluate another split.",
        )
    start_engine(device=device, precision=loaded.config.training.precision, seed=loaded.config.seed)
    model = load_saved_model(paths.model)
    targets = resolve_built_targets(loaded, units=int(model.output_shape[-1]))
    digest = digest_of(paths.model, "sha256")
    predict = Predictor(model)
    with without_chatter():
        predictions = {
            each: predict_split(
                predict,
                data.tables[each],
                targets=targets,
                class_names=data.info.class_names,
                ids=data.sources[each].ids(),
                model=digest,
            )
            for each in splits
        }
        scores = score_predictions(predictions[split], train_labels=data.train_labels)
    for each, rows in predictions.items():
        replace_predictions(paths.predictions, each, rows)
    return _Predicted(predictions, scores, data.sources[split] if details.needs_rows else None)


def check_finished(paths: RunPaths) -> None:
    """Raise RunError, with what to do, unless the run has finished."""
    status = read_status(paths.status)
    if status.state == "finished":
        return
    state = "killed" if is_stale(status) else status.state
    reason = f": {status.reason.rstrip('.')}" if state == "failed" else ""
    hint = f"Train it again: dltrain fit {paths.config}"
    if state == "running":
        hint = "Wait for it."
    elif state != "failed" and list_checkpoints(paths.checkpoints):
        hint = f"Go on with it: {explain_resuming(paths.root)}"
    raise RunError(
        f"{paths.root} has not finished: {_ENDINGS[state]} after {status.epochs_done} of "
        f"{status.epochs_goal} epochs{reason}.",
        hint=hint,
    )


def read_run_data(
    loaded: LoadedConfig,
    paths: RunPaths,
    splits: Collection[str],
    data_dir: Path,
    offline: bool,
    listener: Listener,
) -> LoadedData:
    """Return the tables of `splits` as the run's model takes them.

    Raises DataError if they aren't the data of the run, RunError if its tokenizer is damaged.
    """
    tokenizer = read_tokenizer(paths, loaded.info)
    with without_chatter() if is_of_preset(tokenizer) else nullcontext():  # it runs in TensorFlow
        data = load_data(
            loaded.config.dataset,
            seed=loaded.config.seed,
            data_dir=data_dir,
            offline=offline,
            splits=splits,
            tokenizer=tokenizer,
            preprocessing=read_preprocessing(paths),
            progress=listener,
        )
    check_same_data(paths, read_record(paths.environment, format_number=1), data)
    return data


def _values(scores: Mapping[str, Any]) -> Any:
    """Return scores as JSON gives them back, to compare them with what was written."""
    import json

    from dltrain.runs.atomic import to_json

    return json.loads(to_json(scores))
