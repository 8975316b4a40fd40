"""Which config would suit a CSV file? Its target, what to leave out, a dense network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.csv_columns import MOST_CATEGORIES, Column, CsvScan, read_rows, scan_csv
from dltrain.config.csv_facts import describe_csv_columns, guess_task
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
    write_output,
    write_training,
)
from dltrain.errors import DataError

_TARGET_NAMES = ("target", "label", "class", "y")
_COUNTER_NAMES = ("id", "index", "idx", "row", "unnamed: 0", "column 1")
# A text column of which more than this share of the rows differ names rows, and tells nothing.
_NAMES_SHARE = 0.5
_FEW_TEXTS = 20


def propose_table(path: Path) -> Proposal:
    """Propose a config for a CSV file. Raises DataError if it can't be trained on."""
    scan = scan_csv(path)
    target, why = _choose_target(scan)
    ignored = {
        column.name: reason
        for column in scan.columns
        if column is not target and (reason := _find_reason_to_ignore(column, scan.rows))
    }
    info = describe_csv_columns(scan, target, task=guess_task(target), ignore=[*ignored])
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
    dataset += [
        f"validation_split: {validation} # share of the training rows that says when to stop",
        f"test_split: {TEST_SPLIT} # share of the rows kept for the last word",
        "normalize: standard # each feature to mean 0 and deviation 1, by the training rows",
    ]
    what = f"one of {len(classes)} classes" if classes else "a number"
    return Proposal(
        title=f"A dense network for {say(path.name)}: predicts {say(target.name)}, {what}",
        type="csv",
        seen=tuple(_describe(scan, target, ignored, info, classes)),
        dataset=tuple(dataset),
        layers=_choose_layers(scan, target, info),
        loss=write_loss(len(classes)),
        training=write_training(round(left * (1 - validation)), epochs=100, patience=10),
    )


def _choose_target(scan: CsvScan) -> tuple[Column, str]:
    for wanted in _TARGET_NAMES:
        for column in scan.columns:
            if column.name.lower() == wanted:
                return column, "the column of that name; any other can be predicted"
    return scan.columns[-1], "the last column; any other can be predicted"


def _find_reason_to_ignore(column: Column, rows: int) -> str:
    """Return why a column should be left out; empty if it should not."""
    if column.values == {}:
        return "empty in every row"
    different = math.inf if column.values is None else len(column.values)
    if column.numeric:
        is_counter = column.whole and column.name.lower() in _COUNTER_NAMES
        return "counts the rows" if is_counter and different >= min(rows, MOST_CATEGORIES) else ""
    if different > max(_FEW_TEXTS, _NAMES_SHARE * rows) or column.values is None:
        return "a text of its own in most rows"
    return ""


def _explain_task(target: Column, info: DatasetInfo) -> str:
    if not info.class_names:
        return "the target is a number; classification would take each for a class"
    if not target.numeric:
        return "the target is text"
    return "the target is few different numbers; try: regression (one unit, mse, [mae, r2])"


def _describe(
    scan: CsvScan,
    target: Column,
    ignored: dict[str, str],
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
        elif column.numeric:
            said = f"numbers{missing}"
            if column.values is not None and len(column.values) == 1:
                said += ", the same in every row"
        else:
            said = f"{count(len(column.values or ()), 'category').replace('ys', 'ies')}{missing}"
        lines.append(f"  {say(column.name)}: {said}")
    if classes:
        lines += [f"{len(classes)} classes, with their rows:", *describe_classes(classes)]
    return lines


def _choose_layers(scan: CsvScan, target: Column, info: DatasetInfo) -> tuple[str, ...]:
    units = 32 if scan.rows < 1_000 else 64 if scan.rows < 20_000 else 128
    layers = [
        f"{{type: dense, units: {units}, activation: relu}} # try: more units, another layer",
        "{type: dropout, rate: 0.2} # against overfitting; try: 0, 0.5",
        f"{{type: dense, units: {units // 2}, activation: relu}}",
        write_output(len(info.class_names)),
    ]
    if not info.class_names:
        mean, deviation = _measure_target(scan, target)
        layers.append(
            f"{{type: rescaling, scale: {deviation:.4g}, offset: {mean:.4g}}} # to the mean and "
            "deviation of the target"
        )
    return tuple(layers)


def _measure_target(scan: CsvScan, target: Column) -> tuple[float, float]:
    at = scan.columns.index(target)
    values: Sequence[float] = [float(row[at]) for _, row in read_rows(scan.path)]
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return mean, deviation or 1.0
