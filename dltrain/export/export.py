"""What does `dltrain export` do? Convert, run what came out, compare, and only then keep it."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.data.batches import Table
from dltrain.data.load import LoadedData
from dltrain.data.members import digest_of
from dltrain.data.progress import SILENT, Progress
from dltrain.errors import MachineError
from dltrain.evaluation.predict import to_probabilities
from dltrain.evaluation.score import score_rows
from dltrain.export.convert import convert_to_litert, convert_to_onnx, convert_to_torch
from dltrain.export.formats import FILES, ExportFormat, check_format, describe_runtime
from dltrain.export.graph import Interface, describe_interface, write_saved_model
from dltrain.export.runtimes import Run, open_runtime
from dltrain.export.signature import describe_signature
from dltrain.prediction.predict import ModelOfRun, load_model_of_run
from dltrain.prediction.run_input import RunInput
from dltrain.runs.atomic import explaining_disk, write_json
from dltrain.runs.predictions import Predictions
from dltrain.training.engine import Device, without_chatter

CHECKED_ROWS = 256
CALIBRATION_ROWS = 256
SCORED_ROWS = 10_000
"""Of the test split, for the accuracy before and after quantization."""

# Of probabilities, and of a regression's values in units of their largest. float32 has 7 digits;
# a runtime adds up in another order. bfloat16 and float16 have 2 to 3.
_TOLERANCE = 1e-4
_MIXED_TOLERANCE = 2e-2


@dataclass(frozen=True)
class Check:
    """Say how the exported model compares with Keras on rows of the test split.

    `same_class` counts the rows of the same predicted class; None in a regression.
    """

    runtime: str
    rows: int
    largest_difference: float
    tolerance: float | None
    same_class: int | None


@dataclass(frozen=True)
class Quantization:
    """Say what int8 costs: the headline metric of test rows with Keras, and with the export."""

    type: str
    calibration_rows: int
    scored_rows: int
    metric: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Export:
    """Hold where an exported model lies, and what its check gave."""

    folder: Path
    file: str
    size_bytes: int
    interface: Interface
    check: Check
    quantization: Quantization | None


def export_run(
    run: RunInput,
    data: LoadedData,
    form: ExportFormat,
    folder: Path,
    *,
    precision: str,
    quantize: str | None = None,
    device: Device = "auto",
    progress: Progress = SILENT,
) -> Export:
    """Export the run's model into `folder`, which must not be there or is replaced.

    The folder gets the model, signature.json, and tokenizer.json or preprocessing.json if raw input
    goes through them. Test rows of `data` are run through the export; with `quantize` its training
    rows calibrate. Raises MachineError, and leaves nothing, if the model can't be converted, or
    differs from Keras by more than the tolerance.
    """
    check_format(form, quantize=quantize)
    model = load_model_of_run(run, device=device)
    test = data.tables["test"]
    interface = describe_interface(model, form, input_dtype=str(test.take(slice(1)).dtype))
    with _replacing_folder(folder) as temporary:
        target = temporary / FILES[form]
        progress.note(f"Exporting {run.paths.model} as {form}.")
        _convert(model, interface, form, target, data, quantize)
        exported = open_runtime(form, target, interface)
        tolerance = _MIXED_TOLERANCE if precision.startswith("mixed") else _TOLERANCE
        rows = _draw_rows(test, CHECKED_ROWS)
        check = _compare(model, exported, interface, rows, form, None if quantize else tolerance)
        _refuse_difference(check, form)
        quantization = None
        if quantize is not None:
            quantization = _score_quantized(model, exported, interface, data, quantize)
        signature = describe_signature(run, interface, form)
        _write_beside(run, temporary, signature, check, quantization)
        size = sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file())
    return Export(folder, FILES[form], size, interface, check, quantization)


def _convert(
    model: ModelOfRun,
    interface: Interface,
    form: ExportFormat,
    target: Path,
    data: LoadedData,
    quantize: str | None,
) -> None:
    if form == "torch":
        convert_to_torch(model.run.paths.model, model.targets, interface, target)
        return
    saved = target if form == "savedmodel" else target.parent / ".saved_model"
    with without_chatter():
        write_saved_model(model, interface, saved, full_precision=form != "savedmodel")
    if form == "savedmodel":
        return
    if form == "onnx":
        convert_to_onnx(saved, target)
    else:
        calibration = None
        if quantize is not None:
            rows = _draw_rows(data.tables["train"], CALIBRATION_ROWS)
            calibration = interface.to_raw(rows.take(slice(None)))
        convert_to_litert(saved, target, calibration=calibration)
    shutil.rmtree(saved)


def _draw_rows(table: Table, count: int) -> Table:
    """Return rows drawn from all of the table: its classes may lie one behind the other."""
    rows = np.sort(np.random.default_rng(0).permutation(len(table))[:count])
    return Table(table.take(rows), table.labels[rows])


def _predict(model: ModelOfRun, table: Table) -> npt.NDArray[np.float64]:
    """Return what Keras predicts: probabilities `(n, classes)`, or values `(n, 1)`."""
    with without_chatter():
        outputs = model.predictor(table)
    if model.targets.task == "regression":
        return outputs[:, :1].astype(np.float64)
    return to_probabilities(outputs, model.targets)


def _compare(
    model: ModelOfRun,
    exported: Run,
    interface: Interface,
    table: Table,
    form: ExportFormat,
    tolerance: float | None,
) -> Check:
    expected = _predict(model, table)
    found = exported(interface.to_raw(table.take(slice(None))))
    if found.shape != expected.shape:
        raise MachineError(
            f"--format {form}: the exported model gives {found.shape}; expected {expected.shape}.",
            hint="Nothing was kept of it. Take another format.",
        )
    is_class = model.targets.task == "classification"
    # One large value would make any difference of small ones look small; there are no others here.
    scale = 1.0 if is_class else max(1.0, float(np.abs(expected).max()))
    difference = float(np.abs(found - expected).max()) / scale
    same = int((found.argmax(axis=1) == expected.argmax(axis=1)).sum()) if is_class else None
    return Check(describe_runtime(form), len(table), difference, tolerance, same)


def _refuse_difference(check: Check, form: ExportFormat) -> None:
    difference, tolerance = check.largest_difference, check.tolerance
    # NaN is in no relation to anything.
    if np.isfinite(difference) and (tolerance is None or difference <= tolerance):
        return
    at_most = "" if tolerance is None else f"; at most {tolerance:g} is allowed"
    raise MachineError(
        f"--format {form}: the exported model differs from Keras by {difference:.3g} on "
        f"{check.rows} test rows{at_most}.",
        hint="Nothing was kept of it. Take another format.",
    )


def _score_quantized(
    model: ModelOfRun, exported: Run, interface: Interface, data: LoadedData, quantize: str
) -> Quantization:
    table = _draw_rows(data.tables["test"], SCORED_ROWS)
    before = _predict(model, table)
    after = exported(interface.to_raw(table.take(slice(None)))).astype(np.float64)
    scores = [_score(model, table, predicted) for predicted in (before, after)]
    return Quantization(
        type=quantize,
        calibration_rows=min(CALIBRATION_ROWS, len(data.tables["train"])),
        scored_rows=len(table),
        metric=str(scores[0]["headline"]),
        before=scores[0][str(scores[0]["headline"])]["value"],
        after=scores[1][str(scores[1]["headline"])]["value"],
    )


def _score(model: ModelOfRun, table: Table, predicted: npt.NDArray[np.float64]) -> dict[str, Any]:
    ids = [str(row) for row in range(len(table))]
    if model.targets.task == "regression":
        true = table.labels.astype(np.float64)
        return score_rows(Predictions("regression", (), ids, true, predicted[:, 0]))
    # Quantized probabilities are steps of 1/256: they need not sum to 1.
    total = predicted.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, predicted / np.where(total > 0, total, 1), 1 / predicted.shape[1])
    labels, chosen = table.labels.astype(np.int64), shares.argmax(axis=1)
    names = model.run.class_names
    return score_rows(Predictions("classification", names, ids, labels, chosen, shares))


def _write_beside(
    run: RunInput,
    folder: Path,
    signature: Mapping[str, Any],
    check: Check,
    quantization: Quantization | None,
) -> None:
    record = {
        **signature,
        "model_digest": digest_of(run.paths.model, "sha256"),
        "check": dataclasses.asdict(check),
        "quantization": None if quantization is None else dataclasses.asdict(quantization),
    }
    write_json(folder / "signature.json", record)
    beside = []
    if run.modality == "text" and not run.takes_ids:
        beside.append(run.paths.tokenizer)
    if run.preprocessing.columns:
        beside.append(run.paths.preprocessing)
    for path in beside:
        shutil.copyfile(path, folder / path.name)


@contextmanager
def _replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder` that takes its place if the block ends well."""
    temporary = folder.with_name(f".{secrets.token_hex(4)}.partial.{folder.name}")
    with explaining_disk(folder):
        temporary.mkdir(parents=True)
        try:
            yield temporary
            if folder.is_dir():
                shutil.rmtree(folder)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
