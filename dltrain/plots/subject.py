"""What is a picture of? One run, one of its splits, and what was predicted for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dltrain.plots.ranking import RankingCurves, rank_classes
from dltrain.plots.style import clean, shorten
from dltrain.runs.contents import RunContents
from dltrain.runs.predictions import Predictions

# The split that pictures are of: the first of these that was scored.
_SPLITS = ("test", "validation", "train")

LONGEST_NAME = 26


class NothingToDraw(Exception):
    """A picture can't be drawn from this run; the message is a sentence that says why.

    `expected`: no run of this kind has it, or there is nothing wrong; nobody need be told.
    """

    def __init__(self, reason: str, *, expected: bool = False) -> None:
        super().__init__(reason)
        self.expected = expected


@dataclass
class Subject:
    """Hold what the pictures of a run share, read and computed once.

    `remarks` collects sentences on what a picture leaves out.
    """

    contents: RunContents
    remarks: list[str] = field(default_factory=list)

    @property
    def run(self) -> str:
        """Return the run's name, as it stands below a title."""
        label = clean(self.contents.paths.label, longest=60)
        if self.contents.data in ("subset", "stand-in"):
            return f"{label} (smoke run: its numbers mean nothing)"
        return label

    @cached_property
    def split(self) -> str:
        """Return the split whose predictions are shown."""
        scored = self.contents.splits
        return next((name for name in _SPLITS if name in scored), _SPLITS[0])

    @cached_property
    def scores(self) -> dict[str, Any]:
        """Return what metrics.json says of the split; {} if it says nothing."""
        return self.contents.splits.get(self.split, {})

    @cached_property
    def _predictions(self) -> Predictions | None:
        return self.contents.predictions(self.split)

    @property
    def predictions(self) -> Predictions:
        """Return the predictions of the split. Raises NothingToDraw if there are none."""
        found = self._predictions
        if found is None:
            path = self.contents.paths.predictions
            known = [problem for problem in self.contents.problems if str(path) in problem]
            if known:
                raise NothingToDraw(known[0])
            raise NothingToDraw(f"{path} has no rows of the {self.split} split.")
        if not len(found):
            raise NothingToDraw(f"The {self.split} split has no rows.")
        return found

    @property
    def task(self) -> str | None:
        """Return classification or regression; None if no file says."""
        if "task" in self.scores:
            return str(self.scores["task"])
        return self._predictions.task if self._predictions else None

    def require_classifier(self, what: str) -> None:
        """Raise NothingToDraw if the run is a regression, which has no `what`."""
        if self.task == "regression":
            raise NothingToDraw(f"A regression has no {what}.", expected=True)

    @cached_property
    def ranking(self) -> RankingCurves:
        """Return the ROC and precision-recall curves of every class."""
        predictions = self.predictions
        if predictions.probabilities is None:
            raise NothingToDraw(f"{self.contents.paths.predictions} holds no probabilities.")
        return rank_classes(predictions.true, predictions.probabilities)

    def describe(self, *facts: str) -> str:
        """Return the line below a title: the run, the split and its rows, further facts."""
        rows = self.scores.get("rows") or (len(self._predictions) if self._predictions else None)
        split = self.split if rows is None else f"{self.split}: {rows:,} rows"
        return " · ".join((self.run, split, *facts))


def name_classes(names: Any, *, longest: int = LONGEST_NAME) -> list[str]:
    """Return the names of classes short enough for a label."""
    return [shorten(name, longest) for name in names]
