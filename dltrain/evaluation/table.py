"""How are a split's numbers laid out for a person?

What is returned here fits 80 columns and is printed by the commands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from dltrain.evaluation.requirements import RequirementResult, format_got
from dltrain.evaluation.shown_metrics import METRICS, format_value, look_up

WIDTH = 80

# Words that a class name may take in the confusion matrix.
_NAME_WIDTH = 14

# Says what the matrix's rows and columns are.
_CORNER = "true | predicted"

# How many confusions are listed when the matrix is too wide.
_LONGEST_LIST = 15


def make_results_table(
    scores: Mapping[str, Any], *, split: str, baseline: Mapping[str, Any] | None = None
) -> Table:
    """Return metric, value, 95% interval and the baseline's value of one split.

    `scores` is what `score_classification` or `score_regression` returned; `baseline` defaults to
    `scores["baseline"]`, where metrics.json has it.
    """
    beside = baseline if baseline is not None else scores.get("baseline")
    table = make_plain_table(title=f"{split}: {scores['rows']:,} rows")
    table.add_column("metric", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95% interval", no_wrap=True)
    if beside is not None:
        table.add_column(f"baseline\n({_name_baseline(beside)})", justify="right")
    for label, path in METRICS.items():
        number = look_up(scores, path)
        if number is None:
            continue
        bold = path[0] == scores["headline"]
        cells = [Text(label, style="bold" if bold else "")]
        cells.append(Text(format_value(number["value"]), style="bold" if bold else ""))
        cells.append(Text(format_interval(number)))
        if beside is not None:
            constant = look_up(beside, path)
            cells.append(Text("" if constant is None else format_value(constant["value"])))
        table.add_row(*cells)
    if "binary" in scores:
        table.caption = f"binary: of the class '{scores['binary']['positive_class']}'"
        table.caption_justify = "left"
    return table


def make_repeats_table(scores: Mapping[str, Any], *, split: str, repeats: int) -> Table:
    """Return metric, mean ± standard deviation over `repeats`, range and the baseline's mean.

    `scores` is what repeats.json has of a split.
    """
    rows = f"{scores['rows']:,} rows, " if "rows" in scores else ""
    table = make_plain_table(title=f"{split}: {rows}{repeats} repeats")
    table.add_column("metric", no_wrap=True)
    table.add_column("mean ± std", no_wrap=True)
    table.add_column("lowest to highest", no_wrap=True)
    beside = scores.get("baseline")
    if beside is not None:
        table.add_column(f"baseline\n({_name_baseline(beside)})", justify="right")
    for label, path in METRICS.items():
        number = look_up(scores, path)
        if number is None:
            continue
        style = "bold" if path[0] == scores["headline"] else ""
        mean, reach = format_value(number["mean"]), "-"
        if number["mean"] is not None:
            reach = f"{format_value(number['min'])} to {format_value(number['max'])}"
            mean += "" if number["std"] is None else f" ± {format_value(number['std'])}"
        cells = [Text(label, style=style), Text(mean, style=style), Text(reach)]
        if beside is not None:
            constant = look_up(beside, path)
            cells.append(Text("" if constant is None else format_value(constant["mean"])))
        table.add_row(*cells)
    return table


def make_class_table(scores: Mapping[str, Any]) -> Table:
    """Return precision, recall, F1, AUC-ROC and rows of each class."""
    table = make_plain_table(title="classes")
    table.add_column("class", overflow="fold")
    for name in ("precision", "recall", "F1", "AUC-ROC", "rows"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in scores["per_class"]:
        values = [format_value(row[name]) for name in ("precision", "recall", "f1", "auc_roc")]
        table.add_row(Text(row["class"]), *values, f"{row['support']:,}")
    return table


def make_confusion_table(scores: Mapping[str, Any]) -> Table:
    """Return the confusion matrix, or the most frequent confusions where it is too wide."""
    names, matrix = scores["classes"], scores["confusion_matrix"]
    labels = [f"{index} {_shorten(name)}" for index, name in enumerate(names)]
    label_width = max(len(label) for label in (*labels, _CORNER))
    cell_width = max(len(str(count)) for row in matrix for count in (*row, len(names) - 1))
    if label_width + len(names) * (cell_width + 2) > WIDTH:
        return _make_confusion_list(names, matrix)
    table = make_plain_table(title="confusion matrix")
    table.add_column(_CORNER, no_wrap=True)
    for index in range(len(names)):
        table.add_column(str(index), justify="right", no_wrap=True)
    for index, (label, row) in enumerate(zip(labels, matrix, strict=True)):
        cells = [
            # Where a zero is a dot, the eye finds the confusions.
            Text(str(count) if count else ".", style="bold" if column == index else "")
            for column, count in enumerate(row)
        ]
        table.add_row(Text(label), *cells)
    return table


def make_requirements_table(results: Sequence[RequirementResult]) -> Table:
    """Return what was wanted of each `--require`, and what was got."""
    table = make_plain_table(title="requirements")
    table.add_column("number", overflow="fold")
    table.add_column("wanted", no_wrap=True)
    table.add_column("got", justify="right", no_wrap=True)
    table.add_column("met", no_wrap=True)
    for result in results:
        one = result.requirement
        style = "" if result.met else "bold"
        cells = (one.name, f"{one.comparison} {one.wanted}", format_got(result))
        table.add_row(
            *(Text(cell, style=style) for cell in cells),
            Text("yes", style="green") if result.met else Text("no", style="bold red"),
        )
    return table


def _make_confusion_list(names: list[str], matrix: list[list[int]]) -> Table:
    pairs = [
        (count, true, predicted)
        for true, row in enumerate(matrix)
        for predicted, count in enumerate(row)
        if count and true != predicted
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    table = make_plain_table(title="most frequent confusions")
    table.add_column("true", overflow="fold")
    table.add_column("predicted", overflow="fold")
    table.add_column("rows", justify="right", no_wrap=True)
    for count, true, predicted in pairs[:_LONGEST_LIST]:
        table.add_row(Text(names[true]), Text(names[predicted]), f"{count:,}")
    return table


def make_plain_table(*, title: str) -> Table:
    """Return a table without columns, in the style of all that are printed."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def _name_baseline(baseline: Mapping[str, Any]) -> str:
    return "majority" if baseline["kind"] == "majority class" else "mean"


def format_interval(number: Mapping[str, Any]) -> str:
    """Return `LOW to HIGH`, or a dash where there is no interval."""
    if number.get("low") is None or number.get("high") is None:
        return "-"
    return f"{format_value(number['low'])} to {format_value(number['high'])}"


def _shorten(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "~"
