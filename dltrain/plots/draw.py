"""Which pictures does a run have, and how do they come into its `plots/`?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dltrain.errors import MachineError, UsageError
from dltrain.plots.subject import NothingToDraw, Subject
from dltrain.runs.atomic import explaining_disk, replacing
from dltrain.runs.contents import RunContents

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["png", "svg"]
FORMATS: tuple[Format, ...] = ("png", "svg")

# Names of pictures, as their files are called, in the order in which one looks at them.
PLOTS = (
    "curves",
    "confusion",
    "roc",
    "precision_recall",
    "reliability",
    "predicted",
    "residuals",
    "mistakes",
)


@dataclass(frozen=True)
class DrawnPlot:
    """Name a picture and the files that it was written to."""

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class SkippedPlot:
    """Name a picture that wasn't drawn; `reason` is a sentence.

    `expected` tells what every run lacks (a regression has no ROC curve) from what this one does.
    """

    name: str
    reason: str
    expected: bool = False


@dataclass(frozen=True)
class DrawnPlots:
    """Say what was drawn and what wasn't; `remarks` are sentences on what pictures leave out."""

    drawn: tuple[DrawnPlot, ...] = ()
    skipped: tuple[SkippedPlot, ...] = ()
    remarks: tuple[str, ...] = field(default=())


def draw_plots(
    contents: RunContents,
    *,
    only: Collection[str] | None = None,
    formats: Sequence[Format] = FORMATS,
    folder: Path | None = None,
) -> DrawnPlots:
    """Draw the pictures of a run into its `plots/` (or `folder`), from the run's files alone.

    `only` takes names of PLOTS. Each file is replaced whole; those of pictures that can't be drawn
    are removed, so that none of before is taken for this one's. Pixels and text are the same each
    time. Raises MachineError if the disk is full or can't be written.
    """
    from dltrain.plots.style import styled

    check_plots(only)
    folder = folder or contents.paths.plots
    if folder.exists() and not folder.is_dir():
        raise MachineError(
            f"{folder} is not a directory, so the pictures can't go into it.",
            hint="Move the file of that name away.",
        )
    with explaining_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    subject = Subject(contents)
    drawn: list[DrawnPlot] = []
    skipped: list[SkippedPlot] = []
    with styled() as missing:
        for name, draw in _functions().items():
            if only and name not in only:
                continue
            files = tuple(folder / f"{name}.{form}" for form in formats)
            try:
                figure = draw(subject)
            except NothingToDraw as nothing:
                skipped.append(SkippedPlot(name, str(nothing), nothing.expected))
                for file in (folder / f"{name}.{form}" for form in FORMATS):
                    file.unlink(missing_ok=True)
                continue
            for file in files:
                write_figure(figure, file)
            drawn.append(DrawnPlot(name, files))
    remarks = [*dict.fromkeys(subject.remarks)]
    if missing:
        letters = " ".join(sorted(missing)[:20])
        remarks.append(
            f"No font here has the letters {letters}: the PNG shows boxes. Install one that does, "
            "such as Noto Sans CJK."
        )
    return DrawnPlots(tuple(drawn), tuple(skipped), tuple(remarks))


def check_plots(names: Collection[str] | None) -> None:
    """Raise UsageError if one of `names` is no picture's."""
    from dltrain.catalog.suggest import nearest

    for name in names or ():
        if name not in PLOTS:
            near = nearest(name, PLOTS)
            known = f"The pictures are: {', '.join(PLOTS)}."
            raise UsageError(
                f"--only: there is no picture '{name}'.",
                hint=f"Did you mean '{near}'? {known}" if near else known,
            )


def write_figure(figure: Figure, path: Path) -> None:
    """Replace `path` (.png or .svg) by `figure`, within `styled`. Raises as `replacing` does."""
    if path.suffix == ".svg":
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        # Neither the time nor the version: the same run gives the same bytes.
        nothing = {"Date": None, "Creator": None}
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            FigureCanvasSVG(figure).print_svg(  # type: ignore[no-untyped-call]
                file, metadata=nothing
            )
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    image = Image.frombuffer("RGBA", canvas.get_width_height(), pixels)
    with replacing(path) as temporary, temporary.open("wb") as file:
        # Level 3 takes a third of the time of level 6, for a tenth more bytes.
        image.convert("RGB").save(file, "PNG", compress_level=3, dpi=(figure.dpi, figure.dpi))


def _functions() -> dict[str, Callable[[Subject], Figure]]:
    """Return what draws each picture of PLOTS."""
    from dltrain.plots.calibration import draw_reliability
    from dltrain.plots.confusion import draw_confusion
    from dltrain.plots.curves import draw_curves
    from dltrain.plots.ranking_plots import draw_precision_recall, draw_roc
    from dltrain.plots.residuals import draw_predicted, draw_residuals
    from dltrain.plots.worst import draw_mistakes

    return {
        "curves": draw_curves,
        "confusion": draw_confusion,
        "roc": draw_roc,
        "precision_recall": draw_precision_recall,
        "reliability": draw_reliability,
        "predicted": draw_predicted,
        "residuals": draw_residuals,
        "mistakes": draw_mistakes,
    }
