"""What did the best model predict, row by row? A Parquet file that any tool can read.

predictions.parquet has a row for each row that was scored:

    split          string           "validation", "test", "train"
    id             string           "test/17": row 17, counted from 0, of the dataset's test part;
                                    for folders of one's own the file's path below the folder
    true           string | double  the class, or the target of a regression
    predicted      string | double  the most probable class, or the predicted value
    probabilities  list<double>     of each class, in the order of "classes"; not in a regression

The file's metadata has, under "dltrain", {"format", "task", "classes", "models"} as JSON; "models"
maps each split to the SHA-256 of the model.keras that predicted it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from dltrain.errors import DltrainError, RunError
from dltrain.runs.atomic import replacing

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
_KEY = b"dltrain"


@dataclass(frozen=True)
class Predictions:
    """Hold what was predicted for the n rows of a split.

    `true` and `predicted` `(n,)` are class numbers int64, or float64 in a regression;
    `probabilities` `(n, classes)` float64, within 0..1, is None in a regression, and where it was
    not asked for. `model` is the `sha256:HEX` of the model.keras that predicted; "" if unknown.
    """

    task: Literal["classification", "regression"]
    class_names: tuple[str, ...]
    ids: Sequence[str]
    true: NDArray[Any]
    predicted: NDArray[Any]
    probabilities: NDArray[np.float64] | None = None
    model: str = ""

    def __len__(self) -> int:
        return len(self.true)


def write_predictions(path: Path, splits: Mapping[str, Predictions]) -> None:
    """Make `path` hold the predictions of `splits`, all of one task. Raises as `replacing` does."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = pa.concat_tables([_to_table(split, each) for split, each in splits.items()])
    first = next(iter(splits.values()))
    description = {
        "format": FORMAT,
        "task": first.task,
        "classes": list(first.class_names),
        "models": {split: each.model for split, each in splits.items()},
    }
    whole = whole.replace_schema_metadata({_KEY: json.dumps(description).encode()})
    # The file is opened here: Arrow's own would hide the number of the system's error.
    with replacing(path) as temporary, temporary.open("wb") as file:
        pq.write_table(whole, file, compression="zstd")


def replace_predictions(path: Path, split: str, predictions: Predictions) -> None:
    """Put the predictions of `split` in the place of those that `path` has of it, if any."""
    others: dict[str, Predictions] = {}
    if path.is_file():
        others = {name: each for name, each in read_predictions(path).items() if name != split}
    write_predictions(path, {**others, split: predictions})


def read_predictions(
    path: Path, *, splits: Collection[str] | None = None, probabilities: bool = True
) -> dict[str, Predictions]:
    """Return split → predictions, of all splits of the file or those in `splits` that it has.

    Without `probabilities` that column, the bulk of the file, is not read. Raises RunError if the
    file is missing, damaged, or of another format.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not path.is_file():
        raise RunError(
            f"{path} is missing.",
            hint=f"`dltrain eval {path.parent}` writes it, if the run has finished.",
        )
    try:
        schema = pq.read_schema(path)
        description = _read_description(path, schema.metadata or {})
        columns = ["split", "id", "true", "predicted"]
        if probabilities and "probabilities" in schema.names:
            columns.append("probabilities")
        whole = pq.read_table(path, columns=columns)
        found = whole.column("split").unique().to_pylist()
        return {
            split: _from_table(split, whole.filter(pc.equal(whole["split"], split)), description)
            for split in found
            if splits is None or split in splits
        }
    except DltrainError:
        raise
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError) as error:
        raise RunError(f"{path} is damaged: {str(error).splitlines()[0]}.") from error


def _read_description(path: Path, metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    description = json.loads(metadata.get(_KEY, b"{}"))
    if description.get("format") != FORMAT:
        raise RunError(
            f"{path} is of format {description.get('format')!r}; this dltrain reads {FORMAT}.",
            hint="Read it with the dltrain that wrote it: environment.json names the version.",
        )
    return dict(description)


def _to_table(split: str, predictions: Predictions) -> pa.Table:
    import pyarrow as pa

    columns: dict[str, Any] = {
        "split": pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(len(predictions), dtype=np.int8)), pa.array([split])
        ).cast(pa.string()),
        "id": pa.array(list(predictions.ids), pa.string()),
        "true": _to_column(predictions.true, predictions.class_names),
        "predicted": _to_column(predictions.predicted, predictions.class_names),
    }
    if predictions.probabilities is not None:
        flat = np.ascontiguousarray(predictions.probabilities, dtype=np.float64)
        ends = np.arange(len(flat) + 1, dtype=np.int64) * flat.shape[1]
        columns["probabilities"] = pa.LargeListArray.from_arrays(
            pa.array(ends), pa.array(flat.reshape(-1))
        )
    return pa.table(columns)


def _to_column(values: NDArray[Any], class_names: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    if not class_names:
        return pa.array(values.astype(np.float64))
    return pa.array(list(class_names)).take(pa.array(values.astype(np.int64)))


def _from_table(split: str, table: pa.Table, description: Mapping[str, Any]) -> Predictions:
    class_names = tuple(description["classes"])
    probabilities = None
    if "probabilities" in table.column_names:
        flat = table["probabilities"].combine_chunks().flatten().to_numpy()
        probabilities = flat.reshape(table.num_rows, len(class_names))
    return Predictions(
        task=description["task"],
        class_names=class_names,
        ids=table["id"].to_pylist(),
        true=_from_column(table["true"], class_names),
        predicted=_from_column(table["predicted"], class_names),
        probabilities=probabilities,
        model=str(description.get("models", {}).get(split, "")),
    )


def _from_column(column: pa.ChunkedArray, class_names: tuple[str, ...]) -> NDArray[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not class_names:
        return np.asarray(column.to_numpy(), dtype=np.float64)
    numbers = pc.index_in(column, value_set=pa.array(list(class_names)))
    if numbers.null_count:
        raise ValueError("a class in it is not among the classes of its metadata")
    return np.asarray(numbers.to_numpy(), dtype=np.int64)
