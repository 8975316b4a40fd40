"""How do explanations become pictures? As PNG and SVG in the run's explanations/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.errors import MachineError
from dltrain.explanation.explained import Explanations
from dltrain.runs.atomic import explaining_disk
from dltrain.runs.layout import RunPaths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What the score of a class is, for people.
KINDS = {
    "logit": "the score before softmax or sigmoid",
    "score": "the model's output",
    "value": "the predicted value",
}
METRICS = {"r2": "R²", "accuracy": "accuracy"}

# The names of all pictures, so that none of an earlier call stays.
_PICTURES = ("images", "texts", "importances", "shap")


def make_folder(paths: RunPaths) -> Path:
    """Return the folder for explanations, made if it isn't there. Raises MachineError."""
    folder = paths.explanations.parent
    if folder.exists() and not folder.is_dir():
        raise MachineError(
            f"{folder} is a file; the explanations go into a folder of that name.",
            hint="Move it away.",
        )
    with explaining_disk(folder):
        folder.mkdir(exist_ok=True)
    return folder


def draw_pictures(
    explanations: Explanations, folder: Path
) -> tuple[list[dict[str, Any]], list[Path]]:
    """Write the pictures into `folder`; return them as explanations.json names them, and the files.

    Pictures of an earlier call are removed. Raises MachineError if the disk is full.
    """
    from dltrain.plots.draw import write_figure
    from dltrain.plots.style import styled

    planned = _plan_pictures(explanations)
    for name in _PICTURES:
        for suffix in ("png", "svg"):
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)
    pictures, files = [], []
    for name, alt, draw in planned:
        with styled():
            figure = draw()
            for suffix in ("png", "svg"):
                files.append(folder / f"{name}.{suffix}")
                write_figure(figure, files[-1])
        pictures.append({"file": f"{name}.png", "alt": alt})
    return pictures, files


def _plan_pictures(found: Explanations) -> list[tuple[str, str, Callable[[], Figure]]]:
    """Return the pictures' names, what they say to who can't see them, and what draws them."""
    from dltrain.plots.explained_images import draw_explained_images
    from dltrain.plots.explained_tables import MOST_COLUMNS, draw_importances, draw_shap
    from dltrain.plots.explained_texts import draw_explained_texts
    from dltrain.plots.style import clean

    head = f"{clean(found.run, longest=60)} · {found.split}"
    what = KINDS[found.kind]
    count = len(found.rows)
    planned: list[tuple[str, str, Callable[[], Figure]]] = []
    if found.modality == "image":
        alt = f"{count} images of {found.split} beside their maps: {', '.join(found.methods)}"
        subtitle = f"{head} · explained is {what} · baseline {found.baseline}"
        planned.append(
            (
                "images",
                alt,
                lambda: draw_explained_images(
                    "Which pixels speak for the class", subtitle, found.rows, found.methods
                ),
            )
        )
    elif found.modality == "text":
        alt = f"{count} texts of {found.split}, their words coloured by integrated gradients"
        subtitle = f"{head} · integrated gradients of {what}"
        planned.append(
            (
                "texts",
                alt,
                lambda: draw_explained_texts(
                    "Which words speak for the class", subtitle, found.rows
                ),
            )
        )
    if found.importances:
        metric = METRICS[found.importance_metric]
        shown = min(len(found.importances), MOST_COLUMNS)
        alt = f"Permutation importance of {shown} columns; the table has the numbers"
        facts = (
            f"{head}: {found.importance_rows:,} rows · {metric} {found.importance_score:.4f} falls "
            f"by so much when a column is shuffled · mean ± deviation of {found.repeats}"
        )
        planned.append(
            (
                "importances",
                alt,
                lambda: draw_importances("Permutation importance", facts, found.importances),
            )
        )
    if "shap" in found.methods and found.rows:
        alt = f"SHAP values of {count} rows of {found.split}"
        mean = "" if found.mean_score is None else f" · counted from {found.mean_score:.4g}"
        about = f"{head} · what each column brings to {what}{mean}"
        planned.append(("shap", alt, lambda: draw_shap("SHAP values", about, found.rows)))
    return planned
