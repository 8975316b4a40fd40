"""What did each epoch bring? A CSV file with a row an epoch.

Numbers are written as Python's repr, so that reading gives the same floats back to the bit. A
cell is empty where an epoch has no such number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dltrain.errors import RunError
from dltrain.runs.atomic import explaining_disk, write_text


def append_history(path: Path, row: Mapping[str, float]) -> None:
    """Add `row` (`epoch` and that epoch's numbers) to `path`, and flush it.

    The first row makes the header, `epoch` first. A row that lacks a column leaves it empty; one
    that brings a new column has the file written anew with the wider header. A last line torn by
    a kill is dropped first. Raises MachineError if the disk is full or can't be written.
    """
    with explaining_disk(path):
        whole = _read_whole_lines(path)
        columns = next(csv.reader([whole.split("\n", 1)[0]])) if whole else _columns(row)
        new = [name for name in _columns(row) if name not in columns]
        if new or not whole:
            rows = read_history(path) if whole else []
            write_text(path, _format([*columns, *new], [*rows, row], header=True))
            return
        with path.open("r+", encoding="utf-8", newline="") as file:
            file.truncate(len(whole.encode(errors="surrogateescape")))
            file.seek(0, io.SEEK_END)
            file.write(_format(columns, [row], header=False))


def write_history(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Make `path` hold `rows` and nothing else; without rows there is no file."""
    if not rows:
        path.unlink(missing_ok=True)
        return
    columns = list(dict.fromkeys(name for row in rows for name in _columns(row)))
    write_text(path, _format(columns, rows, header=True))


def read_history(path: Path) -> list[dict[str, float]]:
    """Return the rows of `path`, column → number; empty cells are left out.

    A last line that isn't whole (the process was killed while writing it) is left out too; a
    missing file has no rows. Raises RunError if another line is damaged.
    """
    try:
        lines = list(csv.reader(io.StringIO(_read_whole_lines(path))))
    except csv.Error as error:
        raise RunError(f"{path} is damaged: {error}.") from error
    if not lines:
        return []
    columns, rows = lines[0], []
    for position, cells in enumerate(lines[1:], start=2):
        try:
            pairs = zip(columns, cells, strict=True)
            rows.append({name: _parse(cell) for name, cell in pairs if cell != ""})
        except ValueError as error:
            raise RunError(f"{path}:{position} is damaged: {error}.") from error
    return rows


def _columns(row: Mapping[str, float]) -> list[str]:
    return ["epoch", *(name for name in row if name != "epoch")]


def _format(columns: Sequence[str], rows: Iterable[Mapping[str, float]], *, header: bool) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if header:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) if name in row else "" for name in columns])
    return buffer.getvalue()


def _cell(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))


def _parse(cell: str) -> float:
    try:
        return int(cell)
    except ValueError:
        return float(cell)


def _read_whole_lines(path: Path) -> str:
    """Return the text of `path` up to its last line end; "" for a missing file."""
    try:
        text = path.read_bytes().decode("utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise RunError(f"{path} can't be read: {error}.") from error
    return text[: text.rfind("\n") + 1]
