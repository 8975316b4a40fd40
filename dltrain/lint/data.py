"""Do the rows that the model sees carry their labels, and are some held out to judge it by?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dltrain.config.load import LoadedConfig
from dltrain.lint.finding import Note

_FLIPS = {
    "horizontal": ("horizontal",),
    "vertical": ("vertical",),
    "horizontal_and_vertical": ("horizontal", "vertical"),
}
_MIRRORED = {"horizontal": "left to right", "vertical": "upside down"}

# From here on, always answering the commonest class looks good by accuracy alone.
_IMBALANCE = 3.0
_ACCURACIES = {
    *("accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    *("top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"),
}


def find_label_changing_augmentation(loaded: LoadedConfig) -> Iterator[Note]:
    """Find flips and rotations after which an image is no longer one of its class."""
    info = loaded.info
    for index, spec in enumerate(loaded.config.dataset.augment):
        path = ("dataset", "augment", index)
        if spec["type"] == "random_flip":
            asked = _FLIPS[spec.get("mode", "horizontal_and_vertical")]
            wrong = [flip for flip in asked if flip not in info.flips]
            if wrong:
                kept = [flip for flip in asked if flip in info.flips]
                yield Note(
                    (*path, "mode"),
                    f"an image of {info.name} mirrored {' or '.join(_MIRRORED[w] for w in wrong)} "
                    "no longer looks like one of its class, and keeps the label.",
                    f"Write `- {{type: random_flip, mode: {kept[0]}}}`."
                    if kept
                    else "Write `- {type: random_translation, height_factor: 0.1, "
                    "width_factor: 0.1}` instead.",
                )
        elif spec["type"] == "random_rotation" and _largest(spec["factor"]) > info.max_rotation:
            turned = 360 * _largest(spec["factor"])
            yield Note(
                (*path, "factor"),
                f"an image of {info.name} turned by up to {turned:g}° may no longer look like one "
                f"of its class, and keeps the label; up to {360 * info.max_rotation:g}° is safe.",
                "Write `factor: 0.05`, which is 18° each way.",
            )


def find_accuracy_of_imbalanced(loaded: LoadedConfig) -> Iterator[Note]:
    """Find imbalanced classes that are judged by accuracy and nothing else."""
    counts = loaded.info.class_counts
    metrics = {spec["type"] for spec in loaded.config.metrics or []}
    if not counts or max(counts) < _IMBALANCE * min(counts):
        return
    if not metrics or not metrics <= _ACCURACIES:
        return
    common = loaded.info.class_names[counts.index(max(counts))]
    yield Note(
        ("metrics",),
        f"{max(counts) / sum(counts):.0%} of the rows are '{common}': a model that always says so "
        f"has that accuracy. {loaded.info.name} needs a metric that looks at every class.",
        "Write `metrics: [accuracy, f1]`, and monitor val_f1.",
    )


def find_truncated_texts(loaded: LoadedConfig) -> Iterator[Note]:
    """Find texts of which more than half are cut off."""
    length, median = loaded.config.dataset.max_length, loaded.info.median_words
    if length is not None and length < median:
        yield Note(
            ("dataset", "max_length"),
            f"more than half of the texts of {loaded.info.name} are longer than {length} words "
            f"(median: {median}), and lose what comes after.",
            f"Write `max_length: {50 * math.ceil(median / 50)}`.",
        )


def find_no_validation(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a training without validation rows."""
    if not loaded.config.dataset.validation_split:
        yield Note(
            ("dataset", "validation_split"),
            "no rows are held out for validation: nothing shows overfitting, and the best epoch "
            "is chosen on the training rows.",
            "Write `validation_split: 0.1`.",
        )


# More names than these would fill the screen: of flattened images hundreds of columns are constant.
_NAMED = 5


def find_constant_columns(loaded: LoadedConfig) -> Iterator[Note]:
    """Find columns of a table that have the same value in every row."""
    constant = loaded.info.constant_columns
    if constant:
        from dltrain.config.proposed_text import quote  # for few configs only

        names = ", ".join(f"'{name}'" for name in constant[:_NAMED])
        if len(constant) > _NAMED:
            names += f" and {len(constant) - _NAMED:,} more columns"
        left_out = [*(loaded.config.dataset.ignore or ()), *constant]
        ignored = ", ".join(quote(name) for name in left_out)
        yield Note(
            ("dataset", "ignore"),
            f"{names} of {loaded.info.name} {'is' if len(constant) == 1 else 'are'} the same in "
            "every row: nothing can be learned from it.",
            f"Write `ignore: [{ignored}]`."
            if loaded.config.dataset.type != "npz"
            else "Leave it out of the file: x[:, x.min(axis=0) < x.max(axis=0)].",
        )


def _largest(factor: Any) -> float:
    return max(abs(float(part)) for part in (factor if isinstance(factor, list) else [factor]))
