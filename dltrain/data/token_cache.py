"""Where are vocabularies and token ids kept, so that a second start need not make them again?

    DATA_DIR/.token-ids/KEY-DIGEST.json    a vocabulary
    DATA_DIR/.token-ids/KEY-DIGEST.int32   the ids of one split, row by row; memory-mapped, shared

KEY is a hash of all that they follow from: the texts themselves, the rows, the settings, the code
and the library that make them. DIGEST is that of the file's content, checked at each reading. Where
the folder can't be written, or a file is damaged, things are made anew. The folder may be removed
at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dltrain.data import tokenize
from dltrain.data.texts import Texts
from dltrain.data.tokenize import Ids, encode_texts, load_tokenizer, train_tokenizer

FOLDER = ".token-ids"

LEAST_TEXTS = 2_000
"""Fewer are made faster than they are worth keeping."""

LARGEST_BYTES = 2**30
"""All files together; those not used for longest give way."""

# A file takes at most this share of what is free: runs need the disk too.
_LARGEST_SHARE_OF_FREE = 0.1

# What a killed process left half written is removed after this time.
_ABANDONED_SECONDS = 3_600.0

_PARTIAL = ".partial-"

Indices = npt.NDArray[np.int64]


class TokenCache:
    """Make vocabularies and ids, or take them from the folder in `data_dir`; never makes that."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / FOLDER
        self._digests: dict[int, tuple[Texts, str]] = {}

    def find_tokenizer(
        self,
        texts: Texts,
        rows: Indices,
        *,
        max_words: int,
        max_length: int,
        truncate: Literal["start", "end"],
    ) -> Any:
        """Return the tokenizer of `texts` at `rows` if it is kept. See `train_tokenizer`."""
        if not self._keeps(rows):
            return None
        content = self._read(self._key(texts, rows, [max_words, max_length, truncate]), ".json")
        return None if content is None else load_tokenizer(content.tobytes().decode("utf-8"))

    def train(
        self,
        texts: Texts,
        rows: Indices,
        *,
        max_words: int,
        max_length: int,
        truncate: Literal["start", "end"],
    ) -> Any:
        """Make the tokenizer of `texts` at `rows`, and keep it. See `train_tokenizer`."""
        tokenizer = train_tokenizer(
            (texts[int(row)] for row in rows),
            max_words=max_words,
            max_length=max_length,
            truncate=truncate,
        )
        if self._keeps(rows):
            key = self._key(texts, rows, [max_words, max_length, truncate])
            self._write(key, ".json", memoryview(tokenizer.to_str().encode()))
        return tokenizer

    def encode(self, tokenizer: Any, texts: Texts, rows: Indices) -> Ids:
        """Return the ids of `texts` at `rows`, `(n, max_length)` int32; what was kept is read-only.

        See `encode_texts`.
        """
        if not self._keeps(rows):
            return encode_texts(tokenizer, texts.select(rows))
        key = self._key(texts, rows, [tokenizer.to_str()])
        content = self._read(key, ".int32")
        if content is not None:
            return content.view("<i4").reshape(len(rows), tokenizer.padding["length"])
        ids = encode_texts(tokenizer, texts.select(rows))
        self._write(key, ".int32", ids.astype("<i4", copy=False).data)
        return ids

    def _keeps(self, rows: Indices) -> bool:
        is_worth_it = len(rows) >= LEAST_TEXTS and self._data_dir.is_dir()
        return is_worth_it and Path(tokenize.__file__).is_file()

    def _key(self, texts: Texts, rows: Indices, settings: list[Any]) -> str:
        import tokenizers

        code = hashlib.sha256(Path(tokenize.__file__).read_bytes()).hexdigest()
        made_by = [code, tokenizers.__version__, self._digest(texts)]
        whole = hashlib.sha256(repr([*made_by, *settings]).encode())
        whole.update(np.ascontiguousarray(rows, dtype="<i8").data)
        return whole.hexdigest()[:32]

    def _digest(self, texts: Texts) -> str:
        """Return a hash of all the texts; the object is kept, so that its id stays its own."""
        if id(texts) not in self._digests:
            whole = hashlib.sha256(np.ascontiguousarray(texts.offsets).data)
            whole.update(np.ascontiguousarray(texts.utf8).data)
            self._digests[id(texts)] = (texts, whole.hexdigest())
        return self._digests[id(texts)][1]

    def _read(self, key: str, suffix: str) -> npt.NDArray[np.uint8] | None:
        """Return the content of the file of `key`, mapped; None if there is none that is whole."""
        for path in self._folder.glob(f"{key}-*{suffix}"):
            with contextlib.suppress(OSError, ValueError):
                content = np.memmap(path, dtype=np.uint8, mode="r")
                if path.stem == f"{key}-{_digest(content.data)}":
                    with contextlib.suppress(OSError):
                        os.utime(path)  # used now
                    return content
            with contextlib.suppress(OSError):
                path.unlink()
        return None

    def _write(self, key: str, suffix: str, content: memoryview) -> None:
        """Write the file of `key`, whole or not at all; what fails is no matter."""
        partial: str | None = None
        with contextlib.suppress(OSError):
            if content.nbytes > _LARGEST_SHARE_OF_FREE * shutil.disk_usage(self._data_dir).free:
                return
            self._folder.mkdir(exist_ok=True)
            self._make_room(content.nbytes)
            number, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=self._folder)
            with os.fdopen(number, "wb") as file:
                file.write(content)
            Path(partial).chmod(0o644)  # mkstemp's 0600 would keep other users of the folder out
            Path(partial).replace(self._folder / f"{key}-{_digest(content)}{suffix}")
            partial = None
        if partial is not None:
            with contextlib.suppress(OSError):
                Path(partial).unlink()

    def _make_room(self, size: int) -> None:
        """Remove what a kill left, and what wasn't used for longest, until `size` more fits."""
        files = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                found = path.stat()
                abandoned = time.time() - found.st_mtime > _ABANDONED_SECONDS
                if path.name.startswith(_PARTIAL) and abandoned:
                    path.unlink()
                else:
                    files.append((found.st_mtime, found.st_size, path))
        total = size + sum(each[1] for each in files)
        for _, bytes_of_it, path in sorted(files):
            if total <= LARGEST_BYTES:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                total -= bytes_of_it


def _digest(content: memoryview) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
