"""Which rows, as texts, does a dataset hold that TensorFlow Datasets prepared? Without TensorFlow.

The package parses each row with NumPy alone, but reads files of TFRecords with TensorFlow only.
Their frame is simple enough to be read here: the length in 8 bytes (little endian), a checksum in
4, the row, a checksum in 4 (https://www.tensorflow.org/tutorials/load_data/tfrecord). The checksums
are passed over: a CRC-32C in Python would take longer than the decoding of the images.
"""

from __future__ import annotations

import functools
import math
import os
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dltrain.config.table_columns import look_at
from dltrain.config.table_files import IMAGES, OpenedTable, Place, Source
from dltrain.config.tfds_metadata import TfdsColumn, read_metadata
from dltrain.errors import DataError, MachineError

ENGINE_IMPORT = "import"
"""The name of the thread in which `dltrain.training.engine` imports TensorFlow."""

# Parsing takes 0.05 to 0.1 ms a row; of more values than these the texts would fill memory.
_MOST_KEPT = 2_000_000

_HEAD, _TAIL = 12, 4
_Records = Sequence[bytes]


def open_tfds(source: Source) -> OpenedTable:
    """Open a split of a prepared dataset; its rows are read one at a time.

    A class label becomes its name, a NaN and a label of -1 are missing values. Raises DataError,
    and so does taking the rows, if the dataset is damaged, and MachineError without the package.
    """
    metadata = read_metadata(source.path)
    columns = metadata.columns
    usable = [column for column in columns if _is_usable(column)]

    def rows() -> Iterator[tuple[Place, Sequence[str]]]:
        count = metadata.splits[source.split or "train"]
        if count * len(usable) <= _MOST_KEPT:
            parsed: Iterable[Sequence[str]] = _keep_rows(source, look_at(source.path))
        else:
            parsed = _parse_rows(source)
        for row, texts in enumerate(parsed, 1):
            yield (source, row), texts

    unusable = {
        column.name: IMAGES if column.type == "image" else column.told
        for column in columns
        if column not in usable
    }
    class_names = {column.name: column.class_names for column in columns if column.class_names}
    return OpenedTable([column.name for column in columns], rows(), unusable, class_names)


@functools.lru_cache(maxsize=3)
def _keep_rows(source: Source, facts: tuple[int, int]) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a split of these facts; a table is gone through more than once."""
    return tuple(_parse_rows(source))


def _parse_rows(source: Source) -> Iterator[tuple[str, ...]]:
    """Yield the texts of each row, `?` for a column that has none."""
    columns = read_metadata(source.path).columns
    writers = {column.name: _find_writer(column) for column in columns if _is_usable(column)}
    builder = _load(source.path)
    parse = _make_parser(builder, [*writers])
    records = _open_records(builder, source)
    for row in range(1, len(records) + 1):
        try:
            values = parse(records[row - 1])
            texts = tuple(
                writers[column.name](values.get(column.name)) if column.name in writers else "?"
                for column in columns
            )
        except Exception as error:  # protobuf, NumPy and the package each raise their own
            raise _damaged(source, f"row {row} is damaged: {_say(error)}") from error
        yield texts


def _is_usable(column: TfdsColumn) -> bool:
    return column.type not in ("image", "other")


def open_tfds_images(source: Source, column: str) -> Callable[[int], bytes]:
    """Return what gives the file of the image in a row of a split, counted from 1."""
    builder = _load(source.path)
    parse = _make_parser(builder, [column])
    records = _open_records(builder, source)

    def read(row: int) -> bytes:
        content = parse(records[row - 1]).get(column)
        if not content:
            raise ValueError("there is no image in the row")
        return bytes(content)

    return read


def _load(path: Path) -> Any:
    """Return what the package calls a builder, which reads what is prepared, or raise."""
    # The package imports parts of TensorFlow when it likes to; two imports that need each other,
    # in two threads, would wait for ever.
    for thread in threading.enumerate():
        if thread.name == ENGINE_IMPORT:
            thread.join()
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise MachineError(
            "dataset.type: tfds needs the package tensorflow-datasets, which isn't installed.",
            hint="pip install 'dltrain[tfds]'",
        ) from error
    try:
        return tfds.builder_from_directory(path)
    except Exception as error:  # the package, protobuf and JSON each raise their own
        raise DataError(f"{path} can't be read: {_say(error)}.") from error


def _make_parser(builder: Any, names: Sequence[str]) -> Callable[[bytes], dict[str, Any]]:
    """Return what takes the columns `names` from a row; images stay the files that they are."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    wanted = tfds.features.FeaturesDict({name: features[name] for name in names})
    decoders = {
        name: tfds.decode.SkipDecoding()
        for name in names
        if isinstance(features[name], tfds.features.Image)
    }

    def parse(record: bytes) -> dict[str, Any]:
        row: dict[str, Any] = wanted.deserialize_example_np(record, decoders=decoders or None)
        return row

    return parse


