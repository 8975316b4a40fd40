"""What does `dltrain fit` do? Data, network, training, the best model, its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.config.dump import dump_config
from dltrain.config.load import LoadedConfig
from dltrain.config.monitors import best_direction
from dltrain.config.targets import Targets
from dltrain.data.batches import (
    Augment,
    Table,
    count_steps,
    encode_labels,
    make_evaluation_batches,
    make_training_batches,
)
from dltrain.data.load import LoadedData, load_data
from dltrain.errors import TrainingError
from dltrain.evaluation.predict import PREDICTION_BATCH_SIZE, predict_outputs
from dltrain.evaluation.score import score_split
from dltrain.runs.atomic import explaining_disk, write_json, write_text
from dltrain.runs.create import claim_run_directory, create_run_directory
from dltrain.runs.environment import describe_environment
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import release_run
from dltrain.runs.metrics import write_metrics
from dltrain.training.engine import Device, StartedDevice, start_engine, without_chatter
from dltrain.training.listener import Listener, Plan
from dltrain.training.outcome import RunOutcome, recording_outcome
from dltrain.training.prepare import (
    build_callbacks,
    check_callbacks,
    prepare_augmentation,
    prepare_network,
)

# How many rows are predicted by the live and by the reloaded model, to compare them to the bit.
_COMPARED_ROWS = 1_024


@dataclass(frozen=True)
class FitResult:
    """What a finished run gave: its directory, its scores by split, and its best epoch (from 1)."""

    paths: RunPaths
    scores: Mapping[str, Mapping[str, Any]]
    best_epoch: int
    epochs_done: int
    history: Sequence[Mapping[str, float]]


def fit(
    loaded: LoadedConfig,
    *,
    data_dir: Path,
    runs_root: Path,
    run_directory: Path | None = None,
    offline: bool = False,
    device: Device = "auto",
    command_line: Sequence[str] = (),
    listener: Listener | None = None,
) -> FitResult:
    """Train the model of a config, keep the best, score validation and test, write the run.

    Raises DataError, ConfigError (a layer that can't be built), RunError and MachineError before
    training, TrainingError and Interrupted from it; the run's status.json then says why.
    """
    listener = listener or Listener()
    config = loaded.config
    check_callbacks(loaded)
    # A directory that is taken, or no GPU, shows before minutes of download. Otherwise the data
    # comes before TensorFlow's seconds of import.
    is_new = run_directory is not None and not run_directory.exists()
    paths = None if run_directory is None else claim_run_directory(run_directory)
    try:
        started = _start(loaded, device) if device == "gpu" else None
        data = load_data(
            config.dataset, seed=config.seed, data_dir=data_dir, offline=offline, progress=listener
        )
        started = started or _start(loaded, device)
        model, targets = prepare_network(loaded, data)
        augment = prepare_augmentation(loaded, data)
    except BaseException:
        listener.close()
        if paths is not None:
            release_run(paths)
            if is_new:
                with suppress(OSError):
                    paths.root.rmdir()
        raise
    paths = paths or create_run_directory(config.name, root=runs_root)
    try:
        with recording_outcome(paths, epochs_goal=config.training.epochs) as outcome:
            _write_description(paths, loaded, data, started, command_line)
            return _train(loaded, data, model, targets, augment, paths, outcome, started, listener)
    finally:
        listener.close()
        release_run(paths)


def _start(loaded: LoadedConfig, device: Device) -> StartedDevice:
    config = loaded.config
    return start_engine(device=device, precision=config.training.precision, seed=config.seed)


def _write_description(
    paths: RunPaths,
    loaded: LoadedConfig,
    data: LoadedData,
    started: StartedDevice,
    command_line: Sequence[str],
) -> None:
    """Write what is known before the first step: config.yaml, environment.json, tokenizer.json."""
    write_text(paths.config, dump_config(loaded.config))
    scaling = data.scaling
    environment = {
        **describe_environment(command_line=command_line),
        "device": {"kind": started.kind, "name": started.name},
        "seed": loaded.config.seed,
        "dataset": data.fingerprint,
        "rows": {split: len(table) for split, table in data.tables.items()},
        "normalization": {"mean": scaling.mean, "scale": scaling.scale} if scaling else None,
    }
    write_json(paths.environment, environment)
    if data.tokenizer is not None:
        write_text(paths.tokenizer, data.tokenizer.to_str())


def _train(
    loaded: LoadedConfig,
    data: LoadedData,
    model: Any,
    targets: Targets,
    augment: Augment | None,
    paths: RunPaths,
    outcome: RunOutcome,
    started: StartedDevice,
    listener: Listener,
) -> FitResult:
    from dltrain.model.compile import compile_model
    from dltrain.model.components import Steps
    from dltrain.model.summary import summarize_model
    from dltrain.training.callbacks import (
        EndQuiet,
        KeepBestModel,
        RecordEpochs,
        StopOnNonFiniteLoss,
    )

    config, training = loaded.config, loaded.config.training
    table = data.tables["train"]
    batch_size = len(table) if training.batch_size == "full" else training.batch_size
    steps = count_steps(len(table), batch_size)
    trained = compile_model(
        model,
        optimizer=config.optimizer,
        metrics=config.metrics or [],
        targets=targets,
        steps=Steps(per_epoch=steps, total=steps * training.epochs),
    )
    listener.plan(
        Plan(
            run_directory=paths.root,
            dataset=data.info.name,
            rows={split: len(part) for split, part in data.tables.items()},
            device=started.name,
            summary=summarize_model(model),
            batch_size=batch_size,
            epochs=training.epochs,
            steps_per_epoch=steps,
        )
    )
    monitor = training.monitor or "loss"
    stopping = training.early_stopping
    keeper = KeepBestModel(
        model,
        paths,
        monitor=monitor,
        mode=best_direction(monitor, config),
        keep_last=stopping is not None and not stopping.restore_best_weights,
    )
    recorder = RecordEpochs(paths, outcome, listener, keeper)
    outcome.describe_memory(batch_size)
    # Keras's own callbacks write files too.
    with explaining_disk(paths.root), ExitStack() as quiet:
        quiet.enter_context(without_chatter())
        trained.fit(
            make_training_batches(
                table,
                encode_labels(table.labels, targets.encoding, targets.classes),
                batch_size=batch_size,
                epochs=training.epochs,
                seed=config.seed,
                shuffle=training.shuffle,
                augment=augment,
            ),
            epochs=training.epochs,
            steps_per_epoch=steps,
            validation_data=_validation_batches(data, targets),
            callbacks=[
                EndQuiet(quiet),
                StopOnNonFiniteLoss(),
                *build_callbacks(config, paths),
                keeper,
                recorder,
            ],
            shuffle=False,  # the batches come in an order of their own
            verbose=0,
        )
    listener.note("Evaluating the best model.")
    keeper.restore()
    best = load_checked_model(paths, model, table)
    scores: dict[str, Mapping[str, Any]] = {
        split: score_split(
            best,
            data.tables[split],
            targets=targets,
            class_names=data.info.class_names,
            train_labels=data.train_labels,
        )
        for split in ("validation", "test")
        if split in data.tables
    }
    write_metrics(paths.metrics, scores)
    return FitResult(paths, scores, keeper.epoch, outcome.status.epochs_done, recorder.history)


def _validation_batches(data: LoadedData, targets: Targets) -> Any:
    table = data.tables.get("validation")
    if table is None:
        return None
    labels = encode_labels(table.labels, targets.encoding, targets.classes)
    return make_evaluation_batches(table, labels, batch_size=PREDICTION_BATCH_SIZE)


def load_checked_model(paths: RunPaths, live: Any, table: Table) -> Any:
    """Load the saved model and compare its predictions with the live one's, to the bit.

    Raises TrainingError if they differ (the saved model would not be what was measured), or if
    they aren't finite: no number could be computed from them.
    """
    from dltrain.evaluation.saved_model import load_saved_model

    saved = load_saved_model(paths.model)
    sample = Table(table.inputs[:_COMPARED_ROWS], table.labels[:_COMPARED_ROWS])
    before, after = predict_outputs(live, sample), predict_outputs(saved, sample)
    if not np.array_equal(before, after, equal_nan=True):
        largest = float(np.max(np.abs(before - after)))
        raise TrainingError(
            f"{paths.model} predicts differently from the model that was trained: by up to "
            f"{largest:.3g}.",
            hint="A layer is not saved as it is; please report it with the config.",
        )
    if not np.isfinite(after).all():
        raise TrainingError(
            "The model predicts NaN or infinite values: its last steps broke the weights.",
            hint="Lower optimizer.learning_rate, normalize the inputs, or set optimizer.clipnorm.",
        )
    return saved
