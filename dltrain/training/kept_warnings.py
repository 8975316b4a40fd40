"""How do the warnings of a training get into its run's warnings.json?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from dltrain.errors import DltrainError
from dltrain.runs.layout import RunPaths
from dltrain.runs.warnings import read_warnings, write_warnings
from dltrain.training.listener import Remembering


class KeptWarnings:
    """Write `findings` (of the lints) and what `listener` was warned of; a disk error is no matter.

    A run that goes on keeps what it was warned of before.
    """

    def __init__(
        self,
        paths: RunPaths,
        findings: Sequence[Mapping[str, Any]],
        listener: Remembering,
        *,
        goes_on: bool,
    ) -> None:
        self._path = paths.warnings
        self._listener = listener
        self._check = findings
        self._before: Sequence[str] = ()
        if goes_on and self._path.is_file():
            with suppress(DltrainError, KeyError):
                record = read_warnings(self._path)
                self._check, self._before = record["check"], record["training"]

    def write(self) -> None:
        """Replace the run's warnings.json, as far as the disk lets us: what ends a run is told."""
        with suppress(DltrainError):
            training = [*self._before, *self._listener.warnings]
            write_warnings(self._path, check=self._check, training=training)

    @contextmanager
    def written(self) -> Iterator[None]:
        """Write the file when the block ends, however it does."""
        try:
            yield
        finally:
            self.write()
