"""Does a file of rows give what an array of them gives, with no memory of its own?"""

from __future__ import annotations

import importlib
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_files import write_image

from dltrain.config.schema import DatasetConfig
from dltrain.data import normalize, own_images
from dltrain.data.batches import order_rows
from dltrain.data.load import load_data
from dltrain.data.row_file import RowFile, RowFileWriter


def write_rows(folder: Path, array: Any) -> RowFile:
    with RowFileWriter(folder, array.shape[1:], array.dtype) as writer:
        for row in array:
            writer.append(row)
        return writer.finish()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_it_is_indexed_as_an_array(tmp_path: Path, dtype: Any) -> None:
    array = np.arange(7 * 2 * 3).reshape(7, 2, 3).astype(dtype)
    rows = write_rows(tmp_path / "new folder", array)
    assert (rows.shape, rows.dtype, rows.ndim, len(rows)) == ((7, 2, 3), array.dtype, 3, 7)
    for index in (
        *(slice(None), slice(2), slice(5, 1, -2), 3, np.int64(6)),
        *(np.array([4, 0, 4, -1]), np.array([], dtype=np.int64), [2, 1], array[:, 0, 0] > 9),
    ):
        np.testing.assert_array_equal(rows[index], array[index])
    with pytest.raises(IndexError, match="row 7 of 7"):
        rows[[0, 7]]


def test_images_are_read_over_and_over_with_flat_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(240):
        shade = number % 2 * 100 + number // 4
        write_image(tmp_path / "p" / "ab"[number % 2] / f"{number}.png", np.full((4, 4, 3), shade))
    monkeypatch.setattr(own_images, "LARGEST_IN_MEMORY", 1 << 24)
    monkeypatch.setattr(normalize, "_CHUNK_BYTES", 1 << 20)
    config = DatasetConfig(
        type="image_folder",
        path=str(tmp_path / "p"),
        image_size=[512, 512],
        normalize="standard",
        test_split=0.1,
    )
    importlib.import_module("sklearn.model_selection")  # 80 MB of code, which would count
    tracemalloc.start()
    try:
        data = load_data(config, seed=0, data_dir=tmp_path / "data")
        table = data.tables["train"]
        assert table.nbytes > 140e6
        for epoch in range(2):
            order = order_rows(len(table), seed=0, epoch=epoch, shuffle=True)
            for start in range(0, len(order), 8):
                batch = order[start : start + 8]
                assert (table.take(batch).mean(axis=(1, 2, 3)) >= 100 * table.labels[batch]).all()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6, f"{peak:,} bytes"
