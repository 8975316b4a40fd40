"""Do the sections fit together? Rules that need more than one of them, or the dataset's facts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.balance import count_balanced
from dltrain.config.document import Problems
from dltrain.config.layers import INPUT, Layer
from dltrain.config.paths import Path
from dltrain.config.schema import DatasetConfig, RunConfig
from dltrain.config.targets import Targets, TargetsError, last_layer, resolve_config_targets

_TEXT_OPTIONS = {
    "max_words": 20_000,
    "max_length": 400,
    "ngrams": 1,
    "ngram_buckets": 100_000,
    "truncate": "end",
    "word_dropout": 0.0,
}
_DEFAULT_NORMALIZE = {"image": "unit", "tabular": "standard", "text": "none"}
_DEFAULT_TEST_SPLIT = 0.2

CALLBACK_PATHS = ("filepath", "filename", "log_dir", "backup_dir", "directory")
"""Arguments of Keras's callbacks that name a file or a folder: kept inside the run directory."""

# Parts of the names of Keras's metrics that compare classes.
_CLASS_METRIC_PARTS = (
    *("accuracy", "precision", "recall", "f1", "fbeta", "auc", "crossentropy", "iou"),
    *("sensitivity", "specificity", "hinge", "positives", "negatives"),
)


def complete_dataset(data: dict[str, Any], info: DatasetInfo, problems: Problems) -> None:
    """Write the defaults that follow from the dataset into `data`; refuse options it can't have."""
    path: Path = ("dataset",)
    _complete_text_options(data, info, problems)
    _complete_made_options(data, info, problems)
    if data.get("image_size") is not None and data.get("color") is None:
        data["color"] = "rgb"
    if data.get("normalize") is None:
        data["normalize"] = _DEFAULT_NORMALIZE[info.modality]
    elif info.modality == "text" and data["normalize"] != "none":
        problems.add(
            (*path, "normalize"),
            f"{info.name} holds texts; expected none.",
            expected="none",
            received=data["normalize"],
        )
    elif info.modality == "tabular" and data["normalize"] == "unit":
        problems.add(
            (*path, "normalize"),
            f"unit is for images; {info.name} is a table: use standard.",
            expected="standard or none",
            received="unit",
        )
    if data.get("augment") and info.modality != "image":
        problems.add(
            (*path, "augment"),
            f"augment is for images; {info.name} holds none.",
            expected="no augment",
            received="augment",
        )
    if info.test_rows and data.get("test_split") is not None:
        problems.add(
            (*path, "test_split"),
            f"{info.name} has a published test split of {info.test_rows:,} rows; "
            "test_split is for data without one.",
            of_key=True,
            expected="no test_split",
            received="test_split",
        )
    elif not info.test_rows and data.get("test_split") is None:
        data["test_split"] = _DEFAULT_TEST_SPLIT


def check_vocabulary(
    config: RunConfig, info: DatasetInfo, layers: Sequence[Layer], problems: Problems
) -> None:
    """Refuse an embedding with fewer rows than the texts have ids: it would read past its end."""
    if info.modality != "text":
        return
    size = vocabulary_size(config)
    for layer in layers:
        rows = layer.arguments.get("input_dim", size)
        if layer.type == "embedding" and layer.inputs == (INPUT,) and rows < size:
            problems.add(
                (*layer.path, "input_dim"),
                f"the texts have {size:,} ids (words, pairs, padding and unknown); "
                f"an embedding of {rows:,} rows is too small.",
                hint=f"Set input_dim: {size}.",
                expected=f"a whole number >= {size}",
                received=f"the number {rows}",
            )


def vocabulary_size(config: RunConfig) -> int:
    """Return how many ids texts are made of: words, padding, unknown and pairs."""
    dataset = config.dataset
    pairs = (dataset.ngram_buckets or 0) if dataset.ngrams == 2 else 0
    return (dataset.max_words or 0) + pairs


def text_length(dataset: DatasetConfig) -> int:
    """Return how many ids a text becomes: its words, and a pair between any two with ngrams: 2."""
    length = dataset.max_length or 0
    return 2 * length - 1 if dataset.ngrams == 2 else length


def count_training_rows(config: RunConfig, info: DatasetInfo) -> int:
    """Return how many rows are trained on, after validation and test rows are held out.

    What `dataset.keep` and `training.balance` make of it is known to a row or two a class.
    """
    rows = config.dataset.rows or info.train_rows
    rows -= count_held_out(rows, config.dataset.test_split or 0.0)
    keep, balance = config.dataset.keep, config.training.balance
    most = config.dataset.rows_per_class
    if (keep or balance or most) and info.class_counts:
        share = rows / sum(info.class_counts) * (1 - config.dataset.validation_split)
        pairs = zip(info.class_names, info.class_counts, strict=True)
        kept = [max(1, round(count * share * (keep or {}).get(name, 1))) for name, count in pairs]
        if most:
            trained = max(1, round(most * (1 - config.dataset.validation_split)))
            kept = [min(count, trained) for count in kept]
        return sum(count_balanced(kept, balance))
    return rows - count_held_out(rows, config.dataset.validation_split)


def count_held_out(rows: int, fraction: float) -> int:
    """Return how many of `rows` a share stands for: rounded, at least one of a share above 0."""
    return max(1, round(rows * fraction)) if fraction else 0


