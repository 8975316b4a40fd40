"""What does `dltrain data show` write: a picture of images or texts, or a table of numbers?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from dltrain.commands.output import put_text
from dltrain.config.load import LoadedConfig
from dltrain.data.load import LoadedData, load_data
from dltrain.data.preset_tokenizer import make_preset_tokenizer
from dltrain.data.progress import Progress
from dltrain.errors import UsageError
from dltrain.plots.style import clean, format_number, shorten, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AUGMENTED_ROWS = 6
_EPOCHS = 5
_PLAIN_IMAGES = 24
_TEXTS = 5
_TABLE_ROWS = 6


def show_data(
    loaded: LoadedConfig,
    *,
    output: Path | None,
    data_dir: Path,
    offline: bool,
    progress: Progress,
) -> None:
    """Write NAME-data.png, or `output`, and print where; of a table print the rows.

    TensorFlow is imported for images that are augmented. Raises DataError, UsageError,
    MachineError, and ConfigError if the images can't be augmented.
    """
    modality = loaded.info.modality
    if modality != "tabular":
        output = _check_output(output or Path(f"{loaded.config.name}-data.png"))
    data = load_data(
        loaded.config.dataset,
        seed=loaded.config.seed,
        data_dir=data_dir,
        offline=offline,
        splits=("train",),
        tokenizer=make_preset_tokenizer(loaded.config, loaded.info, offline=offline),
        progress=progress,
    )
    if modality == "tabular":
        put_text(_make_table(data), output, overwrite=True)
        if output is not None:
            typer.echo(str(output))
        return
    from dltrain.plots.draw import write_figure

    assert output is not None
    # Before the lock on matplotlib's style is taken: augmenting takes seconds.
    draw = (_plan_texts if modality == "text" else _plan_images)(loaded, data)
    with styled():
        write_figure(draw(), output)
    typer.echo(str(output))


def _check_output(output: Path) -> Path:
    if output.is_dir():
        raise UsageError(f"--output: {output} is a directory; expected the path of a file.")
    if output.suffix not in (".png", ".svg"):
        raise UsageError(
            f"--output: expected a name that ends in .png or .svg, received {output.name}."
        )
    if not output.parent.is_dir():
        raise UsageError(f"--output: there is no directory {output.parent}.")
    return output


def _plan_images(loaded: LoadedConfig, data: LoadedData) -> Callable[[], Figure]:
    from dltrain.plots.samples import draw_images
    from dltrain.training.prepare import prepare_rows
    from dltrain.training.samples import augment_rows, choose_rows

    specs = loaded.config.dataset.augment
    # What `training.balance` makes of them, as they stand in the batches.
    table = prepare_rows(loaded, data).table
    data = replace(data, tables={**data.tables, "train": table})
    rows = choose_rows(table.labels, _AUGMENTED_ROWS if specs else _PLAIN_IMAGES)

    def to_bytes(images: Any) -> Any:
        scaled = np.asarray(images, dtype=np.float64) * (255 / data.largest)
        return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)

    images = to_bytes(table.take(np.array(rows)))
    seen = to_bytes(augment_rows(loaded, data, rows, epochs=_EPOCHS)) if specs else None
    title = "Augmented training images" if specs else "Training images"
    names = ", ".join(str(spec["type"]) for spec in specs)
    facts = f"{names} · seed {loaded.config.seed}" if specs else "not augmented"
    subtitle = clean(f"{loaded.config.name} · {data.label} · {facts}", longest=110)
    return lambda: draw_images(title, subtitle, images, seen, _name_labels(data, rows))


def _plan_texts(loaded: LoadedConfig, data: LoadedData) -> Callable[[], Figure]:
    from dltrain.plots.samples import draw_texts
    from dltrain.training.samples import choose_rows, read_texts

    rows = choose_rows(data.tables["train"].labels, _TEXTS)
    texts = [(text.words, text.padding) for text in read_texts(data, rows)]
    dataset = loaded.config.dataset
    facts = f"at most {dataset.max_length} words · [unknown] to a vocabulary of {dataset.max_words}"
    if dataset.ngrams == 2:
        facts += " · pairs of words are added"
    subtitle = clean(f"{loaded.config.name} · {data.label} · {facts}", longest=130)
    return lambda: draw_texts("Training texts", subtitle, texts, _name_labels(data, rows))


def _name_labels(data: LoadedData, rows: list[int]) -> list[str]:
    labels = data.tables["train"].labels[np.array(rows)]
    names = data.info.class_names
    return [str(names[int(label)]) if names else format_number(float(label)) for label in labels]


def _make_table(data: LoadedData) -> str:
    """Return the first training rows, normalized, a feature a line: many fit in 80 columns."""
    from rich.cells import cell_len

    from dltrain.plots.cells import fit

    table, scaling = data.tables["train"], data.scaling
    count = min(_TABLE_ROWS, len(table))
    values = np.asarray(table.take(slice(count)), dtype=np.float64).reshape(count, -1)
    if scaling is not None:
        values = (values - np.asarray(scaling.mean)) / np.asarray(scaling.scale)
    known = data.sources["train"].feature_names
    names = [shorten(name, 20) for name in known] or [
        f"feature {n}" for n in range(values.shape[1])
    ]
    targets = [shorten(label, 10) for label in _name_labels(data, list(range(count)))]
    lines = [("", [f"row {row}" for row in range(count)])]
    lines += [
        (name, [f"{value:.3f}" for value in values[:count, column]])
        for column, name in enumerate(names)
    ]
    lines.append(("target", targets[:count]))
    first = max(cell_len(name) for name, _ in lines)
    widths = [max(cell_len(row[1][column]) for row in lines) for column in range(count)]
    text = [
        fit(name, first)
        + "".join(
            "  " + " " * (width - cell_len(cell)) + cell
            for cell, width in zip(cells, widths, strict=True)
        )
        for name, cells in lines
    ]
    text.insert(1, "─" * (first + sum(width + 2 for width in widths)))
    how = "normalized by the training rows" if scaling else "not normalized"
    return "\n".join([f"{data.label}: {len(table):,} training rows, {how}", *text]) + "\n"
