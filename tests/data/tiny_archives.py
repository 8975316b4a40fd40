"""Small archives in the publishers' true formats."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dltrain.catalog.datasets import DATASETS, DatasetInfo


def encode_idx(array: np.ndarray) -> bytes:
    """Return a uint8 array as an IDX file."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def make_idx_files(info: DatasetInfo) -> dict[str, bytes]:
    """Return the four unzipped IDX files, full of random rows."""
    random = np.random.default_rng(1)
    files = {}
    for prefix, rows in (("train", info.train_rows), ("t10k", info.test_rows)):
        images = random.integers(0, 256, (rows, *info.shape[:2]), dtype=np.uint8)
        labels = random.integers(0, len(info.class_names), rows, dtype=np.uint8)
        files[f"{prefix}-images-idx3-ubyte"] = encode_idx(images)
        files[f"{prefix}-labels-idx1-ubyte"] = encode_idx(labels)
    return files


def pack(files: Mapping[str, bytes], *, compresslevel: int = 6) -> bytes:
    """Return a .tar.gz of `files`, in their order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=compresslevel) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def make_cifar_files(info: DatasetInfo) -> dict[str, bytes]:
    """Return the members of a CIFAR archive: five batches, a test batch and what is ignored."""
    random = np.random.default_rng(2)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    files = {}
    for name in names:
        rows = info.test_rows if name == "test_batch" else info.train_rows // 5
        batch = {
            b"batch_label": name.encode(),
            b"labels": [int(label) for label in random.integers(0, 10, rows)],
            b"data": random.integers(0, 256, (rows, int(np.prod(info.shape))), dtype=np.uint8),
            b"filenames": [b"a.png"] * rows,
        }
        files[f"cifar-10-batches-py/{name}"] = pickle.dumps(batch, protocol=2)
    files["cifar-10-batches-py/batches.meta"] = b"not even a pickle"
    return files


def make_imdb_files(info: DatasetInfo) -> dict[str, bytes]:
    """Return the members of an IMDB archive, with unlabelled reviews and other files."""
    files = {"aclImdb/README": b"read me", "aclImdb/train/unsup/0_0.txt": b"skipped"}
    for split, rows in (("train", info.train_rows), ("test", info.test_rows)):
        for label, stars in (("neg", 2), ("pos", 9)):
            for number in range(rows // 2):
                text = f"{split} {label} {number} é<br />" * (number + 1)
                files[f"aclImdb/{split}/{label}/{number}_{stars}.txt"] = text.encode()
    return files


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write `files` under `folder` and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def md5(content: bytes) -> str:
    """Return the digest as the catalog writes it."""
    return "md5:" + hashlib.md5(content).hexdigest()


def gzip_files(files: Mapping[str, bytes], *, level: int = 9) -> dict[str, bytes]:
    """Return each file gzipped, its name with .gz."""
    return {f"{name}.gz": gzip.compress(content, level, mtime=0) for name, content in files.items()}


def tiny(name: str, *, shape: tuple[int, ...], train_rows: int, test_rows: int) -> DatasetInfo:
    """Return the catalog's dataset with fewer and smaller rows, and no checksums."""
    return dataclasses.replace(
        DATASETS[name], shape=shape, train_rows=train_rows, test_rows=test_rows, contents={}
    )


def with_url(info: DatasetInfo, content: bytes, *urls: str) -> DatasetInfo:
    """Return `info` whose one source file has `content` and lies at `urls`."""
    source = info.sources[0][0]
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    return dataclasses.replace(
        info, sources=((dataclasses.replace(source, urls=urls, digest=digest),),)
    )
