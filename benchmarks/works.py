"""Which works are compared, and how does each side start one?"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Work:
    """A config beside this file, and the scripts that do the same: their file and model.

    `steady_goal`, `whole_goal`: what dltrain's time divided by the Keras script's is to be at most.
    """

    name: str
    dataset: str
    model: str
    steady_goal: float
    whole_goal: float

    @property
    def config(self) -> Path:
        return FOLDER / f"{self.name}.yaml"


MEMORY_GOAL = 1.1

WORKS = {
    work.name: work
    for work in (
        Work("mnist_dense", "mnist", "dense", steady_goal=0.45, whole_goal=0.75),
        Work("mnist_cnn", "mnist", "cnn", steady_goal=1.0, whole_goal=1.0),
        Work("imdb_pooling", "imdb", "pooling", steady_goal=0.7, whole_goal=0.8),
        Work("imdb_lstm", "imdb", "lstm", steady_goal=1.0, whole_goal=1.0),
    )
}


@dataclass(frozen=True)
class Job:
    """One training: what is trained, on which rows, and where it may write."""

    work: Work
    inputs: Path
    data_dir: Path
    directory: Path
    epochs: int
    seed: int


@dataclass(frozen=True)
class Side:
    """One way to do a work: its command, and how its accuracy on test is read when it is done."""

    name: str
    package: str
    datasets: tuple[str, ...]
    command: Callable[[Job], list[str]]
    accuracy: Callable[[Job, str], float]

    def is_installed(self) -> bool:
        return find_spec(self.package) is not None


def _command_of_dltrain(job: Job) -> list[str]:
    command = [sys.executable, "-m", "dltrain", "fit", str(job.work.config)]
    command += ["--run-dir", str(job.directory / "run"), "--data-dir", str(job.data_dir)]
    # The script draws nothing and writes no report either.
    command += ["--no-report", "--offline"]
    return [*command, "--epochs", str(job.epochs), "--seed", str(job.seed)]


def _accuracy_of_dltrain(job: Job, output: str) -> float:
    scores = json.loads((job.directory / "run" / "metrics.json").read_text())
    return float(scores["splits"]["test"]["accuracy"]["value"])


def _script(kind: str) -> Callable[[Job], list[str]]:
    def command(job: Job) -> list[str]:
        script = FOLDER / f"{kind}_{job.work.dataset}.py"
        command = [sys.executable, str(script), job.work.model, str(job.inputs)]
        return [*command, "--epochs", str(job.epochs), "--seed", str(job.seed)]

    return command


def _printed_accuracy(job: Job, output: str) -> float:
    found = re.search(r"^test accuracy (\S+)$", output, re.MULTILINE)
    if found is None:
        raise ValueError(f"no accuracy on test in:\n{output}")
    return float(found.group(1))


SIDES = {
    side.name: side
    for side in (
        Side("dltrain", "dltrain", ("mnist", "imdb"), _command_of_dltrain, _accuracy_of_dltrain),
        Side("keras", "keras", ("mnist", "imdb"), _script("keras"), _printed_accuracy),
        Side("torch", "torch", ("mnist",), _script("torch"), _printed_accuracy),
        Side("lightning", "lightning", ("mnist",), _script("lightning"), _printed_accuracy),
    )
}
