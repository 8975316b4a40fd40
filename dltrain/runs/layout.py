"""What are the files of a run directory called?

runs/mnist-cnn/0001/
  config.yaml        resolved and complete: `dltrain fit` on it gives the same run
  status.json        how it stands; never looks finished when it isn't
  environment.json   versions, device, git commit, dataset checksums, seed, command line
  history.csv        a row an epoch
  metrics.json       final numbers a split, with the baseline beside them
  model.keras        the best model
  tokenizer.json     text only: the vocabulary
  preprocessing.json classes, and what the training rows say of the columns of a table
  checkpoints/       what resuming needs
  plots/ report.html tensorboard/
  .lock              while a process works on it
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = Path("runs")

# Digits of a run's number; more than 9999 runs of one name simply get longer numbers.
NUMBER_WIDTH = 4


@dataclass(frozen=True)
class RunPaths:
    """Name the files of the run directory `root`; nothing is read or written."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.yaml"

    @property
    def status(self) -> Path:
        return self.root / "status.json"

    @property
    def environment(self) -> Path:
        return self.root / "environment.json"

    @property
    def history(self) -> Path:
        return self.root / "history.csv"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.json"

    @property
    def model(self) -> Path:
        return self.root / "model.keras"

    @property
    def tokenizer(self) -> Path:
        return self.root / "tokenizer.json"

    @property
    def preprocessing(self) -> Path:
        return self.root / "preprocessing.json"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def plots(self) -> Path:
        return self.root / "plots"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def tensorboard(self) -> Path:
        return self.root / "tensorboard"

    @property
    def lock(self) -> Path:
        return self.root / ".lock"

    @property
    def number(self) -> int | None:
        """Return the run's number below its name, or None for a directory named otherwise."""
        return parse_number(self.root.name)

    @property
    def name(self) -> str:
        """Return the name the run goes by: the folder above a number, else its own folder's."""
        folder = self.root.absolute()
        return folder.name if self.number is None else folder.parent.name

    @property
    def label(self) -> str:
        """Return what `dltrain eval` takes: `mnist-cnn/0001`, or the folder's own name."""
        return self.name if self.number is None else f"{self.name}/{self.root.name}"

    def looks_like_run(self) -> bool:
        """Tell whether the directory holds at least one file that only a run leaves."""
        marks = (self.status, self.metrics, self.environment, self.model)
        return any(path.is_file() for path in marks)


def format_number(number: int) -> str:
    """Return the folder's name for run `number`: 1 → `0001`."""
    return f"{number:0{NUMBER_WIDTH}d}"


def parse_number(folder_name: str) -> int | None:
    """Return the number that a folder name stands for, or None when it isn't one of ours."""
    is_number = folder_name.isascii() and folder_name.isdigit() and len(folder_name) >= NUMBER_WIDTH
    return int(folder_name) if is_number else None
