"""`dltrain data`: which datasets are here, and how do they get here?"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dltrain.catalog.datasets import DATASETS, DatasetInfo
from dltrain.commands.completion import complete_dataset
from dltrain.commands.options import ConfigArgument, SetOption
from dltrain.data.progress import Progress
from dltrain.data.store import read_record, resolve_data_dir
from dltrain.errors import DataError, UsageError

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.table import Table

app = typer.Typer(no_args_is_help=True, help="List, fetch, add and show datasets.")

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where prepared datasets lie [default: DLTRAIN_DATA_DIR, or the cache folder].",
        show_default=False,
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Never use the network (also: DLTRAIN_OFFLINE=1).")
]
DatasetArgument = Annotated[
    str,
    typer.Argument(help="Which dataset; see `dltrain data list`.", autocompletion=complete_dataset),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_datasets(data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """List the datasets, what each holds, and whether it is here."""
    from rich.console import Console

    directory = resolve_data_dir(data_dir)
    entries = [_describe(info, directory) for info in DATASETS.values()]
    if as_json:
        typer.echo(json.dumps({"data_dir": str(directory), "datasets": entries}, indent=2))
        return
    Console().print(_make_table(entries))


def _describe(info: DatasetInfo, data_dir: Path) -> dict[str, Any]:
    """Return the JSON-able row of one dataset."""
    entry: dict[str, Any] = {
        "name": info.name,
        "summary": info.summary,
        "task": info.task,
        "modality": info.modality,
        "train_rows": info.train_rows,
        "test_rows": info.test_rows,
        "state": "built in" if info.embedded else "not here",
        "bytes": 0,
        "checksum": None,
    }
    if info.embedded:
        return entry
    try:
        record = read_record(info.name, data_dir)
    except DataError as error:
        return {**entry, "state": "damaged", "problem": error.message}
    if record is None:
        return entry
    size = sum(array["bytes"] for array in record["arrays"].values())
    return {**entry, "state": "here", "bytes": size, "checksum": record["source"]["checksum"]}


def _make_table(entries: list[dict[str, Any]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("name", no_wrap=True)
    table.add_column("what")
    table.add_column("train", justify="right", no_wrap=True)
    table.add_column("test", justify="right", no_wrap=True)
    table.add_column("on disk", justify="right", no_wrap=True)
    table.add_column("checksum", no_wrap=True)
    for entry in entries:
        here = entry["state"] == "here"
        table.add_row(
            entry["name"],
            entry["summary"],
            f"{entry['train_rows']:,}",
            f"{entry['test_rows']:,}" if entry["test_rows"] else "-",
            f"{entry['bytes'] / 1e6:.0f} MB" if here else entry["state"],
            entry["checksum"] or "-",
        )
    return table


@app.command("fetch")
def fetch(
    name: DatasetArgument,
    data_dir: DataDirOption = None,
    offline: OfflineOption = False,
) -> None:
    """Download a dataset from its publisher or a mirror, check it and prepare it.

    DLTRAIN_MIRROR=URL is tried first: it serves URL/NAME/FILE, under the same checksums.
    """
    from dltrain.data.fetch import fetch_dataset

    info = find_dataset(name)
    directory = resolve_data_dir(data_dir)
    if info.embedded:
        typer.echo(f"{name} is built in: nothing to fetch")
        return
    with show_progress() as progress:
        fetched = fetch_dataset(info, data_dir=directory, offline=offline, progress=progress)
    typer.echo(f"{name} is in {directory / name}" if fetched else f"{name} is here already")


@app.command("add")
def add(
    name: DatasetArgument,
    path: Annotated[
        Path, typer.Argument(help="The publisher's archive, or the folder that it unpacks to.")
    ],
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prepare a dataset from files on this machine, and say whether they are the published ones."""
    from dltrain.data.add import CHECKSUM_MEANINGS, add_dataset

    info = find_dataset(name)
    directory = resolve_data_dir(data_dir)
    with show_progress() as progress:
        added = add_dataset(info, path.expanduser(), data_dir=directory, progress=progress)
    if as_json:
        result = {
            "name": name,
            "directory": str(directory / name),
            "checksum": added.checksum,
            "digests": dict(added.digests),
        }
        typer.echo(json.dumps(result, indent=2))
        return
    typer.echo(f"{name} is in {directory / name}")
    typer.echo(f"checksum: {added.checksum} ({CHECKSUM_MEANINGS[added.checksum]})")


@app.command("path")
def print_path(data_dir: DataDirOption = None) -> None:
    """Print the folder where prepared datasets lie."""
    typer.echo(resolve_data_dir(data_dir))


@app.command("show")
def show(
    config: ConfigArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The file to write [default: NAME-data.png].", show_default=False
        ),
    ] = None,
    overrides: SetOption = None,
    data_dir: DataDirOption = None,
    offline: OfflineOption = False,
) -> None:
    """Show training rows of CONFIG as the network gets them: augmented, cut, normalized.

    Images and texts become a picture. A table is printed, or written to --output.
    """
    from dltrain.commands.data_show import show_data
    from dltrain.config.load import load_config
    from dltrain.data.store import is_offline

    loaded = load_config(config, overrides=overrides or ())
    with show_progress() as progress:
        show_data(
            loaded,
            output=output,
            data_dir=resolve_data_dir(data_dir),
            offline=is_offline(offline),
            progress=progress,
        )


def find_dataset(name: str) -> DatasetInfo:
    """Return the dataset called `name`; raises UsageError with the nearest name."""
    if name in DATASETS:
        return DATASETS[name]
    from dltrain.catalog.suggest import nearest

    near = nearest(name, DATASETS)
    hint = f"Did you mean '{near}'?" if near else f"The datasets are: {', '.join(DATASETS)}."
    raise UsageError(f"There is no dataset '{name}'.", hint=hint)


class _Shown(Progress):
    """Write notes to stderr, and downloads as a bar if there is a terminal."""

    def __init__(self, bar: Bar | None) -> None:
        self._bar = bar
        self._tasks: dict[str, Any] = {}

    def note(self, text: str) -> None:
        if self._bar is None:
            typer.echo(text, err=True)
        else:
            self._bar.console.print(text, markup=False, highlight=False)

    def advance(self, label: str, *, done_bytes: int, total_bytes: int | None) -> None:
        if self._bar is None:
            return
        if label not in self._tasks:
            self._tasks[label] = self._bar.add_task(label, total=total_bytes)
        self._bar.update(self._tasks[label], completed=done_bytes, total=total_bytes)


@contextlib.contextmanager
def show_progress() -> Iterator[Progress]:
    """Yield a Progress that reports to stderr: with a bar on a terminal, a line a step without."""
    from rich.console import Console

    from dltrain.commands.terminal import is_watched

    console = Console(stderr=True)
    if not is_watched(console):
        yield _Shown(None)
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bar(*columns, TransferSpeedColumn(), console=console, transient=True) as bar:
        yield _Shown(bar)
