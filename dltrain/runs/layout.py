"""What are the files of a run directory called?

runs/mnist-cnn/0001/
  config.yaml        resolved and complete: `dltrain fit` on it gives the same run
  source.yaml        the config as it was written, comments and all, with the files it extends
  status.json        how it stands; never looks finished when it isn't
  environment.json   versions, device, git commit, dataset checksums, seed, command line
  warnings.json      what `check` and the training warned of
  history.csv        a row an epoch
  history.jsonl      the same, a JSON object a line
  metrics.json       final numbers a split, with the baseline beside them
  predictions.parquet  what was predicted, row by row
  mistakes.json      the worst of it, with the rows themselves
  model.keras        the best model
  model.json         its layers and their parameters
  tokenizer.json     text only: the vocabulary
  preset/            of a model that begins with a preset of KerasHub: what it is, without weights
  preprocessing.json classes, and what the training rows say of the columns of a table
  checkpoints/       what resuming needs
  plots/ report.html
  tensorboard/ wandb/ trackers.json    what trackers wrote, and what they must know to go on
  explanations/      of `dltrain explain`: explanations.json and .npz, pictures
  repeats.json       of `fit --repeats`: what the repeats gave together; then there are, beside it,
  repeats/1/ 2/ …    config.yaml, source.yaml and status.json only, and each repeat is a run
  .lock              while a process works on it

runs/mnist-cnn/sweep-0001/ holds a sweep: see `dltrain.runs.sweeps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = Path("runs")

# Digits of a run's number; more than 9999 runs of one name simply get longer numbers.
NUMBER_WIDTH = 4

_REPEATS_FOLDER = "repeats"

# Of a sweep, runs/NAME/sweep-0001: its trials are the numbered runs in it (dltrain.runs.sweeps).
SWEEP_PREFIX = "sweep-"

# In a sweep: its best trials again, retrained/trial-0007/0043, where the number is the seed.
RETRAINED = "retrained"


@dataclass(frozen=True)
class RunPaths:
    """Name the files of the run directory `root`; none of them is read or written."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.yaml"

    @property
    def source(self) -> Path:
        return self.root / "source.yaml"

    @property
    def status(self) -> Path:
        return self.root / "status.json"

    @property
    def environment(self) -> Path:
        return self.root / "environment.json"

    @property
    def warnings(self) -> Path:
        return self.root / "warnings.json"

    @property
    def history(self) -> Path:
        return self.root / "history.csv"

    @property
    def history_lines(self) -> Path:
        return self.root / "history.jsonl"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.json"

    @property
    def model(self) -> Path:
        return self.root / "model.keras"

    @property
    def model_table(self) -> Path:
        return self.root / "model.json"

    @property
    def predictions(self) -> Path:
        return self.root / "predictions.parquet"

    @property
    def mistakes(self) -> Path:
        return self.root / "mistakes.json"

    @property
    def tokenizer(self) -> Path:
        return self.root / "tokenizer.json"

    @property
    def preset(self) -> Path:
        return self.root / "preset"

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
    def explanations(self) -> Path:
        return self.root / "explanations" / "explanations.json"

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
    def repeats(self) -> Path:
        return self.root / "repeats.json"

    def repeat(self, number: int) -> RunPaths:
        """Return the run that is repeat `number` (from 1) of this one."""
        return RunPaths(self.root / _REPEATS_FOLDER / str(number))

    @property
    def whole(self) -> RunPaths | None:
        """Return the run of which this one is a repeat, or None if it stands by itself."""
        folder = self.root.absolute()
        is_repeat = folder.parent.name == _REPEATS_FOLDER and folder.name.isdigit()
        # As it was given where that can be, so that messages name it so.
        given = self.root if len(self.root.parts) > 2 else folder
        whole = RunPaths(given.parent.parent) if is_repeat else None
        return whole if whole and whole.repeats.is_file() else None

    @property
    def number(self) -> int | None:
        """Return the run's number below its name, or None for a directory named otherwise."""
        return parse_number(self.root.name)

    @property
    def name(self) -> str:
        """Return the name the run goes by: the folder above a number, else its own folder's."""
        if self.whole is not None:
            return self.whole.name
        folder = self.root.absolute()
        if self.number is None:
            return folder.name
        return self._sweep_folder.parent.name if self._sweep_folder else folder.parent.name

    @property
    def sweep(self) -> str | None:
        """Return the folder's name of the sweep whose trial this is: `sweep-0001`, or None."""
        return self._sweep_folder.name if self._sweep_folder else None

    @property
    def _sweep_folder(self) -> Path | None:
        above = self.root.absolute().parent
        if above.parent.name == RETRAINED:
            above = above.parent.parent
        is_sweep = parse_number(above.name.removeprefix(SWEEP_PREFIX)) is not None
        return above if self.number and above.name.startswith(SWEEP_PREFIX) and is_sweep else None

    @property
    def label(self) -> str:
        """Return what `dltrain eval` takes: `mnist-cnn/0001`, or the folder's own name.

        A repeat's is `mnist-cnn/0001/repeats/2`, a trial's `mnist-cnn/sweep-0001/0002`.
        """
        if self._sweep_folder is not None:
            return self.root.absolute().relative_to(self._sweep_folder.parent.parent).as_posix()
        if self.whole is not None:
            return f"{self.whole.label}/{_REPEATS_FOLDER}/{self.root.name}"
        return self.name if self.number is None else f"{self.name}/{self.root.name}"

    def looks_like_run(self) -> bool:
        """Tell whether the directory holds at least one file that only a run leaves."""
        marks = (self.status, self.metrics, self.environment, self.model, self.repeats)
        return any(path.is_file() for path in marks)


def format_number(number: int) -> str:
    """Return the folder's name for run `number`: 1 → `0001`."""
    return f"{number:0{NUMBER_WIDTH}d}"


def parse_number(folder_name: str) -> int | None:
    """Return the number that a folder name stands for, or None when it isn't one of ours."""
    is_number = folder_name.isascii() and folder_name.isdigit() and len(folder_name) >= NUMBER_WIDTH
    return int(folder_name) if is_number else None
