"""How are CIFAR's batches read, without trusting the pickles they are published as?"""

from __future__ import annotations

import io
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.dataset import Parsed, Rows
from dltrain.data.members import md5_of, read_members
from dltrain.errors import DataError

_TRAIN_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST_BATCH = "test_batch"
_EXPECTED = re.compile(r"(?:cifar-10-batches-py/)?(?:data_batch_[1-5]|test_batch)")
# A published batch has 31,035,704 bytes or a little less.
_LARGEST_BATCH_BYTES = 64 * 1024 * 1024


def read_cifar_dataset(path: Path, info: DatasetInfo) -> Parsed:
    """Read `cifar-10-python.tar.gz` or its folder: batches 1 to 5 in order, then the test batch.

    Images come out `(n, 32, 32, 3)` uint8. Raises DataError if a batch is missing, damaged, or
    holds anything but arrays, bytes, lists and dicts.
    """
    batches: dict[str, Rows] = {}
    digests: dict[str, str] = {}
    members = read_members(
        path,
        wanted=lambda name: _EXPECTED.fullmatch(name) is not None,
        largest_bytes=_LARGEST_BATCH_BYTES,
    )
    for name, content in members:
        batch = name.rpartition("/")[2]
        if batch in batches:
            raise DataError(f"{path} has {batch} twice.")
        batches[batch] = _read_batch(content, where=f"{path}: {name}", info=info)
        digests[batch] = md5_of(content)
    missing = [name for name in (*_TRAIN_BATCHES, _TEST_BATCH) if name not in batches]
    if missing:
        raise DataError(f"{path} has no {', '.join(missing)}.", hint=f"Give {info.accepts}.")
    parts = [batches[name] for name in _TRAIN_BATCHES]
    train = Rows(
        inputs=np.concatenate([np.asarray(part.inputs) for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
    )
    return Parsed(train=train, test=batches[_TEST_BATCH], digests=digests)


def _read_batch(content: bytes, *, where: str, info: DatasetInfo) -> Rows:
    height, width, channels = info.shape
    batch = load_arrays_only(content, where=where)
    if not isinstance(batch, dict):
        raise DataError(f"{where}: expected a dict, found {type(batch).__name__}.")
    data, labels = batch.get(b"data"), batch.get(b"labels")
    if (
        not isinstance(data, np.ndarray)
        or data.dtype != np.uint8
        or data.ndim != 2
        or data.shape[1] != height * width * channels
    ):
        raise DataError(f"{where}: 'data' is not (rows, {height * width * channels}) uint8.")
    if (
        not isinstance(labels, list)
        or len(labels) != len(data)
        or not all(isinstance(label, int) and 0 <= label < 2**31 for label in labels)
    ):
        raise DataError(f"{where}: 'labels' is not a list of {len(data)} class numbers.")
    # Published as one row of 3072 values: red, green, blue planes, each row-major.
    images = data.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    return Rows(inputs=np.ascontiguousarray(images), labels=np.array(labels, dtype=np.int64))


def load_arrays_only(content: bytes, *, where: str) -> Any:
    """Unpickle `content`, allowing NumPy arrays, bytes, numbers, strings, lists and dicts only.

    Raises DataError on any other global and on damage.
    """
    try:
        return _ArraysOnlyUnpickler(io.BytesIO(content), encoding="bytes").load()
    # A damaged or hostile pickle can raise nearly anything out of the opcode it breaks in.
    except Exception as error:
        raise DataError(
            f"{where} is not a pickle of arrays, lists and dicts only: {error}",
            hint="Nothing of it was run. Download the dataset again from its publisher.",
        ) from error


def _encode_latin1(text: str, encoding: str) -> bytes:
    """Stand in for `_codecs.encode`, by which protocol 2 writes bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"the encoding {encoding!r} is not allowed")
    return text.encode(encoding)


class _ArraysOnlyUnpickler(pickle.Unpickler):
    """Refuse every global but those that rebuild an array."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) == ("_codecs", "encode"):
            return _encode_latin1
        if (module_name, global_name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module_name, global_name) == ("numpy", "dtype"):
            return np.dtype
        # NumPy 1 wrote numpy.core, NumPy 2 writes numpy._core.
        if module_name in ("numpy.core.multiarray", "numpy._core.multiarray") and (
            global_name == "_reconstruct"
        ):
            # The array class is found by what every array says of itself, not by a private import.
            return np.empty(0).__reduce__()[0]
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is not allowed")
