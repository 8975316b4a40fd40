"""`dltrain predict`: what does the best model of a run say of new inputs?"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dltrain.commands.fit import DeviceChoice, DeviceOption
from dltrain.commands.options import RunArgument, RunsDirOption, VerboseOption
from dltrain.errors import DataError, UsageError
from dltrain.runs.layout import DEFAULT_ROOT

if TYPE_CHECKING:
    from dltrain.prediction.output import RowWriter
    from dltrain.prediction.run_input import RunInput


class FormatChoice(StrEnum):
    """The forms that `--format` takes."""

    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_SUFFIXES = {
    ".csv": FormatChoice.CSV,
    ".jsonl": FormatChoice.JSONL,
    ".parquet": FormatChoice.PARQUET,
}


def predict(
    run: RunArgument,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT",
            help="Images, texts (.txt), folders of them, .csv, .jsonl or .npz; - is stdin.",
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="TEXT", help="A text itself; may be repeated."),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            "--column", metavar="NAME", help="Texts of a .csv or .jsonl: their column (text)."
        ),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", min=1, help="So many classes, the most probable first.")
    ] = 1,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write into this file: .csv, .jsonl or .parquet."),
    ] = None,
    form: Annotated[
        FormatChoice | None,
        typer.Option("--format", help="Default: by the output's suffix, else table."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
    runs_dir: RunsDirOption = DEFAULT_ROOT,
    device: DeviceOption = DeviceChoice.AUTO,
    verbose: VerboseOption = False,
) -> None:
    """Predict new inputs with the best model of RUN: images, texts, tables, or a stream."""
    kind = _find_format(form, output)
    _check_output(output, force=force)
    from dltrain.prediction.items import check_inputs
    from dltrain.prediction.open_run import open_run
    from dltrain.runs.find import resolve_run

    opened = open_run(resolve_run(run, root=runs_dir), doing="used to predict")
    check_inputs(opened, inputs or [], text or [])

    from dltrain.commands.training_view import TrainingView
    from dltrain.prediction.predict import predict_inputs

    batches = predict_inputs(
        opened,
        inputs or [],
        texts=text or [],
        column=column,
        top=top,
        stdin=sys.stdin.buffer,
        device=device.value,
        progress=TrainingView(),
    )
    from dltrain.training.outcome import Interrupted
    from dltrain.training.signals import Signals, Terminated, listening

    rows, failed, signals = 0, 0, Signals()
    with (
        _open(opened, kind, output, top) as writer,
        # So an endless stream is left: what was predicted is kept, in whole lines.
        contextlib.suppress(KeyboardInterrupt, Terminated),
        listening(signals, on_second=lambda _: None),
    ):
        for batch in batches:
            with signals.deferred():
                writer.write(batch)
                rows += len(batch)
                failed += sum(bool(row.error) for row in batch)
    if output is not None:
        typer.echo(f"{rows - failed:,} predictions written to {output}", err=True)
    if signals.number is not None:
        word = "Terminated" if signals.number == signal.SIGTERM else "Interrupted"
        raise Interrupted(f"{word} after {rows:,} inputs.", signal_number=signals.number)
    if failed:
        raise DataError(
            f"{failed:,} of {rows:,} inputs could not be predicted.",
            hint="Each says why in its row; the others are predicted.",
        )


@contextlib.contextmanager
def _open(run: RunInput, kind: FormatChoice, output: Path | None, top: int) -> Iterator[RowWriter]:
    from dltrain.prediction.output import CsvWriter, JsonLinesWriter, LineWriter, open_writer

    has_classes = bool(run.class_names)
    top = min(top, len(run.class_names) or 1)
    if output is not None and kind is not FormatChoice.TABLE:
        with open_writer(output, kind.value, top=top, has_classes=has_classes) as writer:
            yield writer
    elif kind is FormatChoice.TABLE:
        width = max((len(name) for name in run.class_names), default=0)
        yield LineWriter(sys.stdout, has_classes=has_classes, class_width=width)
    else:
        make = CsvWriter if kind is FormatChoice.CSV else JsonLinesWriter
        yield make(sys.stdout, top=top, has_classes=has_classes)


def _find_format(form: FormatChoice | None, output: Path | None) -> FormatChoice:
    if output is None:
        if form is FormatChoice.PARQUET:
            raise UsageError(
                "--format parquet: Parquet goes into a file.", hint="Add --output FILE.parquet."
            )
        return form or FormatChoice.TABLE
    if form is FormatChoice.TABLE:
        raise UsageError("--format table is for the terminal.", hint="Leave --output out.")
    found = form or _SUFFIXES.get(output.suffix.lower())
    if found is None:
        raise UsageError(
            f"--output {output}: expected a name that ends in .csv, .jsonl or .parquet.",
            hint="Or say the form with --format.",
        )
    return found


def _check_output(output: Path | None, *, force: bool) -> None:
    if output is None:
        return
    if output.is_dir():
        raise UsageError(f"--output: {output} is a directory; expected the path of a file.")
    if not output.parent.is_dir():
        raise UsageError(f"--output: there is no directory {output.parent}.")
    if output.exists() and not force:
        raise UsageError(
            f"--output: {output} is there already.", hint="Add --force to overwrite it."
        )
