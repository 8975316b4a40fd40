"""What is to be explained, and can this run's data be explained so?"""

from __future__ import annotations

from dataclasses import dataclass

from dltrain.catalog.datasets import DatasetInfo
from dltrain.catalog.suggest import nearest
from dltrain.errors import UsageError

# Modality → its methods, in the order in which they are shown.
METHODS: dict[str, tuple[str, ...]] = {
    "image": ("saliency", "integrated_gradients", "grad_cam", "occlusion"),
    "text": ("integrated_gradients",),
    "tabular": ("permutation_importance", "shap"),
}

KINDS = {"image": "images", "text": "texts", "tabular": "tables"}


@dataclass(frozen=True)
class Request:
    """Hold what `dltrain explain` was asked for; empty `methods` and `rows` mean the usual ones.

    `class_name` is the class to explain, None the predicted one. `sanity` shuffles the model's
    weights to see whether the explanations depend on them.
    """

    split: str = "test"
    rows: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    class_name: str | None = None
    baseline: str = "black"
    sanity: bool = False


def check_request(request: Request, info: DatasetInfo) -> None:
    """Raise UsageError if a run on this dataset can't answer `request`."""
    known, kind = METHODS[info.modality], KINDS[info.modality]
    for method in request.methods:
        if method in known:
            continue
        everything = [each for methods in METHODS.values() for each in methods]
        near = nearest(method, everything)
        if method in everything:
            message = f"--method {method}: it is not for {kind}, which {info.name} holds."
        else:
            message = f"--method: there is no method '{method}'."
        guess = f"Did you mean '{near}'? " if near and method not in everything else ""
        raise UsageError(message, hint=f"{guess}For {kind} there are: {', '.join(known)}.")
    if request.class_name is not None:
        _check_class(request.class_name, info)
    if request.baseline != "black" and info.modality != "image":
        raise UsageError(
            f"--baseline {request.baseline}: it is a brightness, for images; {info.name} holds "
            f"{kind}.",
            hint="Leave --baseline out.",
        )
    if request.sanity and info.modality == "tabular":
        raise UsageError(
            "--sanity: it compares maps of images or words of texts with those of a shuffled "
            f"model; {info.name} holds tables.",
            hint="Leave --sanity out: permutation importance has its spread beside it.",
        )


def _check_class(name: str, info: DatasetInfo) -> None:
    if info.task == "regression":
        raise UsageError(f"--class {name}: a regression has no classes.", hint="Leave --class out.")
    if name not in info.class_names:
        near = nearest(name, info.class_names)
        shown = ", ".join(info.class_names[:20]) + (", …" if len(info.class_names) > 20 else "")
        guess = f"Did you mean '{near}'? " if near else ""
        raise UsageError(
            f"--class: there is no class '{name}'.", hint=f"{guess}The classes are: {shown}."
        )
