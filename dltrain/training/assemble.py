"""What does a training consist of? Compiled model, steps, callbacks, checkpoints, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras  # noqa: TID253  (imported when a training begins, never before)

from dltrain.config.load import LoadedConfig
from dltrain.config.monitors import best_direction
from dltrain.config.phases import Phase, find_phase, list_phases
from dltrain.config.targets import Targets
from dltrain.data.augment import Augment
from dltrain.data.balance import Balanced
from dltrain.data.batches import Table, count_steps, encode_labels, order_rows
from dltrain.data.feeding import Feed, make_feed
from dltrain.data.load import LoadedData
from dltrain.evaluation.predict import PREDICTION_BATCH_SIZE
from dltrain.model.compile import compile_model
from dltrain.model.components import Steps
from dltrain.model.freezing import Freezing
from dltrain.model.fused import fuse
from dltrain.runs.layout import RunPaths
from dltrain.training.best import BestModel
from dltrain.training.checkpoints import Checkpoints
from dltrain.training.choices import choose_input_path, choose_xla
from dltrain.training.loop import Machinery
from dltrain.training.prepare import build_callbacks
from dltrain.training.resume import Resumption, rewind_csv_logger
from dltrain.training.steps import TrainingSteps, ValidationSteps


@dataclass(frozen=True)
class Prepared:
    """What is there before a run directory is made: data, network and what is done to images.

    The steps are taken on `balanced`; everything else looks at the training rows as they are.
    """

    loaded: LoadedConfig
    data: LoadedData
    model: Any
    targets: Targets
    augment: Augment | None
    device: str
    balanced: Balanced
    freezing: Freezing
    preset: Mapping[str, Any]
    """The files, by name, of a preset that the model begins with, without its weights."""


@dataclass(frozen=True)
class _Steps:
    """What belongs to one phase alone: the compiled model with its optimizer, and its steps."""

    phase: Phase
    trained: Any
    steps: TrainingSteps
    validation: ValidationSteps | None


def assemble(prepared: Prepared, paths: RunPaths, resumption: Resumption | None) -> Machinery:
    """Return the parts of the training; the compiled functions are traced at their first call.

    They are those of the phase that the training begins in; `enter` gives those of an epoch's.
    """
    config, training = prepared.loaded.config, prepared.loaded.config.training
    table = prepared.balanced.table
    batch_size = len(table) if training.batch_size == "full" else training.batch_size
    steps_per_epoch = count_steps(len(table), batch_size)
    xla = choose_xla(training.jit_compile, steps_per_epoch=steps_per_epoch, device=prepared.device)
    # On a GPU Keras's own layers are fast, and sums of segments aren't the same every time.
    can_fuse = prepared.device == "cpu" and xla != "step"
    network = fuse(prepared.model) if can_fuse else prepared.model
    checkpoint = resumption.checkpoint if resumption else None
    validation = prepared.data.tables.get("validation")
    feed = _make_feed(prepared, table, batch_size)
    validation_feed = None
    if validation:
        validation_feed = _make_feed(prepared, validation, PREDICTION_BATCH_SIZE)
    phases = list_phases(config)

    def begin(phase: Phase) -> _Steps:
        """Make what the steps of a phase need: a new optimizer, and functions not yet traced.

        They hold what is frozen from their first call on, so they are those of one phase only.
        """
        prepared.freezing.apply(phase.trainable)
        trained = compile_model(
            network,
            optimizer=phase.optimizer,
            metrics=config.metrics or [],
            targets=prepared.targets,
            steps=Steps(per_epoch=steps_per_epoch, total=steps_per_epoch * phase.epochs),
        )
        steps = TrainingSteps(
            trained, feed, augment=prepared.augment, xla=xla, weights=table.weights
        )
        validating = None
        if validation_feed is not None and validation is not None:
            weights = validation.weights
            validating = ValidationSteps(trained, validation_feed, xla=xla, weights=weights)
        return _Steps(phase, trained, steps, validating)

    current = begin(find_phase(phases, checkpoint.epoch if checkpoint else 0))
    trained = current.trained
    stopping = training.early_stopping
    monitor = training.monitor or "loss"
    own = build_callbacks(config, paths)
    for callback in own:
        if isinstance(callback, keras.callbacks.CSVLogger) and checkpoint:
            rewind_csv_logger(paths.root / callback.filename, epochs_done=checkpoint.epoch)
            callback.append = True
    machinery = Machinery(
        trained=trained,
        steps=current.steps,
        validation=current.validation,
        callbacks=keras.callbacks.CallbackList(
            own,
            add_history=False,
            add_progbar=False,
            model=trained,
            verbose=0,
            epochs=training.epochs,
            steps=steps_per_epoch,
        ),
        best=BestModel(
            prepared.model,
            paths,
            monitor=monitor,
            mode=best_direction(monitor, config),
            keep_last=stopping is not None and not stopping.restore_best_weights,
            as_built=prepared.freezing.as_built,
        ),
        checkpoints=Checkpoints(paths.checkpoints, training.checkpoint),
        order=lambda epoch: order_rows(
            len(table), seed=config.seed, epoch=epoch, shuffle=training.shuffle
        ),
        epochs=training.epochs,
        steps_per_epoch=steps_per_epoch,
        single_steps=any(_hears_steps(callback) for callback in own),
    )
    return _Phases(machinery, current, phases, begin).machinery if len(phases) > 1 else machinery


class _Phases:
    """Hand out the machinery of the phase that an epoch belongs to, made when it is entered."""

    def __init__(
        self,
        machinery: Machinery,
        current: _Steps,
        phases: Sequence[Phase],
        begin: Callable[[Phase], _Steps],
    ) -> None:
        self._number = current.phase.number
        self._phases = phases
        self._begin = begin
        self.machinery = replace(machinery, enter=self.enter)

    def enter(self, epoch: int) -> Machinery:
        """Return the machinery of epoch `epoch` (from 0): the same one within a phase."""
        phase = find_phase(self._phases, epoch)
        if phase.number != self._number:
            self._number = phase.number
            made = self._begin(phase)
            self.machinery = replace(
                self.machinery,
                trained=made.trained,
                steps=made.steps,
                validation=made.validation,
            )
        return self.machinery


def _make_feed(prepared: Prepared, table: Table, batch_size: int) -> Feed:
    labels = encode_labels(table.labels, prepared.targets.encoding, prepared.targets.classes)
    path = choose_input_path(
        prepared.loaded.config.training.input, data_bytes=table.nbytes, device=prepared.device
    )
    return make_feed(table, labels, batch_size=batch_size, stream=path == "stream")


def _hears_steps(callback: Any) -> bool:
    """Tell whether a callback does something after a step, and not after an epoch alone."""
    base = keras.callbacks.Callback
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    is_heard = any(getattr(type(callback), hook) is not getattr(base, hook) for hook in hooks)
    return is_heard and getattr(callback, "save_freq", None) != "epoch"
