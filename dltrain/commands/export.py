"""`dltrain export`: a run's best model as a file that other programs run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dltrain.commands.data import DataDirOption, OfflineOption
from dltrain.commands.fit import DeviceChoice, DeviceOption
from dltrain.commands.options import RunArgument, RunsDirOption, VerboseOption
from dltrain.errors import UsageError
from dltrain.runs.layout import DEFAULT_ROOT

if TYPE_CHECKING:
    from dltrain.export.export import Export


class FormatChoice(StrEnum):
    """The formats that `--format` takes."""

    SAVEDMODEL = "savedmodel"
    ONNX = "onnx"
    LITERT = "litert"
    TORCH = "torch"


class QuantizeChoice(StrEnum):
    """The numbers that `--quantize` takes."""

    INT8 = "int8"


def export(
    run: RunArgument,
    form: Annotated[
        FormatChoice, typer.Option("--format", help="Each is checked by its own runtime.")
    ],
    quantize: Annotated[
        QuantizeChoice | None,
        typer.Option("--quantize", help="litert: 8 bits, calibrated on training rows."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A new folder; default: RUN/export/FORMAT."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder.")] = False,
    runs_dir: RunsDirOption = DEFAULT_ROOT,
    device: DeviceOption = DeviceChoice.AUTO,
    data_dir: DataDirOption = None,
    offline: OfflineOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    verbose: VerboseOption = False,
) -> None:
    """Export the best model of RUN, preprocessing inside, and check it by its own runtime."""
    from dltrain.export.formats import check_format
    from dltrain.prediction.open_run import open_run
    from dltrain.runs.find import resolve_run

    quantized = quantize.value if quantize else None
    check_format(form.value, quantize=quantized)
    paths = resolve_run(run, root=runs_dir)
    opened = open_run(paths, doing="exported")
    name = form.value if quantized is None else f"{form.value}-{quantized}"
    folder = output or paths.root / "export" / name
    if folder.exists() and not (force and (folder / "signature.json").is_file()):
        hint = "Add --force to replace it." if not force else "It holds no export: nothing is lost."
        raise UsageError(f"{folder} is there already.", hint=hint)

    from dltrain.commands.training_view import TrainingView
    from dltrain.data.store import is_offline, resolve_data_dir
    from dltrain.export.export import export_run
    from dltrain.runs.atomic import to_json
    from dltrain.training.evaluate import read_run_data
    from dltrain.training.resume import read_run_config

    view = TrainingView()
    loaded = read_run_config(paths)
    splits = ("train", "test") if quantized else ("test",)
    data = read_run_data(
        loaded, paths, splits, resolve_data_dir(data_dir), is_offline(offline), view
    )
    result = export_run(
        opened,
        data,
        form.value,
        folder,
        precision=loaded.config.training.precision,
        quantize=quantized,
        device=device.value,
        progress=view,
    )
    if as_json:
        typer.echo(to_json({"folder": str(folder), **_read_signature(folder)}))
        return
    _show(result)


def _read_signature(folder: Path) -> dict[str, object]:
    import json

    found: dict[str, object] = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
    return found


def _show(result: Export) -> None:
    interface, check = result.interface, result.check
    shape = ", ".join(["batch", *(str(size) for size in interface.shape)])
    typer.echo(f"input     {interface.dtype} ({shape})")
    typer.echo(f"output    {interface.output}")
    typer.echo(f"check     {check.runtime}, {check.rows} test rows")
    allowed = "" if check.tolerance is None else f" (allowed: {check.tolerance:g})"
    typer.echo(f"          differs from Keras by up to {check.largest_difference:.2g}{allowed}")
    if check.same_class is not None:
        typer.echo(f"          same class in {check.same_class} of {check.rows} rows")
    if result.quantization is not None:
        each = result.quantization
        typer.echo(
            f"{each.type:<10}{each.metric}: {_say(each.before)} before, {_say(each.after)} after, "
            f"on {each.scored_rows:,} test rows"
        )
        typer.echo(f"          calibrated on {each.calibration_rows} training rows")
    typer.echo(f"size      {result.size_bytes:,} bytes")
    typer.echo(f"written to {result.folder / result.file}, with signature.json beside it")


def _say(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
