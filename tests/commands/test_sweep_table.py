"""Does what is printed of a sweep fit the terminal, and is it whole in a pipe?"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from tiny_runs import Result

from dltrain.commands.sweep_table import make_finalist_table, make_trial_table
from dltrain.runs.atomic import write_json
from dltrain.runs.sweeps import SweepPaths

Cli = Callable[..., Result]


def make_row(trial: int, result: float | None, **changes: Any) -> dict[str, Any]:
    row = {
        "trial": trial,
        "run": f"{trial:04d}",
        "at": None,
        "state": "failed" if result is None else "finished",
        "reason": "The loss became inf." if result is None else "",
        "values": {
            "optimizer": {"type": "sgd", "momentum": 0.9},
            "model.layers[0].units": 64,
            "model.layers[2].units": 2**trial,
        },
        "results": None if result is None else [result],
        "epochs": 3,
    }
    return {**row, **changes}


def make_finalist(trial: int, *results: float) -> dict[str, Any]:
    runs = [
        {"seed": 4 + place, "run": "", "state": "finished", "reason": "", "results": [result]}
        for place, result in enumerate(results)
    ]
    mean = sum(results) / len(results)
    return {"trial": trial, "runs": runs, "mean": [mean], "std": [0.01]}


DOCUMENT: dict[str, Any] = {
    "format": 1,
    "goal": 3,
    "state": "finished",
    "reason": "",
    "metric": ["val_loss"],
    "direction": ["minimize"],
    "trials": [make_row(1, 0.25), make_row(2, None), make_row(3, 0.125)],
    "best": 1,
    "front": [3],
    "test": {"metric": "r2", "value": 0.5},
    "retrained": {
        "top": 2,
        "seeds": [4, 5],
        "trials": [make_finalist(3, 0.3, 0.5), make_finalist(1, 0.1, 0.3)],
        "winner": 1,
    },
}


def draw(table: Table, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table)
    written: Any = console.file
    return [line.rstrip() for line in written.getvalue().splitlines()]


def test_where_there_is_room_each_value_has_a_column() -> None:
    assert draw(make_trial_table(DOCUMENT, width=90), 90) == [
        "trial  state     val_loss  epochs  optimizer          layers[0].units  layers[2].units",
        "    3  finished    0.1250       3  sgd(momentum=0.9)  64               8",
        "    1  finished    0.2500       3  sgd(momentum=0.9)  64               2",
        "    2  failed                   3  sgd(momentum=0.9)  64               4",
    ]


def test_where_there_is_none_the_values_share_a_column() -> None:
    assert draw(make_trial_table(DOCUMENT, width=80), 80) == [
        "trial  state     val_loss  epochs  values",
        "    3  finished    0.1250       3  optimizer=sgd(momentum=0.9),",
        "                                   layers[0].units=64, layers[2].units=8",
        "    1  finished    0.2500       3  optimizer=sgd(momentum=0.9),",
        "                                   layers[0].units=64, layers[2].units=2",
        "    2  failed                   3  optimizer=sgd(momentum=0.9),",
        "                                   layers[0].units=64, layers[2].units=4",
    ]


def test_the_best_mean_stands_first_and_its_runs_where_there_is_room() -> None:
    assert draw(make_finalist_table(DOCUMENT, width=80), 80) == [
        "trial    val_loss ± sd  in the search  seed 4  seed 5",
        "    1  0.2000 ± 0.0100         0.2500  0.1000  0.3000",
        "    3  0.4000 ± 0.0100         0.1250  0.3000  0.5000",
    ]
    assert draw(make_finalist_table(DOCUMENT, width=50), 50)[0] == (
        "trial    val_loss ± sd  in the search"
    )


@pytest.fixture
def sweep(workplace: Path) -> SweepPaths:
    paths = SweepPaths(workplace / "runs/line/sweep-0001")
    paths.root.mkdir(parents=True)
    return paths


def test_show_ends_with_the_best_and_where_things_are(dltrain: Cli, sweep: SweepPaths) -> None:
    write_json(sweep.record, DOCUMENT)
    sweep.report.touch()
    shown = dltrain("sweep", "show", "line")
    assert shown.code == 0, shown.err
    assert shown.out.splitlines()[-5:] == [
        "",
        "runs/line/sweep-0001: 3 of 3 trials (2 finished, 1 failed)",
        "best: trial 1, val_loss 0.2000 ± 0.0100 over 2 other seeds; test r2 0.5000",
        "train it again: dltrain fit runs/line/sweep-0001/best.yaml",
        "its plots: runs/line/sweep-0001/report.html",
    ]
    assert "\ntrial 2 failed: The loss became inf.\n" in shown.out


def test_show_says_of_two_objectives_what_is_not_beaten(dltrain: Cli, sweep: SweepPaths) -> None:
    rows = [make_row(1, 0.25, results=[0.25, 0.5]), make_row(2, 0.5, results=[0.5, 0.25])]
    document = {**DOCUMENT, "trials": rows, "front": [1, 2], "retrained": None}
    document |= {"metric": ["val_loss", "val_mae"], "direction": ["minimize", "minimize"]}
    write_json(sweep.record, document)
    lines = dltrain("sweep", "show", "line").out.splitlines()
    assert lines[-3:-1] == [
        "best: trial 1, val_loss 0.2500, val_mae 0.5000; test r2 0.5000",
        "not beaten in every objective: trials 1, 2",
    ]


def test_show_reads_a_record_from_before_there_were_other_machines_and_seeds(
    dltrain: Cli, sweep: SweepPaths
) -> None:
    old = {key: value for key, value in DOCUMENT.items() if key != "retrained"}
    old["trials"] = [{k: v for k, v in row.items() if k != "at"} for row in DOCUMENT["trials"]]
    write_json(sweep.record, {**old, "best": 3})
    shown = dltrain("sweep", "show", "line")
    assert "best: trial 3, val_loss 0.1250; test r2 0.5000\n" in shown.out


def test_in_a_pipe_a_row_is_one_line_however_long(dltrain: Cli, sweep: SweepPaths) -> None:
    values = {f"model.layers[{place}].units": 10**place for place in range(20)}
    write_json(
        sweep.record, {**DOCUMENT, "trials": [make_row(1, 0.25, values=values)], "retrained": None}
    )
    lines = dltrain("sweep", "show", "line").out.splitlines()
    assert len(lines) == 5
    assert lines[1].split()[-1] == str(10**19)
