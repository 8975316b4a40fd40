"""How do the curves of a training look in a terminal? Some ten lines, at most 80 columns.

Drawn with Braille dots, or with ASCII where those can't be read: in a file, a pipe, or another
encoding than UTF-8. Validation is a solid line and training a dotted one: colours only help.

Own code, and not plotext: version 6 brings a compiled library for some platforms only, takes 0.2 s
to import (a third of what `dltrain show` may take), and draws its frames in no ASCII.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

WIDTH = 80

# Lines of the picture itself; a title, an axis and its labels come to it.
_ROWS = 6

# A panel wants at least this many columns; two stand side by side where there is room.
_PANEL = 30
_GAP = 2

# A loss that falls by more than this is drawn on a logarithmic scale: else its end is a flat line.
_LOG_RATIO = 30.0

# A Braille character is 2 dots wide and 4 high; bit of the dot at (column, row) above U+2800, as
# the Unicode Standard numbers them (chapter 21.1, Braille).
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))

# A dotted line sets one dot in so many.
_DOTTED = 3

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class _Line:
    """One curve: its name in the legend, its (epoch, value) points, and how it is drawn."""

    name: str
    points: Points
    style: str
    letter: str
    dotted: bool


def show_curves(
    console: Console, history: Sequence[Mapping[str, float]], *, monitor: str, best_epoch: int
) -> None:
    """Print the loss over the epochs, and beside it the monitored value if it is another.

    A training of fewer than two epochs has no curve: nothing is printed.
    """
    lines = draw_curves(
        history,
        monitor=monitor,
        best_epoch=best_epoch,
        width=min(console.width, WIDTH),
        unicode=can_show_braille(console),
    )
    for line in lines:
        console.print(line, no_wrap=True, overflow="crop", crop=True)
    if lines:
        console.print()


def can_show_braille(console: Console) -> bool:
    """Tell whether a person with a terminal of Unicode reads what is printed."""
    return (
        console.is_terminal
        and console.file.isatty()
        and not console.is_dumb_terminal
        and console.encoding.lower().replace("-", "").startswith("utf")
    )


def draw_curves(
    history: Sequence[Mapping[str, float]],
    *,
    monitor: str,
    best_epoch: int,
    width: int = WIDTH,
    unicode: bool,
) -> list[Text]:
    """Return the lines of the picture, none wider than `width`; none without two epochs."""
    shown = monitor.removeprefix("val_")
    curves = {name: _find_lines(history, name) for name in dict.fromkeys(("loss", shown))}
    curves = {
        name: lines for name, lines in curves.items() if any(len(line.points) > 1 for line in lines)
    }
    side_by_side = len(curves) == 2 and width >= 2 * _PANEL + _GAP
    panel_width = (width - _GAP) // 2 if side_by_side else width
    if panel_width < _PANEL:
        return []
    panels: list[list[Text]] = []
    for name, lines in list(curves.items())[: 2 if side_by_side else 1]:
        drawn = _draw_panel(name, lines, best_epoch, panel_width, unicode=unicode)
        if not panels:  # one legend is enough
            drawn[0] = _add_legend(drawn[0], lines, panel_width, unicode=unicode)
        panels.append(drawn)
    joined = []
    for parts in zip(*panels, strict=True):
        line = Text(" " * _GAP).join(parts)
        line.rstrip()
        joined.append(line)
    return joined


def _find_lines(history: Sequence[Mapping[str, float]], name: str) -> list[_Line]:
    def points(column: str) -> Points:
        return [
            (row["epoch"], row[column])
            for row in history
            if math.isfinite(row.get(column, math.nan)) and "epoch" in row
        ]

    validation = _Line("validation", points(f"val_{name}"), "yellow", "o", dotted=False)
    dotted = bool(validation.points)  # alone it needs no telling apart
    training = _Line("training", points(name), "cyan", ".", dotted=dotted)
    return [line for line in (training, validation) if line.points]


def _draw_panel(
    name: str, lines: Sequence[_Line], best_epoch: int, width: int, *, unicode: bool
) -> list[Text]:
    """Return a panel's lines, each padded to `width`."""
    values = [value for line in lines for _, value in line.points]
    epochs = [epoch for line in lines for epoch, _ in line.points]
    low, high, first, last = min(values), max(values), min(epochs), max(epochs)
    logarithmic = low > 0 and high / low > _LOG_RATIO
    labels = {0: _short(high), _ROWS - 1: _short(low)}
    margin = max(len(label) for label in labels.values()) + 1
    columns = width - margin - 1
    cells = _Canvas(columns, _ROWS, unicode=unicode)
    # Validation last: where both meet, it is the one that is seen.
    for line in lines:
        cells.draw(line, (first, last), (low, high), logarithmic=logarithmic)
    title = Text(name, style="bold")
    if logarithmic:
        title.append(" (log)", style="dim")
    found = [title]
    bar, corner, across = ("│", "└", "─") if unicode else ("|", "+", "-")
    for row in range(_ROWS):
        head = Text(f"{labels.get(row, ''):>{margin - 1}} {bar}", style="dim")
        found.append(head.append_text(cells.row(row)))
    place = None
    if first <= best_epoch <= last:
        place = round(_share(best_epoch, first, last) * (columns - 1))
    axis = Text(" " * margin + corner + across * columns, style="dim")
    if place is not None:
        axis = Text(axis.plain[: margin + 1 + place], style="dim")
        axis.append("▲" if unicode else "^", style="bold green")
        axis.append(across * (columns - place - 1), style="dim")
    found.append(axis)
    found.append(_label_epochs(first, last, best_epoch, place, margin + 1, columns))
    for text in found:
        text.truncate(width, pad=True)
    return found


