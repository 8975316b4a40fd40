"""How are rows kept that memory shouldn't hold? In a file without a name, read a batch at a time.

A memory-mapped file would do on a machine with memory to spare: its pages count as the process's
own, and a limit on those (a container's, a batch system's) would end it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from dltrain.data.store import explain_disk_errors


class RowFile:
    """Hold rows of one shape and dtype on the disk; index it as an array by a row, rows or a slice.

    What is taken is read and copied; nothing is kept. The file has no name: it vanishes with the
    object, or with the process.
    """

    def __init__(self, file: IO[bytes], rows: int, shape: tuple[int, ...], dtype: Any) -> None:
        self._file = file
        self.shape = (rows, *shape)
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._row_bytes = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def ndim(self) -> int:
        """Return the number of axes, rows included."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> npt.NDArray[Any]:
        """Return a row, or the rows at indices or of a slice, in their order."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        rows = np.asarray(rows)
        if rows.ndim == 0:
            only: npt.NDArray[Any] = self[rows[None]][0]
            return only
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        taken = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        content = taken.reshape(-1).view(np.uint8).data
        for place, row in enumerate(rows.tolist()):
            if not -len(self) <= row < len(self):
                raise IndexError(f"row {row} of {len(self)}")
            start = place * self._row_bytes
            self._read(content[start : start + self._row_bytes], row % len(self))
        return taken

    def _read(self, content: memoryview, row: int) -> None:
        at, done = row * self._row_bytes, 0
        while done < len(content):
            read = os.preadv(self._file.fileno(), [content[done:]], at + done)
            if not read:
                raise OSError(f"row {row} is cut short")
            done += read


class RowFileWriter:
    """Write rows one after the other into a file in `folder`, which is made if it isn't there.

    Raises MachineError if the disk is full or the folder can't be written.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], dtype: Any) -> None:
        self.folder, self.shape, self.dtype, self.rows = folder, shape, dtype, 0

    def __enter__(self) -> RowFileWriter:
        with explain_disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self.folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._file.close()

    def append(self, row: npt.NDArray[Any]) -> None:
        """Write one row of the shape and dtype."""
        with explain_disk_errors(self.folder):
            self._file.write(np.ascontiguousarray(row, dtype=self.dtype).data)
        self.rows += 1

    def finish(self) -> RowFile:
        """Return the rows that were written."""
        with explain_disk_errors(self.folder):
            self._file.flush()
        return RowFile(self._file, self.rows, self.shape, self.dtype)


Inputs = npt.NDArray[Any] | RowFile
"""Rows in memory or on the disk."""