def check_batch_size(config: RunConfig, info: DatasetInfo, problems: Problems) -> None:
    """Refuse a batch that is larger than the data."""
    rows = count_training_rows(config, info)
    batch_size = config.training.batch_size
    if isinstance(batch_size, int) and batch_size > rows:
        problems.add(
            ("training", "batch_size"),
            f"a batch of {batch_size:,} is larger than the {rows:,} training rows.",
            hint=f"Use {rows} or less, or `full`.",
            expected=f"a whole number <= {rows}, or full",
            received=f"the number {batch_size}",
        )


def check_training(config: RunConfig, problems: Problems) -> None:
    """Check the learning-rate settings against each other, and early stopping against the end."""
    rates = [(config.optimizer or {}).get("learning_rate")]
    if config.training.phases:
        rates = [phase.get("learning_rate", rates[0]) for phase in config.training.phases]
    scheduled = any(isinstance(rate, dict) for rate in rates)
    plateaus: list[Path] = [
        ("training", "callbacks", index)
        for index, spec in enumerate(config.training.callbacks)
        if spec is not None and spec["type"] == "reduce_lr_on_plateau"
    ]
    if config.training.reduce_lr_on_plateau is not None:
        plateaus.append(("training", "reduce_lr_on_plateau"))
    for path in plateaus if scheduled else []:
        problems.add(
            path,
            "a learning rate that follows a schedule can't be lowered on a plateau as well.",
            hint="Give optimizer.learning_rate a number, or leave this out.",
            of_key=True,
            expected="only one of a schedule and reduce_lr_on_plateau",
            received="both",
        )
    stopping = config.training.early_stopping
    if stopping and stopping.start_from_epoch >= config.training.epochs:
        problems.add(
            ("training", "early_stopping", "start_from_epoch"),
            f"early stopping would start after the last of {config.training.epochs} epochs.",
            expected=f"a whole number < {config.training.epochs}",
            received=f"the number {stopping.start_from_epoch}",
        )


def check_callback_paths(config: RunConfig, problems: Problems) -> None:
    """Refuse a callback that would write outside of the run directory."""
    for index, spec in enumerate(config.training.callbacks):
        for name in CALLBACK_PATHS:
            value = (spec or {}).get(name)
            if not isinstance(value, str):
                continue
            if PurePath(value).is_absolute() or ".." in PurePath(value).parts:
                problems.add(
                    ("training", "callbacks", index, name),
                    expected="a path inside the run directory",
                    received=f"'{value}'",
                    hint="Leave out the leading / and every ..",
                )


def check_targets(
    config: RunConfig, info: DatasetInfo, layers: list[Layer], problems: Problems
) -> Targets | None:
    """Resolve the loss where the last layer's units can be seen without building the model."""
    units, activation = last_layer(layers)
    if units is None:
        # Only the loss can be judged; the model's real output is checked when it is built.
        units = len(info.class_names) or 1
    try:
        return resolve_config_targets(config, info, units=units, activation=activation)
    except TargetsError as error:
        path: Path = ("loss",) if error.where == "loss" else layers[-1].path
        problems.add(
            path,
            error.message,
            hint=error.hint,
            expected=error.expected,
            received=error.received,
        )
        return None


def check_metrics(config: RunConfig, info: DatasetInfo, problems: Problems) -> None:
    """Refuse metrics that can't be computed for the task, and names used twice."""
    seen: set[str] = set()
    for index, spec in enumerate(config.metrics or []):
        path: Path = ("metrics", index)
        if spec["name"] in seen or spec["name"] == "loss":
            problems.add(
                path,
                f"the metric name '{spec['name']}' is used twice; add a name:.",
                expected="a name of its own",
                received=f"'{spec['name']}'",
            )
        seen.add(spec["name"])
        if info.task == "regression" and is_class_metric(spec["type"]):
            problems.add(
                path,
                f"{spec['type']} compares classes; the target is a number.",
                hint="Use mse, mae or r2_score.",
                expected="a metric of numbers",
                received=spec["type"],
            )


def is_class_metric(name: str) -> bool:
    """Say whether a metric needs class labels."""
    return any(part in name for part in _CLASS_METRIC_PARTS)


def _complete_text_options(data: dict[str, Any], info: DatasetInfo, problems: Problems) -> None:
    for key, default in _TEXT_OPTIONS.items():
        if info.modality == "text":
            if data.get(key) is None and (key != "ngram_buckets" or data.get("ngrams") == 2):
                data[key] = default
        elif data.get(key) is not None:
            problems.add(
                ("dataset", key),
                f"{key} is for texts; {info.name} holds none.",
                of_key=True,
                expected=f"no {key}",
                received=key,
            )


def _complete_made_options(data: dict[str, Any], info: DatasetInfo, problems: Problems) -> None:
    for key in ("rows", "features", "noise", "nonlinearity"):
        option = info.options.get(key)
        if option is None:
            if data.get(key) is not None:
                problems.add(
                    ("dataset", key),
                    f"{info.name} has no option '{key}'.",
                    of_key=True,
                    expected=f"no {key}",
                    received=key,
                )
        elif data.get(key) is None:
            data[key] = option.default
        elif not option.low <= data[key] <= option.high:
            problems.add(
                ("dataset", key),
                expected=f"{option.low:g} to {option.high:g}",
                received=str(data[key]),
            )