def _add_legend(title: Text, lines: Sequence[_Line], width: int, *, unicode: bool) -> Text:
    title.rstrip()
    for line in reversed(lines):
        mark = line.letter
        if unicode:
            mark = "⠂⠂" if line.dotted else "⠒⠒"
        title.append("  ").append(f"{mark} {line.name}", style=line.style)
    title.truncate(width, pad=True)
    return title


def _label_epochs(
    first: float, last: float, best_epoch: int, place: int | None, margin: int, columns: int
) -> Text:
    """Return the line below the axis: the first and the last epoch, and the best between them."""
    left, right = f"{first:g}", f"{last:g}"
    if place is None:
        left = f"epoch {left}"
    text = left + " " * (columns - len(left) - len(right)) + right
    if place is not None:
        best = f"best {best_epoch}"
        start = min(max(place - len(best) // 2, 0), columns - len(best))
        # An end that the word would touch is left out: the best epoch then is next to it.
        before = left if start > len(left) else ""
        after = right if start + len(best) < columns - len(right) else ""
        middle = " " * (start - len(before)) + best
        gap = columns - len(before) - len(middle) - len(after)
        text = before + middle + " " * gap + after
    return Text(" " * margin + text, style="dim")


class _Canvas:
    """Hold a grid of characters, drawn in dots (`unicode`) or in one letter a character."""

    def __init__(self, columns: int, rows: int, *, unicode: bool) -> None:
        self._columns, self._rows, self._unicode = columns, rows, unicode
        self._across, self._down = (2, 4) if unicode else (1, 1)
        self._cells: dict[tuple[int, int], tuple[int, str, str]] = {}

    def draw(
        self,
        line: _Line,
        epochs: tuple[float, float],
        values: tuple[float, float],
        *,
        logarithmic: bool,
    ) -> None:
        """Draw `line`, scaled so that `epochs` and `values` are the picture's ends."""
        scale = math.log if logarithmic else float
        low, high = (scale(value) for value in values)
        width, height = self._columns * self._across - 1, self._rows * self._down - 1
        places = [
            (
                round(_share(epoch, *epochs) * width),
                round((1 - _share(scale(value), low, high)) * height),
            )
            for epoch, value in line.points
        ]
        for number, (x, y) in enumerate(_walk(_thin(places))):
            if not (line.dotted and self._unicode and number % _DOTTED):
                self._set(x, y, line)

    def _set(self, x: int, y: int, line: _Line) -> None:
        place = (x // self._across, y // self._down)
        dots = self._cells.get(place, (0, "", ""))[0]
        dots |= _DOTS[x % 2][y % 4] if self._unicode else 0
        self._cells[place] = (dots, line.style, line.letter)

    def row(self, number: int) -> Text:
        """Return one line of the picture."""
        text = Text()
        for column in range(self._columns):
            dots, style, letter = self._cells.get((column, number), (0, "", " "))
            text.append(chr(0x2800 + dots) if dots else letter, style=style)
        return text


def _thin(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return of each column no more than its first, highest, lowest and last place, in order.

    Thousands of epochs share a column, and what is between those can't be seen.
    """
    by_column: dict[int, list[int]] = {}
    for x, y in places:
        by_column.setdefault(x, []).append(y)
    return [
        (x, y)
        for x, ys in by_column.items()
        for y in dict.fromkeys((ys[0], min(ys), max(ys), ys[-1]))
    ]


def _walk(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield every dot on the straight lines from each place to the next."""
    if places:
        yield places[0]
    for (x, y), (next_x, next_y) in itertools.pairwise(places):
        steps = max(abs(next_x - x), abs(next_y - y))
        for step in range(1, steps + 1):
            yield (
                x + round((next_x - x) * step / steps),
                y + round((next_y - y) * step / steps),
            )


def _share(value: float, low: float, high: float) -> float:
    """Return where `value` lies between `low` (0) and `high` (1); the middle if they are equal."""
    return (value - low) / (high - low) if high > low else 0.5


def _short(value: float) -> str:
    if value != 0 and not 1e-3 <= abs(value) < 1e4:
        return f"{value:.1e}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
