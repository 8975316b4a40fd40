"""Which values can be monitored, and is more of each better or less?"""

from __future__ import annotations

from typing import Any, Literal

from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe
from dltrain.config.schema import RunConfig

# Parts of the names of Keras's metrics that are better when smaller.
_SMALLER_IS_BETTER = (
    "loss",
    "error",
    "crossentropy",
    "hinge",
    "log_cosh",
    "poisson",
    "kl_divergence",
    "false_positives",
    "false_negatives",
)


def monitored_names(config: RunConfig) -> list[str]:
    """Return the names of the values that every epoch produces."""
    names = ["loss", *(spec["name"] for spec in config.metrics or [])]
    if config.dataset.validation_split:
        names += [f"val_{name}" for name in names]
    return names


def best_direction(monitor: str, config: RunConfig) -> Literal["min", "max"]:
    """Say whether the best value of `monitor` is the smallest or the largest."""
    name = monitor.removeprefix("val_")
    types = {spec["name"]: spec["type"] for spec in config.metrics or []}
    kind = types.get(name, name)
    return "min" if any(part in kind for part in _SMALLER_IS_BETTER) else "max"


def check_monitors(config: RunConfig, problems: Problems) -> None:
    """Refuse a monitored value that no epoch will produce."""
    names = monitored_names(config)
    training = config.training
    asked: list[tuple[Path, Any]] = [(("training", "monitor"), training.monitor)]
    if training.early_stopping:
        asked.append((("training", "early_stopping", "monitor"), training.early_stopping.monitor))
    if training.reduce_lr_on_plateau:
        monitor = training.reduce_lr_on_plateau.monitor
        asked.append((("training", "reduce_lr_on_plateau", "monitor"), monitor))
    for index, spec in enumerate(training.callbacks):
        if spec is not None and "monitor" in spec:
            asked.append((("training", "callbacks", index, "monitor"), spec["monitor"]))
    for path, name in asked:
        # One that was resolved from another is told there, where it was written.
        if name is None or name in names or not _is_written(path, problems.document.data):
            continue
        problems.add(
            path,
            f"no epoch produces {describe(name)}; there are {', '.join(names)}.",
            hint=_hint(str(name), names, has_validation=bool(config.dataset.validation_split)),
        )


def _hint(name: str, names: list[str], *, has_validation: bool) -> str:
    if name.startswith("test_"):
        return "The test rows choose nothing, so that they can judge: monitor a val_ value."
    if name.startswith("val_") and not has_validation:
        return "Set dataset.validation_split above 0."
    near = nearest(name, names)
    return f"Did you mean '{near}'?" if near else "Add it to metrics:."


def _is_written(path: Path, data: Any) -> bool:
    """Say whether the config itself holds something at `path`."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return False
    return data is not None
