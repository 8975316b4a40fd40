"""What does `training.balance` ask for against classes of unequal size? Its form, and what it fits.

The methods: He and Garcia 2009, "Learning from Imbalanced Data", doi:10.1109/TKDE.2008.239, for
weights and resampling; Chawla et al. 2002, arXiv:1106.1813, for SMOTE; Lin et al. 2017,
arXiv:1708.02002, for the focal loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.catalog.datasets import DatasetInfo
from dltrain.catalog.rules import MAPPING, Rule, either, list_of, number, optional, whole
from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.methods import Methods, read_method
from dltrain.config.paths import Path
from dltrain.config.reading import describe
from dltrain.config.schema import RunConfig, Spec
from dltrain.config.targets import CROSS_ENTROPY
from dltrain.config.wrong_values import add_wrong_value

PATH: Path = ("training", "balance")

_WEIGHT = number(above=0)
_WEIGHTS = Rule(
    "a mapping of class names to numbers > 0",
    lambda value: isinstance(value, dict) and all(map(_WEIGHT.accepts, value.values())),
    {**MAPPING.schema, "additionalProperties": _WEIGHT.schema},
)
_RATIO = number(above=0, at_most=1)
_SHARE = number(above=0, below=1)

METHODS: Methods = {
    "class_weight": {"weights": (optional(_WEIGHTS), None)},
    "oversample": {"ratio": (_RATIO, 1.0)},
    "undersample": {"ratio": (_RATIO, 1.0)},
    "smote": {"ratio": (_RATIO, 1.0), "k_neighbors": (whole(1), 5)},
    "focal_loss": {
        "gamma": (number(at_least=0), 2.0),
        "alpha": (optional(either(_SHARE, list_of(_WEIGHT))), None),
    },
}
KEPT_SHARE = _RATIO
"""What `dataset.keep` may say of a class."""

RESAMPLING = ("oversample", "undersample", "smote")
"""The methods that change how many rows of a class are trained on."""


def check_balance(raw: object, problems: Problems) -> Spec | None:
    """Return the method as `{"type": name, …}` with every default, or None after a problem."""
    return read_method(raw, PATH, METHODS, problems, items={"weights": _WEIGHT})


def check_balance_fits(config: RunConfig, info: DatasetInfo, problems: Problems) -> None:
    """Refuse a method that this data, its classes or the loss can't have."""
    spec = config.training.balance
    if spec is None:
        return
    kind = spec["type"]
    if info.task == "regression":
        problems.add(
            PATH,
            "balance evens out classes; the target is a number.",
            hint="Leave it out.",
            expected="no balance",
            received=kind,
        )
        return
    if kind == "smote" and info.modality != "tabular":
        holds = {"image": "images", "text": "texts"}[info.modality]
        problems.add(
            PATH,
            f"smote makes rows between rows, which only tables can have; {info.name} holds "
            f"{holds}.",
            hint="Use oversample" + (" with dataset.augment." if holds == "images" else "."),
            expected="a method for any data: class_weight, oversample, undersample, focal_loss",
            received="smote",
        )
    if kind == "class_weight":
        check_class_names((*PATH, "weights"), spec["weights"] or {}, info, problems)
    if kind == "focal_loss":
        _check_focal_loss(spec, config.loss, info, problems)


def count_balanced(counts: Sequence[int], spec: Spec | None) -> list[int]:
    """Return how many rows of each class are trained on, of `counts` rows a class.

    Oversampling and SMOTE bring every class up to `ratio` times the largest; undersampling cuts
    every class down to the smallest divided by `ratio`. A class without rows stays so.
    """
    present = [count for count in counts if count]
    if spec is None or spec["type"] not in RESAMPLING or not present:
        return list(counts)
    if spec["type"] == "undersample":
        most = round(min(present) / spec["ratio"])
        return [min(count, most) for count in counts]
    least = round(spec["ratio"] * max(present))
    return [max(count, least) if count else 0 for count in counts]


def check_class_names(
    path: Path, given: Mapping[str, Any], info: DatasetInfo, problems: Problems
) -> None:
    """Refuse names below `path` that no class of the dataset has."""
    for name in given:
        if name not in info.class_names:
            problems.add(
                (*path, name),
                f"{info.name} has no class '{name}'.",
                hint=f"Its classes are {_shorten(info.class_names)}.",
                of_key=True,
                expected=f"a class of {info.name}",
                received=f"'{name}'",
                suggestion=nearest(str(name), info.class_names),
            )


def check_keep(data: Mapping[str, Any], info: DatasetInfo, problems: Problems) -> None:
    """Refuse shares in `dataset.keep` of classes that aren't there, and what are no shares."""
    keep = data.get("keep")
    if keep is None:
        return
    path: Path = ("dataset", "keep")
    if info.task == "regression":
        problems.add(
            path,
            "keep cuts classes; the target is a number.",
            hint="Leave it out.",
            of_key=True,
            expected="no keep",
            received="keep",
        )
        return
    check_class_names(path, keep, info, problems)
    for name, share in keep.items():
        if not KEPT_SHARE.accepts(share):
            add_wrong_value((*path, name), share, KEPT_SHARE.expected, problems)


def _check_focal_loss(spec: Spec, loss: Any, info: DatasetInfo, problems: Problems) -> None:
    if loss is not None and loss["type"] != CROSS_ENTROPY:
        problems.add(
            PATH,
            f"focal_loss is a form of cross_entropy; the loss is {loss['type']}.",
            hint="Leave out loss: or balance:.",
            expected="loss: cross_entropy",
            received=loss["type"],
        )
    alpha, classes = spec["alpha"], len(info.class_names)
    fits = not isinstance(alpha, list) if classes == 2 else _has_length(alpha, classes)
    if alpha is None or fits:
        return
    expected = "a number > 0 and < 1" if classes == 2 else f"a list of {classes} numbers > 0"
    problems.add(
        (*PATH, "alpha"),
        hint=f"{info.name} has {classes} classes."
        + (" alpha counts for the second, 1 - alpha for the first." if classes == 2 else ""),
        expected=expected,
        received=describe(alpha)
        if not isinstance(alpha, list)
        else f"a list of {len(alpha)} numbers",
    )


def _has_length(value: object, length: int) -> bool:
    return isinstance(value, list) and len(value) == length


def _shorten(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"
