"""Must the training stop now, so that the evaluation still ends in time (`--max-seconds`)?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from dltrain.data.batches import Table

# Importing scikit-learn, tracing the model twice, saving and loading it: measured at 2 to 4 s for
# the shipped configs on two cores.
_FIXED_SECONDS = 4.0


class Deadline:
    """Know when the time that is left is what evaluating takes. `at` None is never.

    A row is predicted in no more time than it is trained on: that much is held back for each row of
    `splits`, those that will be evaluated.
    """

    def __init__(
        self, at: float | None, tables: Mapping[str, Table], *, splits: Sequence[str]
    ) -> None:
        self._at = at
        self._rows = sum(len(tables[split]) for split in splits if split in tables)

    def is_near(self, rows_per_second: float) -> bool:
        """Tell whether the training, at that many rows a second (0: unknown), has to stop."""
        if self._at is None:
            return False
        evaluation = self._rows / rows_per_second if rows_per_second else 0.0
        return time.perf_counter() + _FIXED_SECONDS + evaluation >= self._at
