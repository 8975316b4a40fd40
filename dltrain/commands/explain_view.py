"""What does a terminal show of explanations? What was explained, and how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from dltrain.explanation.draw import KINDS, METRICS
from dltrain.plots.explained_images import TITLES, format_gap
from dltrain.plots.style import clean, format_number, shorten

if TYPE_CHECKING:
    from dltrain.explanation.explained import Explanations

_WORDS = 4


def make_tables(found: Explanations) -> Iterator[Table | str]:
    """Yield a table of the rows, one of a table's columns, and one of the sanity test.

    Each with a line before and after it that says what it is.
    """
    if found.importances:
        metric, rows = METRICS[found.importance_metric], found.importance_rows
        yield f"{metric} {found.importance_score:.4f} on {rows:,} rows of {found.split} falls by"
        yield _make_importance_table(found)
    if found.rows:
        yield f"Explained is {KINDS[found.kind]}."
        yield _make_row_table(found)
        if any(row.completeness for row in found.rows):
            yield "gap: how far integrated gradients are from summing to the score's change"
    if any(row.words for row in found.rows):
        yield _make_word_table(found)
    if found.sanity:
        yield "Rank correlation with the trained model's, after shuffling the weights of"
        yield _make_sanity_table(found)
        yield "near 0: it shows the model. Near 1: it shows the input, whatever the model."


def _make_row_table(found: Explanations) -> Table:
    table = Table(box=None, pad_edge=False)
    is_class = found.task == "classification"
    for heading in ("row", "true", "predicted", *(("explained",) if is_class else ())):
        table.add_column(heading, overflow="fold")
    table.add_column("score", justify="right")
    with_gap = any(row.completeness for row in found.rows)
    if with_gap:
        table.add_column("gap", justify="right")
        table.add_column("steps", justify="right")
    for row in found.rows:
        names = [row.true, row.predicted, *((row.explained,) if is_class else ())]
        cells = [shorten(row.id, 24), *(shorten(name, 16) for name in names)]
        cells.append(format_number(row.score))
        if with_gap and row.completeness:
            gap = format_gap(row.completeness.gap)
            cells += [f"< {gap}" if row.completeness.gap < 1e-4 else gap]
            cells += [str(row.completeness.steps)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _make_word_table(found: Explanations) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("row")
    table.add_column("strongest words, each with all its places")
    for row in found.rows:
        sums: dict[str, float] = {}
        for word, _, value in row.words:
            key = clean(word).lower()
            sums[key] = sums.get(key, 0.0) + value
        strongest = sorted(sums.items(), key=lambda each: -abs(each[1]))[:_WORDS]
        said = ", ".join(f"{shorten(word, 16)} {value:+.2f}" for word, value in strongest)
        table.add_row(Text(shorten(row.id, 24)), Text(said))
    return table


def _make_importance_table(found: Explanations) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("shuffled")
    table.add_column("mean", justify="right")
    table.add_column("±", justify="right")
    for each in found.importances[:20]:
        cells = (shorten(each.column, 40), f"{each.mean:.4f}", f"{each.deviation:.4f}")
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _make_sanity_table(found: Explanations) -> Table:
    methods = list(found.sanity[0].correlations)
    table = Table(box=None, pad_edge=False)
    table.add_column("layers from the last to")
    for method in methods:
        table.add_column(TITLES[method], justify="right")
    for each in found.sanity:
        values = [f"{each.correlations[method]:+.2f}" for method in methods]
        table.add_row(Text(shorten(each.layer, 30)), *values)
    return table
