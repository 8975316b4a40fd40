"""How do all pictures look? Fonts, colours and sizes, and the one way to a new figure.

Matplotlib's settings belong to the whole process, so they are changed under a lock, for as long as
a picture is drawn, and put back. pyplot, which keeps every figure, is not used.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dltrain.escaping import escape_unprintable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito 2008, "Color Universal Design": told apart with every common colour blindness.
TRAIN = "#0072B2"
VALIDATION = "#D55E00"
BEST = "#009E73"

# Ten lines beside each other: Petroff 2021, "Accessible Color Sequences for Data Visualization",
# arXiv:2107.02270.
SERIES = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)

INK = "#1f2430"
FAINT = "#5f6672"
RULE = "#c9ced6"
GRID = "#e8ebef"
EMPTY = "#eceff3"

# Blues of ColorBrewer (Brewer 2003), which its authors mark as safe for the colour-blind.
SHADES = "Blues"

MONOSPACE = "DejaVu Sans Mono"

# Advance of every letter of DejaVu Sans Mono, in em: 1233 of 2048 units.
MONOSPACE_ADVANCE = 0.602

# At this size a letter is 11 pixels wide: at others it is rounded, and lines come out longer.
MONOSPACE_POINTS = 11 * 72 / (0.602 * 150)

PIXELS_PER_INCH = 150

# Fonts with Chinese, Japanese and Korean letters, tried where DejaVu Sans has none.
_WIDER_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans GB",
    "Arial Unicode MS",
    "Microsoft YaHei",
)

_SETTINGS: dict[Any, Any] = {
    "font.size": 9.5,
    "text.color": INK,
    # `$` in the name of a class is a dollar.
    "text.parse_math": False,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 9.5,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": PIXELS_PER_INCH,
    "savefig.dpi": PIXELS_PER_INCH,
    # Text that can be searched, and images as they are, not blown up.
    "svg.fonttype": "none",
    "svg.hashsalt": "dltrain",
    "image.composite_image": False,
    "image.interpolation": "none",
    # One step of a curve isn't drawn where it is thinner than a ninth of a pixel.
    "path.simplify_threshold": 1 / 9,
    "agg.path.chunksize": 0,
}

_LOCK = threading.RLock()


@contextmanager
def styled() -> Iterator[set[str]]:
    """Draw in this style within the block; yield the characters that no font had, by number.

    Other threads that draw pictures of ours wait.
    """
    import matplotlib as mpl
    from matplotlib import font_manager

    missing: set[str] = set()
    with _LOCK, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        known = {font.name for font in font_manager.fontManager.ttflist}
        families = ["DejaVu Sans", *(name for name in _WIDER_FONTS if name in known)]
        mono = [MONOSPACE, *families[1:]]
        fonts: dict[Any, Any] = {
            "font.family": "sans-serif",
            "font.sans-serif": families,
            "font.monospace": mono,
        }
        with mpl.rc_context({**_SETTINGS, **fonts}):
            yield missing
    for warning in caught:
        words = str(warning.message).split()
        if words[:1] == ["Glyph"] and words[1].isdigit():
            missing.add(chr(int(words[1])))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


def make_figure(
    title: str, subtitle: str, *, width: float = 9.0, height: float = 6.0
) -> tuple[Figure, float]:
    """Return a figure of `width` × `height` inches with its two head lines, to be drawn below.

    With it the height of what is left, as a fraction from the bottom.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    left = 0.18 / width
    figure.text(left, 1 - 0.14 / height, title, va="top", fontsize=13, fontweight="bold")
    figure.text(left, 1 - 0.42 / height, subtitle, va="top", fontsize=9.5, color=FAINT)
    return figure, 1 - 0.72 / height


def fit_axes(figure: Figure, top: float, *, pad: float = 0.12) -> None:
    """Give the axes of `figure` the room below its head, once, so that no label is cut off."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    FigureCanvasAgg(figure)
    # A moment's engine: it would do its measuring for every format again.
    engine = ConstrainedLayoutEngine(
        rect=(0.01, 0.01, 0.98, top - 0.01), w_pad=pad, h_pad=pad, wspace=0.02, hspace=0.02
    )
    engine.execute(figure)


def clean(text: object, *, longest: int = 200) -> str:
    """Return somebody's text as one line that can be drawn and stand in XML, at most `longest`."""
    line = escape_unprintable(" ".join(str(text).split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def shorten(text: object, longest: int) -> str:
    """Return `text` cleaned, its middle left out where it has more than `longest` characters."""
    line = clean(text, longest=10_000)
    if len(line) <= longest:
        return line
    head = (longest - 1 + 1) // 2
    return f"{line[:head]}…{line[len(line) - (longest - 1 - head) :]}"


def format_number(value: float) -> str:
    """Return a number with four digits that say something: 0.9732, 48.72, 3,050, 1e-05."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}" if size < 1e7 else f"{value:.3g}"
    if size >= 1:
        return f"{value:.4g}"
    return f"{value:.4f}" if size >= 0.001 or size == 0 else f"{value:.3g}"
