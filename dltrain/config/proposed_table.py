"""Which config would suit a table? Its target, what to leave out, a dense network."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.own_table import plan_table
from dltrain.config.proposed_layers import write_dense_network
from dltrain.config.proposed_text import (
    LEAST_ROWS,
    TEST_SPLIT,
    Proposal,
    check_class_counts,
    choose_validation_split,
    count,
    describe_classes,
    quote,
    say,
    write_loss,
    write_training,
)
from dltrain.config.table_columns import MOST_CATEGORIES, Column, TableScan, scan_table
from dltrain.config.table_facts import TEXT_WORDS
from dltrain.config.table_files import Source, TableKind
from dltrain.config.words import find_words
from dltrain.errors import DataError

_TARGET_NAMES = ("target", "label", "class", "y")
_COUNTER_NAMES = ("id", "index", "idx", "row", "unnamed: 0", "column 1")
# A text column of which more than this share of the rows differ names rows, and tells nothing.
_NAMES_SHARE = 0.5
_FEW_TEXTS = 20
# Texts of fewer words are names or codes, even if no two are the same.
_LEAST_WORDS = 3
_SAMPLED_TEXTS = 500


def propose_table(path: Path, kind: TableKind) -> Proposal:
    """Propose a config for a table. Raises DataError if it can't be trained on."""
    scan = scan_table(Source(path, kind))
    target, why = _choose_target(scan)
    texts = _find_texts(scan, target)
    ignored = {
        column.name: reason
        for column in scan.columns
        if column is not target
        and column.name not in texts
        and (reason := _find_reason_to_ignore(column, scan.rows))
    }
    section = {"type": kind, "path": path, "target": target.name, "ignore": [*ignored]}
    info = plan_table({**section, "columns": dict.fromkeys(texts, "text")}).info
    classes = dict(zip(info.class_names, info.class_counts, strict=True))
    check_class_counts(str(path), classes)
    if scan.rows < LEAST_ROWS:
        raise DataError(
            f"{path} has {count(scan.rows, 'row')}; expected at least {LEAST_ROWS}, for training, "
            "validation and test rows."
        )
    left = round(scan.rows * (1 - TEST_SPLIT))
    rarest = min(classes.values()) * (1 - TEST_SPLIT) if classes else left
    validation = choose_validation_split(left, int(rarest))
    dataset = [f"target: {quote(target.name)} # {why}"]
    dataset.append(f"task: {info.task} # {_explain_task(target, info)}")
    if ignored:
        dataset.append(f"ignore: [{', '.join(quote(name) for name in ignored)}]")
    if texts:
        dataset.append(
            f"columns: {{{', '.join(f'{quote(name)}: text' for name in texts)}}} # a feature for "
            f"each of the {TEXT_WORDS} most frequent words"
        )
    dataset += [
        f"validation_split: {validation} # share of the training rows that says when to stop",
        f"test_split: {TEST_SPLIT} # share of the rows kept for the last word",
        "normalize: standard # each feature to mean 0 and deviation 1, by the training rows",
    ]
    what = f"one of {len(classes)} classes" if classes else "a number"
    return Proposal(
        title=f"A dense network for {say(path.name)}: predicts {say(target.name)}, {what}",
        type=kind,
        seen=tuple(_describe(scan, target, ignored, texts, info, classes)),
        dataset=tuple(dataset),
        layers=_choose_layers(scan, target, info),
        loss=write_loss(len(classes)),
        training=write_training(round(left * (1 - validation)), epochs=100, patience=10),
    )


def _choose_target(scan: TableScan) -> tuple[Column, str]:
    for wanted in _TARGET_NAMES:
        for column in scan.columns:
            if column.name.lower() == wanted:
                return column, "the column of that name; any other can be predicted"
    return scan.columns[-1], "the last column; any other can be predicted"


def _find_reason_to_ignore(column: Column, rows: int) -> str:
    """Return why a column should be left out; empty if it should not."""
    if column.unusable:
        return f"holds {column.unusable}"
    if column.empty:
        return "empty in every row"
    if column.constant:
        return "the same in every row"
    different = _count_different(column)
    if column.numeric:
        is_counter = column.whole and column.name.lower() in _COUNTER_NAMES
        return "counts the rows" if is_counter and different >= min(rows, MOST_CATEGORIES) else ""
    if column.kind == "datetime":
        return ""
    if different > max(_FEW_TEXTS, _NAMES_SHARE * rows):
        return "a text of its own in most rows"
    return ""


def _find_texts(scan: TableScan, target: Column) -> list[str]:
    """Return the columns whose values are mostly texts of their own, and of several words."""
    columns = [
        (at, column)
        for at, column in enumerate(scan.columns)
        if column is not target
        and column.kind in ("category", "text")
        and not column.unusable
        and _count_different(column) > max(_FEW_TEXTS, _NAMES_SHARE * scan.rows)
    ]
    sample = [values for _, values in islice(scan.read_rows(), _SAMPLED_TEXTS)] if columns else []
    return [
        column.name
        for at, column in columns
        if statistics.median_low([len(find_words(values[at])) for values in sample]) >= _LEAST_WORDS
    ]


def _count_different(column: Column) -> float:
    return math.inf if column.values is None else len(column.values)


def _explain_task(target: Column, info: DatasetInfo) -> str:
    if not info.class_names:
        return "the target is a number; classification would take each for a class"
    if not target.numeric:
        return "the target is text"
    return "the target is few different numbers; try: regression (one unit, mse, [mae, r2])"


def _describe(
    scan: TableScan,
    target: Column,
    ignored: dict[str, str],
    texts: list[str],
    info: DatasetInfo,
    classes: dict[str, int],
) -> list[str]:
    lines = [
        f"{count(scan.rows, 'row')}, {count(len(scan.columns), 'column')}, which make "
        f"{count(len(info.features), 'feature')}:"
    ]
    for column in scan.columns:
        missing = f", {column.missing:,} missing" if column.missing else ""
        if column is target:
            said = "the target"
        elif column.name in ignored:
            said = f"ignored: {ignored[column.name]}"
        elif column.name in texts:
            said = f"texts{missing}"
        elif column.kind == "datetime":
            said = f"{'dates with times' if column.has_time else 'dates'}{missing}"
        elif column.numeric:
            said = f"numbers{missing}"
        else:
            said = f"{count(len(column.values or ()), 'category').replace('ys', 'ies')}{missing}"
        lines.append(f"  {say(column.name)}: {said}")
    if classes:
        lines += [f"{len(classes)} classes, with their rows:", *describe_classes(classes)]
    return lines


def _choose_layers(scan: TableScan, target: Column, info: DatasetInfo) -> tuple[str, ...]:
    classes = len(info.class_names)
    scale = None if classes else _measure_target(scan, target)
    return write_dense_network(scan.rows, classes, target=scale)


def _measure_target(scan: TableScan, target: Column) -> tuple[float, float]:
    at = scan.columns.index(target)
    values: Sequence[float] = [float(row[at]) for _, row in scan.read_rows()]
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return mean, deviation or 1.0
