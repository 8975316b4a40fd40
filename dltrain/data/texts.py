"""How are texts kept so that a hundred thousand of them open in milliseconds?

As one array of UTF-8 bytes and one of offsets, both memory-mapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Texts:
    """Hold n texts: text i is `utf8[offsets[i]:offsets[i + 1]]`.

    `utf8` is `(bytes,)` uint8, `offsets` is `(n + 1,)` int64 and rises from 0.
    """

    utf8: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(f"text {index} of {len(self)}")
        index %= len(self)
        return self.utf8[self.offsets[index] : self.offsets[index + 1]].tobytes().decode("utf-8")

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))

    def select(self, indices: Iterable[int]) -> list[str]:
        """Return the texts at `indices`, in that order."""
        return [self[int(index)] for index in indices]


def pack_texts(encoded: Iterable[bytes]) -> Texts:
    """Pack texts that are UTF-8 bytes already, in memory."""
    parts = list(encoded)
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return Texts(utf8=np.frombuffer(b"".join(parts), dtype=np.uint8), offsets=offsets)
