"""What does `dltrain eval` do? A finished run's best model, scored on one of its splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dltrain.config.load import LoadedConfig
from dltrain.data.load import LoadedData, load_data
from dltrain.errors import RunError
from dltrain.evaluation.predict import Predictor
from dltrain.evaluation.saved_model import load_saved_model
from dltrain.evaluation.score import score_split
from dltrain.runs.atomic import write_json
from dltrain.runs.checkpoint import list_checkpoints
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import read_metrics
from dltrain.runs.records import read_record
from dltrain.runs.status import is_stale, read_status
from dltrain.training.engine import Device, begin_import, start_engine, without_chatter
from dltrain.training.listener import Listener
from dltrain.training.outcome import explain_resuming
from dltrain.training.prepare import resolve_built_targets
from dltrain.training.recorded_data import check_same_data, read_preprocessing, read_tokenizer
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
    """The scores of a split, and whether metrics.json has the same (None: it has none)."""

    paths: RunPaths
    split: Split
    scores: Mapping[str, Any]
    written_to: Path
    agrees: bool | None


def evaluate_run(
    paths: RunPaths,
    *,
    split: Split,
    data_dir: Path,
    offline: bool = False,
    device: Device = "auto",
    listener: Listener | None = None,
) -> Evaluation:
    """Score the best model of a run, and write the scores to evaluation-SPLIT.json in it.

    Everything comes from the run: config.yaml, tokenizer.json, model.keras. Raises RunError if the
    run never finished or is damaged, DataError if its data is gone or not the same.
    """
    listener = listener or Listener()
    _check_finished(paths)
    loaded = read_run_config(paths)
    begin_import(device=device)
    data = _read_data(loaded, paths, split, data_dir, offline, listener)
    if split not in data.tables:
        raise RunError(
            f"{paths.root} has no {split} rows: dataset.{split}_split is 0.",
            hint="Evaluate another split.",
        )
    start_engine(device=device, precision=loaded.config.training.precision, seed=loaded.config.seed)
    model = load_saved_model(paths.model)
    targets = resolve_built_targets(loaded, units=int(model.output_shape[-1]))
    with without_chatter():
        scores = score_split(
            Predictor(model),
            data.tables[split],
            targets=targets,
            class_names=data.info.class_names,
            train_labels=data.train_labels,
        )
    written_to = paths.root / f"evaluation-{split}.json"
    write_json(written_to, {"format": 1, "split": split, **scores})
    recorded = read_metrics(paths.metrics).get(split)
    agrees = None if recorded is None else _values(recorded) == _values(scores)
    return Evaluation(paths, split, scores, written_to, agrees)


def _check_finished(paths: RunPaths) -> None:
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


def _read_data(
    loaded: LoadedConfig,
    paths: RunPaths,
    split: Split,
    data_dir: Path,
    offline: bool,
    listener: Listener,
) -> LoadedData:
    data = load_data(
        loaded.config.dataset,
        seed=loaded.config.seed,
        data_dir=data_dir,
        offline=offline,
        splits={split},
        tokenizer=read_tokenizer(paths, loaded.info),
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
