"""What is one input, and which reader takes what the command line names?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.data.progress import SILENT, Progress
from dltrain.errors import UsageError
from dltrain.prediction.run_input import RunInput

STDIN = "-"


@dataclass(frozen=True)
class Item:
    """Hold one input as it was read, or why it can't be.

    `value` is an image `(height, width, channels)`, a text, or a row of numbers `(features,)` or
    ids `(words,)`. `label` is what a labelled input says, as text.
    """

    name: str
    value: Any = None
    error: str = ""
    label: str | None = None


IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

_KNOWN = {
    "image": (*IMAGE_SUFFIXES, ".npz"),
    "text": (".txt", ".csv", ".jsonl", ".parquet", ".npz"),
    "tabular": (".csv", ".jsonl", ".parquet", ".npz"),
}
_EXPECTED = {
    "image": "images (PNG, JPEG, WebP), folders of them, or .npz",
    "text": "texts (.txt), folders of them, .csv, .jsonl, .parquet or .npz",
    "tabular": ".csv, .jsonl, .parquet or .npz",
}


def check_inputs(run: RunInput, inputs: Sequence[str], texts: Sequence[str]) -> None:
    """Refuse what a model of the run's kind can't take, before anything is read. Raises UsageError.

    What isn't there, or can't be read, is an input with an error later on.
    """
    if not inputs and not texts:
        raise UsageError(
            "Nothing to predict: no input is given.",
            hint=f"This run takes {_EXPECTED[run.modality]}; - reads stdin.",
        )
    if texts and run.modality != "text":
        raise UsageError(f"--text: {run.paths.root} takes {_EXPECTED[run.modality]}.")
    if list(inputs).count(STDIN) > 1:
        raise UsageError("- stands for stdin, and can be given once.")
    if run.takes_ids:
        wrong = [*texts, *(given for given in inputs if Path(given).suffix.lower() != ".npz")]
        if wrong:
            raise UsageError(
                f"{wrong[0]}: {run.paths.root} was trained on ids of words, and takes .npz only."
            )
    for given in inputs:
        if given == STDIN or Path(given).is_dir():
            if given != STDIN and run.modality == "tabular":
                raise UsageError(f"{given} is a folder; expected {_EXPECTED['tabular']}.")
            continue
        if Path(given).suffix.lower() not in _KNOWN[run.modality]:
            hint = f'A text itself: --text "{given}"' if run.modality == "text" else ""
            raise UsageError(
                f"{given}: {run.paths.root} takes {_EXPECTED[run.modality]}.", hint=hint
            )


def read_items(
    run: RunInput,
    inputs: Sequence[str],
    *,
    texts: Sequence[str] = (),
    column: str | None = None,
    labelled: bool = False,
    stdin: Any = None,
    progress: Progress = SILENT,
) -> Iterator[Item]:
    """Yield the inputs one after the other; no more than one is held.

    `column` names the column of the texts. With `labelled` each has its label: the folder below the
    one given, the target's column, or y. `stdin` is a binary stream for `-`.
    """
    from dltrain.prediction.image_items import ImageReader
    from dltrain.prediction.npz_items import read_npz_rows
    from dltrain.prediction.table_items import read_table_rows
    from dltrain.prediction.text_items import TextReader

    for number, text in enumerate(texts, 1):
        yield Item(f"text {number}", text)
    images = ImageReader(run, progress)
    documents = TextReader(run, progress, column=column, labelled=labelled)
    for given in inputs:
        path = Path(given)
        if given != STDIN and path.suffix.lower() == ".npz" and not path.is_dir():
            yield from read_npz_rows(path, run, labelled=labelled)
        elif run.modality == "image":
            yield from images.read(given, stdin, labelled=labelled)
        elif run.modality == "text":
            yield from documents.read(given, stdin)
        else:
            yield from read_table_rows(given, run, stdin, labelled=labelled)


def list_files(
    folder: Path, suffixes: Sequence[str], *, progress: Progress = SILENT
) -> Iterator[Path]:
    """Yield the files below `folder` with one of `suffixes`, in the order of their names.

    Hidden ones are passed over; `progress` is told of others, once at the end. A folder that can't
    be listed raises OSError.
    """
    others, first = 0, ""
    for path in _walk(folder):
        if path.suffix.lower() in suffixes:
            yield path
        else:
            others, first = others + 1, first or path.name
    if others:
        known = f"no {', '.join(suffixes)}"
        progress.note(
            f"{folder}: {first} is passed over: it is {known}."
            if others == 1
            else f"{folder}: {others:,} files are passed over, as {first}: they are {known}."
        )


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry)
        else:
            yield entry


def say_error(error: OSError) -> str:
    """Return what the system says of a file that can't be read."""
    return error.strerror or type(error).__name__


def label_of(path: Path, folder: Path) -> str:
    """Return the name of the folder, directly below `folder`, that `path` lies in."""
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else ""
