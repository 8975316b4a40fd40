"""What do the scripts read? The rows that dltrain takes, written down before the clock runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from dltrain.config.load import load_config
from dltrain.data.dataset import Rows
from dltrain.data.load import split_dataset
from dltrain.data.open import open_configured_dataset
from dltrain.data.texts import Texts
from dltrain.data.tokenize import encode_texts, train_tokenizer

TextForm = Literal["raw", "ids"]


def write_inputs(
    config: Path, folder: Path, *, data_dir: Path, seed: int, text: TextForm = "raw"
) -> Path:
    """Write the splits of a config's dataset to `folder`, and return what the script is given.

    Images become an uncompressed .npz of uint8 arrays. Texts become a folder of .jsonl files, or
    with `text="ids"` an .npz of dltrain's own token ids. What is there already is kept.
    """
    loaded = load_config(config, seed=seed)
    chosen = loaded.config.dataset
    dataset = open_configured_dataset(chosen, data_dir=data_dir, offline=True)
    splits = split_dataset(dataset, chosen, seed=seed)
    is_text = isinstance(dataset.train.inputs, Texts)
    path = folder / f"{config.stem}-{seed}{'' if is_text and text == 'raw' else '.npz'}"
    if path.exists():
        return path
    if not is_text:
        np.savez(path, **_arrays({name: _images(*split) for name, split in splits.items()}))
    elif text == "raw":
        path.mkdir()
        for name, (rows, indices) in splits.items():
            _write_texts(path / f"{name}.jsonl", rows, indices)
    else:
        tokenizer = train_tokenizer(
            _texts(*splits["train"]),
            max_words=chosen.max_words or 0,
            max_length=chosen.max_length or 0,
            truncate=chosen.truncate or "end",
        )
        ids = {
            name: (encode_texts(tokenizer, _texts(rows, indices)), rows.labels[indices])
            for name, (rows, indices) in splits.items()
        }
        np.savez(path, **_arrays(ids))
    return path


Arrays = dict[str, npt.NDArray[np.generic]]
Indices = npt.NDArray[np.int64]


def _arrays(splits: dict[str, tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]]) -> Arrays:
    arrays: Arrays = {}
    for name, (inputs, labels) in splits.items():
        arrays[f"{name}_inputs"], arrays[f"{name}_labels"] = inputs, labels
    return arrays


def _images(
    rows: Rows, indices: Indices
) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    assert isinstance(rows.inputs, np.ndarray)
    return rows.inputs[indices], rows.labels[indices]


def _texts(rows: Rows, indices: Indices) -> list[str]:
    assert isinstance(rows.inputs, Texts)
    return rows.inputs.select(indices)


def _write_texts(path: Path, rows: Rows, indices: Indices) -> None:
    texts = _texts(rows, indices)
    with path.open("w", encoding="utf-8") as file:
        for text, label in zip(texts, rows.labels[indices], strict=True):
            file.write(json.dumps({"text": text, "label": int(label)}) + "\n")
