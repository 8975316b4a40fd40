"""How do the .txt files of a folder become texts?"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.csv_file import guess_encoding
from dltrain.data.dataset import Rows
from dltrain.data.texts import pack_texts
from dltrain.errors import DataError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_texts(files: tuple[tuple[Path, ...], ...], info: DatasetInfo) -> tuple[Rows, list[str]]:
    """Read the files of each class as UTF-8, and return the SHA-256 of each as well.

    Raises DataError, naming the file, if one can't be read or is in another encoding.
    """
    texts, labels, hashes = [], [], []
    for label, paths in enumerate(files):
        for path in paths:
            content = _read(path)
            hashes.append(hashlib.sha256(content).hexdigest())
            texts.append(content.removeprefix(_BYTE_ORDER_MARK))
            labels.append(label)
    return Rows(pack_texts(texts), np.array(labels, dtype=np.int64)), hashes


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        content.decode("utf-8")
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} is not UTF-8 text: line {line} holds the byte 0x{content[error.start]:02x}.",
            hint=f"Convert it, for example with: iconv -f {guess_encoding(content)} -t UTF-8 "
            f"{path.name}",
        ) from error
    return content