def _open_records(builder: Any, source: Source) -> _Records:
    """Return the rows of a split, none of them parsed. Raises DataError if a file is damaged."""
    split = source.split or "train"
    info = builder.info.splits[split]
    kind = builder.info.file_format.value
    if kind == "tfrecord":
        paths = [Path(os.fspath(path)) for path in info.filepaths]
        return TfRecords(paths, [int(rows) for rows in info.shard_lengths])
    import tensorflow_datasets as tfds

    if kind != "array_record":
        raise DataError(
            f"{source.path} is stored as {kind}; expected tfrecord or array_record.",
            hint="Prepare it again with download_and_prepare(file_format='tfrecord').",
        )
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    try:
        records: _Records = builder.as_data_source(split=split, deserialize_method=raw)
    except Exception as error:  # the package and array_record each raise their own
        raise _damaged(source, _say(error)) from error
    return records


class TfRecords(Sequence[bytes]):
    """Hold where each row of some files of TFRecords stands, in the order of the files.

    `rows` are how many each file has. Raises DataError if one has more or fewer, or is cut short.
    """

    def __init__(self, paths: Sequence[Path], rows: Sequence[int]) -> None:
        self._files, self._places = [], []
        for number, (path, count) in enumerate(zip(paths, rows, strict=True)):
            try:
                file = path.open("rb")
            except OSError as error:
                raise DataError(f"{path} can't be read: {error.strerror}.") from error
            self._files.append(file)
            places = [(number, start, length) for start, length in _find_records(path, file)]
            if len(places) != count:
                raise DataError(
                    f"{path} has {len(places):,} rows; dataset_info.json says {count:,}.",
                    hint="The file is not the one that was prepared: prepare the dataset again.",
                )
            self._places += places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, row: Any) -> Any:
        number, start, length = self._places[row]
        return os.pread(self._files[number].fileno(), length, start)


def _find_records(path: Path, file: Any) -> Iterator[tuple[int, int]]:
    """Yield where each row starts and how long it is."""
    size, at = os.fstat(file.fileno()).st_size, 0
    while at < size:
        head = os.pread(file.fileno(), _HEAD, at)
        start = at + _HEAD
        length = struct.unpack("<Q", head[:8])[0] if len(head) == _HEAD else size
        at = start + length + _TAIL
        if at > size:
            raise DataError(
                f"{path} is cut short: a row ends after the file does.",
                hint="The file is not the one that was prepared: prepare the dataset again.",
            )
        yield start, length


def _find_writer(column: TfdsColumn) -> Callable[[Any], str]:
    if column.type == "class":
        names = column.class_names
        return lambda value: "" if value is None or value < 0 else names[int(value)]
    if column.type == "truth":
        return lambda value: "" if value is None else str(bool(value)).lower()
    if column.type == "number":
        return _write_number
    return lambda value: "" if value is None else bytes(value).decode("utf-8").strip()


def _write_number(value: Any) -> str:
    if value is None:
        return ""
    number = value.item() if hasattr(value, "item") else value
    return "" if isinstance(number, float) and math.isnan(number) else str(number)


def _damaged(source: Source, what: str) -> DataError:
    return DataError(f"{source.path} {source.split or 'train'} {what}.")


def _say(error: Exception) -> str:
    text = str(error).strip()
    return (text.splitlines()[0] if text else type(error).__name__).rstrip(".")
