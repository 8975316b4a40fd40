"""What does `dltrain fit` do? Data, network, training, the best model, its numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.config.load import LoadedConfig
from dltrain.data.load import LoadedData, load_data
from dltrain.data.preset_tokenizer import is_of_preset, make_preset_tokenizer
from dltrain.errors import RunError
from dltrain.runs.atomic import explaining_disk, syncing_together
from dltrain.runs.create import claim_run_directory, create_run_directory
from dltrain.runs.history import append_history, write_history
from dltrain.runs.history_lines import append_history_line, write_history_lines
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import hold_run, release_run
from dltrain.runs.model_table import write_model_table
from dltrain.runs.status import DataKind, StoppedBy
from dltrain.trackers.choose import check_trackers
from dltrain.training.best_scores import evaluate_best, scored_splits
from dltrain.training.description import write_description
from dltrain.training.engine import (
    Device,
    StartedDevice,
    begin_import,
    start_engine,
    without_chatter,
)
from dltrain.training.kept_warnings import KeptWarnings
from dltrain.training.listener import Listener, Plan, Remembering
from dltrain.training.outcome import RunOutcome, recording_outcome
from dltrain.training.prepare import (
    check_callbacks,
    prepare_augmentation,
    prepare_network,
    prepare_rows,
)
from dltrain.training.pretrained import (
    Start,
    build_front,
    describe_front,
    find_start,
    give_weights,
)
from dltrain.training.recorded_data import check_same_data, read_preprocessing, read_tokenizer
from dltrain.training.resume import Resumption, plan_resumption
from dltrain.training.tracking import tracking

if TYPE_CHECKING:
    from dltrain.training.assemble import Prepared
    from dltrain.training.loop import Machinery, Progress


@dataclass(frozen=True)
class FitResult:
    """What a finished run gave: its directory, its scores by split, and its best epoch (from 1).

    `resumed_from` counts the epochs that were done when it was resumed (None: it was not).
    `train_seconds` are those of all epochs, resumed parts included; `checkpoint_seconds` those of
    this session in which the training stood still for checkpoints.
    """

    paths: RunPaths
    scores: Mapping[str, Mapping[str, Any]]
    best_epoch: int
    epochs_done: int
    history: Sequence[Mapping[str, float]]
    stopped_by: StoppedBy | None
    data: DataKind
    train_seconds: float
    checkpoint_seconds: float
    resumed_from: int | None


def fit(
    loaded: LoadedConfig,
    *,
    data_dir: Path,
    runs_root: Path,
    run_directory: Path | None = None,
    resume: bool = False,
    smoke: bool = False,
    offline: bool = False,
    device: Device = "auto",
    score_train: bool = False,
    score_test: bool = True,
    max_seconds: float | None = None,
    begun: float | None = None,
    command_line: Sequence[str] = (),
    findings: Sequence[Mapping[str, Any]] = (),
    afterwards: Callable[[RunPaths], None] | None = None,
    listener: Listener | None = None,
) -> FitResult:
    """Train the model of a config, keep the best, score validation and test, write the run.

    `resume` goes on with the run in `run_directory`. `smoke` takes few rows, or a stand-in.
    `max_seconds` counts from `begun` (of time.perf_counter), evaluation included. `findings` are
    the lints' and are written down, in the form of `warnings.json`. Without `score_test` the test
    rows are left alone. `afterwards` is called once the run is finished and whole, and before
    trackers take its files. Raises Stopped if `listener` does after an epoch, and DataError,
    ConfigError (a layer that can't be built), RunError and MachineError before training,
    TrainingError and Interrupted from it; the run's status.json then says why.
    """
    listener = Remembering(listener or Listener())
    begun = time.perf_counter() if begun is None else begun
    check_callbacks(loaded)
    trackers = [] if smoke else loaded.config.trackers  # what a smoke run gives means nothing
    check_trackers(trackers, offline=offline)
    # A directory that is taken, or no GPU, shows before minutes of download. Otherwise TensorFlow
    # is imported, which takes seconds, while the data is opened.
    is_new = run_directory is not None and not run_directory.exists()
    paths = _take_directory(run_directory, resume=resume)
    try:
        start = find_start(loaded, resumed=paths if resume else None, smoke=smoke)
        loaded = start.loaded
        resumption = plan_resumption(paths, loaded) if resume and paths else None
        started = None
        if device == "gpu":
            started = _start(loaded, device)
        else:
            begin_import(device=device)
        data = _load(start, paths, resumption, data_dir, offline, smoke, listener)
        started = started or _start(loaded, device)
        prepared = _prepare(
            start,
            data,
            started,
            offline=offline or smoke,
            resumed=paths if resumption and resumption.checkpoint else None,
            listener=listener,
        )
    except BaseException:
        listener.close()
        if paths is not None:
            release_run(paths)
            if is_new:
                with suppress(OSError):
                    paths.root.rmdir()
        raise
    paths = paths or create_run_directory(loaded.config.name, root=runs_root)
    deadline = None if max_seconds is None else begun + max_seconds
    tracked = tracking(
        trackers, prepared, paths, resumption, listener, offline=offline, deadline=deadline
    )
    kept = KeptWarnings(paths, findings, listener, goes_on=resumption is not None)
    try:
        with syncing_together(), tracked as heard:
            with (
                kept.written(),
                recording_outcome(
                    paths,
                    epochs_goal=loaded.config.training.epochs,
                    epochs_done=resumption.epochs_done if resumption else 0,
                    data=data.kind,
                ) as outcome,
            ):
                notes = write_description(paths, prepared, started, resumption, command_line)
                told = [note for note in (prepared.balanced.note, start.note) if note]
                for note in (*(resumption.notes if resumption else ()), *told):
                    heard.note(note)
                for note in notes:
                    heard.warn(note)
                splits = scored_splits(train=score_train, test=score_test)
                result = _train(prepared, paths, outcome, heard, resumption, deadline, splits)
                kept.write()  # a run that says `finished` has all its files, whatever kills it next
            if afterwards is not None:
                afterwards(paths)
        kept.write()  # what trackers said in the end
        return result
    finally:
        listener.close()
        release_run(paths)


def _take_directory(run_directory: Path | None, *, resume: bool) -> RunPaths | None:
    if run_directory is None:
        if resume:
            raise RunError("Resuming needs the directory of the run.")
        return None
    if not resume:
        return claim_run_directory(run_directory)
    paths = RunPaths(run_directory)
    hold_run(paths)
    return paths


def _load(
    start: Start,
    paths: RunPaths | None,
    resumption: Resumption | None,
    data_dir: Path,
    offline: bool,
    smoke: bool,
    listener: Listener,
) -> LoadedData:
    loaded = start.loaded
    tokenizer = preprocessing = None
    if resumption and paths and resumption.checkpoint:
        tokenizer = read_tokenizer(paths, loaded.info)
        preprocessing = read_preprocessing(paths)
    elif start.source:  # the ids of words are those that its embedding knows
        tokenizer = read_tokenizer(start.source.paths, loaded.info)
    else:
        tokenizer = make_preset_tokenizer(loaded.config, loaded.info, offline=offline or smoke)
    with without_chatter() if is_of_preset(tokenizer) else nullcontext():  # it runs in TensorFlow
        data = load_data(
            loaded.config.dataset,
            seed=loaded.config.seed,
            data_dir=data_dir,
            offline=offline,
            tokenizer=tokenizer,
            preprocessing=preprocessing,
            progress=listener,
            smoke=smoke,
        )
    if resumption and paths and resumption.checkpoint:
        check_same_data(paths, resumption.environment, data)
    return data


def _start(loaded: LoadedConfig, device: Device) -> StartedDevice:
    config = loaded.config
    return start_engine(device=device, precision=config.training.precision, seed=config.seed)


def _prepare(
    start: Start,
    data: LoadedData,
    started: StartedDevice,
    *,
    offline: bool,
    resumed: RunPaths | None,
    listener: Listener,
) -> Prepared:
    """Build the network. A run that is `resumed` has a checkpoint: no weights are read."""
    from dltrain.training.assemble import Prepared

    loaded = start.loaded
    backbone = build_front(
        loaded,
        data,
        offline=offline,
        is_filled=start.is_filled and resumed is None,
        resumed=resumed,
        progress=listener,
    )
    model, targets = prepare_network(loaded, data, backbone)
    augment = prepare_augmentation(loaded, data, targets)
    balanced = prepare_rows(loaded, data)
    freezing = give_weights(start, model, backbone, has_checkpoint=resumed is not None)
    preset = describe_front(backbone)
    return Prepared(loaded, data, model, targets, augment, started.kind, balanced, freezing, preset)


def _train(
    prepared: Prepared,
    paths: RunPaths,
    outcome: RunOutcome,
    listener: Listener,
    resumption: Resumption | None,
    deadline: float | None,
    splits: Sequence[str],
) -> FitResult:
    from dltrain.training.assemble import assemble
    from dltrain.training.choices import free_memory_bytes
    from dltrain.training.deadline import Deadline
    from dltrain.training.loop import Loop
    from dltrain.training.memory import estimate_step_bytes, format_bytes, refuse_too_large
    from dltrain.training.nonfinite import explain_non_finite

    with without_chatter():
        machinery = assemble(prepared, paths, resumption)
    checkpoint = resumption.checkpoint if resumption else None
    history = checkpoint.state["history"] if checkpoint else []
    write_history(paths.history, history)
    write_history_lines(paths.history_lines, history)
    _announce(prepared, paths, machinery, listener)
    batch_size = machinery.steps.feed.batch_size
    needed = estimate_step_bytes(machinery.trained, batch_size=batch_size)
    free = free_memory_bytes()
    described = (
        f" at a batch size of {batch_size:,}: a step takes about {format_bytes(needed)}, "
        f"and {format_bytes(free)} were free before the first"
    )
    outcome.describe_memory(described)
    if prepared.device == "cpu":
        refuse_too_large(
            machinery.trained, batch_size=batch_size, free_bytes=free, described=described
        )
    limit = Deadline(deadline, prepared.data.tables, splits=splits)

    def refuse(progress: Progress, stretch: Any, order: Any) -> None:
        machinery.best.write_on_the_way()
        raise explain_non_finite(loop.parts.steps, progress, stretch, order, model=prepared.model)

    def record_epoch(row: Mapping[str, float]) -> None:
        append_history(paths.history, row)
        append_history_line(paths.history_lines, row)
        outcome.finish_epoch(int(row["epoch"]))

    quiet, patient = ExitStack(), ExitStack()

    def begin_in_earnest() -> None:
        """Let go of the terminal, and from now on let a signal wait for the end of its step.

        Before the first steps there is nothing to keep, and tracing a large model takes long.
        """
        quiet.close()
        patient.enter_context(outcome.signals.deferred())

    with closing(machinery.checkpoints):
        # Keras's own callbacks write files too.
        with explaining_disk(paths.root), patient, quiet:
            quiet.enter_context(without_chatter())
            loop = Loop(
                machinery,
                listener=listener,
                record_epoch=record_epoch,
                refuse=refuse,
                signalled=lambda: outcome.signals.number is not None,
                out_of_time=limit.is_near,
                after_first_call=begin_in_earnest,
            )
            progress = loop.run(checkpoint)
            if progress.stopped_by == "signal":
                machinery.best.write_on_the_way()
        outcome.stop_early(progress.stopped_by)
        scores = evaluate_best(prepared, paths, machinery, progress, listener, splits)
        machinery.checkpoints.wait()  # the last one was written meanwhile
    return FitResult(
        paths=paths,
        scores=scores,
        best_epoch=machinery.best.epoch,
        epochs_done=progress.epoch,
        history=progress.history,
        stopped_by=progress.stopped_by,
        data=prepared.data.kind,
        train_seconds=progress.train_seconds,
        checkpoint_seconds=machinery.checkpoints.seconds,
        resumed_from=checkpoint.epoch if checkpoint else None,
    )


def _announce(
    prepared: Prepared, paths: RunPaths, machinery: Machinery, listener: Listener
) -> None:
    from dltrain.model.summary import summarize_model

    data, summary = prepared.data, summarize_model(prepared.model)
    write_model_table(
        paths.model_table,
        summary.layers,
        parameters=summary.parameters,
        trainable_parameters=summary.trainable_parameters,
    )
    listener.plan(
        Plan(
            run_directory=paths.root,
            dataset=data.label,
            rows={split: len(part) for split, part in data.tables.items()},
            device=prepared.device,
            summary=summary,
            batch_size=machinery.steps.feed.batch_size,
            epochs=machinery.epochs,
            steps_per_epoch=machinery.steps_per_epoch,
        )
    )
