"""What does a run directory tell? Each file read when it is asked for; what can't be read is named.

Pictures, the report page and comparisons are made of this, so that a damaged or deleted file costs
what it holds and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from dltrain.config.load import LoadedConfig, load_config
from dltrain.errors import ConfigError, DltrainError, RunError
from dltrain.runs.history import read_history
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import read_metrics_record
from dltrain.runs.model_table import read_model_table
from dltrain.runs.records import read_record
from dltrain.runs.repeats import gather_repeats, holds_repeats, read_repeats
from dltrain.runs.status import Status, is_stale, read_status
from dltrain.runs.test_uses import TestUses, count_test_uses
from dltrain.runs.warnings import read_warnings

if TYPE_CHECKING:
    from dltrain.runs.predictions import Predictions

Found = TypeVar("Found")


class RunContents:
    """Give the parts of the run in `paths`; a part that can't be read is None, and in `problems`.

    Nothing is written, and nothing heavier than pyarrow (for predictions) is imported.
    """

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self.problems: list[str] = []
        """A sentence for each file that was asked for and couldn't be read."""

    @cached_property
    def status(self) -> Status | None:
        """Return how the run stands."""
        return self._try(lambda: read_status(self.paths.status))

    @property
    def state(self) -> str:
        """Return the state, `killed` for a run whose process is gone, or `unknown`."""
        if self.status is None:
            return "unknown"
        return "killed" if is_stale(self.status) else self.status.state

    @cached_property
    def history(self) -> Sequence[dict[str, float]]:
        """Return the epochs' rows as in history.csv; none is a problem only of a finished run."""
        rows = self._try(lambda: read_history(self.paths.history))
        if rows is None:
            return ()
        expected = self.status.epochs_done if self.status else 0
        if len(rows) < expected:
            self._add(
                f"{self.paths.history} has {len(rows)} of {expected} epochs: it is missing or was "
                "cut short."
            )
        return rows

    @cached_property
    def _metrics(self) -> dict[str, Any]:
        record = self._try(lambda: read_metrics_record(self.paths.metrics))
        if record is not None and not isinstance(record.get("splits"), dict):
            self._add(f"{self.paths.metrics} is damaged: splits: expected a mapping.")
            return {}
        record = record or {}
        sections = {"training": record.get("training", {}), **record.get("splits", {})}
        for name, section in sections.items():
            if not isinstance(section, dict):
                self._add(f"{self.paths.metrics} is damaged: {name}: expected a mapping.")
                return {}
        return record

    @property
    def splits(self) -> dict[str, dict[str, Any]]:
        """Return split → scores with their baseline; {} if there are none."""
        found: dict[str, dict[str, Any]] = self._metrics.get("splits", {})
        return found

    @property
    def best_epoch(self) -> int | None:
        """Return the epoch (from 1) whose model was kept; None where that isn't known."""
        return _count(self._metrics.get("training", {}).get("best_epoch")) or None

    @property
    def diagnosis(self) -> dict[str, Any] | None:
        """Return what the curves say and what to try: `kind`, `sentence`, `suggestions`."""
        found = self._metrics.get("diagnosis")
        is_whole = (
            isinstance(found, dict)
            and isinstance(found.get("sentence"), str)
            and isinstance(found.get("suggestions"), list)
        )
        return found if is_whole else None

    @property
    def epochs(self) -> int | None:
        """Return how many epochs were trained; None where that isn't known."""
        if self.status is not None:
            return self.status.epochs_done
        return _count(self._metrics.get("training", {}).get("epochs"))

    @property
    def parameters(self) -> int | None:
        """Return how many weights the model has."""
        return _count((self.model_table or {}).get("parameters"))

    @property
    def train_seconds(self) -> float | None:
        """Return the seconds of all finished epochs, validation included."""
        if not self.history:
            return None
        return sum(row.get("seconds", 0.0) for row in self.history)

    @property
    def data(self) -> str | None:
        """Return `real`, or `subset` or `stand-in` of a smoke run, whose numbers mean nothing."""
        return self.status.data if self.status else self._metrics.get("data")

    @cached_property
    def environment(self) -> dict[str, Any] | None:
        """Return versions, device, seed, the data's fingerprint."""
        return self._try(lambda: read_record(self.paths.environment, format_number=1))

    @cached_property
    def model_table(self) -> dict[str, Any] | None:
        """Return the layers and their parameters."""
        return self._try(lambda: read_model_table(self.paths.model_table))

    @cached_property
    def warnings(self) -> dict[str, Any] | None:
        """Return what `check` and the training warned of."""
        return self._try(lambda: read_warnings(self.paths.warnings))

    @cached_property
    def mistakes(self) -> dict[str, Any] | None:
        """Return the rows on which the model was most wrong, as `evaluation.mistakes` writes."""
        return self._try(lambda: read_record(self.paths.mistakes, format_number=1))

    @cached_property
    def config_text(self) -> str | None:
        """Return the resolved config."""
        return self._try(lambda: _read_text(self.paths.config))

    @cached_property
    def config(self) -> dict[str, Any]:
        """Return the resolved config as plain values, unchecked; {} if it can't be read."""
        if self.config_text is None:
            return {}
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            found = yaml.load(self.config_text, Loader=loader)  # a safe loader, either of them
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" at line {mark.line + 1}" if mark else ""
            self._add(f"{self.paths.config} is damaged: it is no YAML{where}.")
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def monitor(self) -> str:
        """Return the name of the value that decided which epoch was the best."""
        training = self.config.get("training")
        found = training.get("monitor") if isinstance(training, dict) else None
        return found if isinstance(found, str) else "loss"

    @cached_property
    def repeats(self) -> dict[str, Any] | None:
        """Return what repeats.json holds; None of a run that stands by itself.

        A damaged one is gathered anew from the repeats themselves.
        """
        if not holds_repeats(self.paths):
            return None
        found = self._try(lambda: read_repeats(self.paths))
        if found is None:
            goal = self.status.repeats_goal if self.status else None
            seed = self.config.get("seed")
            found = gather_repeats(
                self.paths, goal=goal or 0, seed=seed if isinstance(seed, int) else 0
            )
        return found

    @cached_property
    def test_uses(self) -> TestUses | None:
        """Return for how many configs the test rows were scored, as far as that can be told."""
        return count_test_uses(self.paths)

    @cached_property
    def loaded_config(self) -> LoadedConfig | None:
        """Return the config, checked and resolved as this dltrain does it."""
        if self.config_text is None:
            return None
        try:
            return load_config(self.paths.config)
        except ConfigError as error:
            first = error.problems[0]
            self._add(f"{first.location()}: {first.key}: {first.message}".replace(": : ", ": "))
        except DltrainError as error:
            self._add(error.message)
        return None

    @property
    def model_bytes(self) -> int | None:
        """Return the size of the saved model's file; None if it isn't there."""
        try:
            return self.paths.model.stat().st_size
        except OSError:
            return None

    @cached_property
    def source_text(self) -> str | None:
        """Return the config as it was written, comments and all."""
        return self._try(lambda: _read_text(self.paths.source))

    def predictions(self, split: str, *, probabilities: bool = True) -> Predictions | None:
        """Return what was predicted for `split`, read anew at each call; None if there is none."""
        from dltrain.runs.predictions import read_predictions  # NumPy: a third of `dltrain show`

        found = self._try(
            lambda: read_predictions(
                self.paths.predictions, splits={split}, probabilities=probabilities
            )
        )
        return (found or {}).get(split)

    def _try(self, read: Callable[[], Found]) -> Found | None:
        try:
            return read()
        except RunError as error:
            self._add(error.message)
            return None

    def _add(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def _count(value: Any) -> int | None:
    """Return `value` if it is a whole number from 0, else None."""
    return value if type(value) is int and value >= 0 else None


def _read_text(path: Any) -> str:
    try:
        return str(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} is missing.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path} can't be read: {error}.") from error
