"""Which runs count as choices made on the same test rows?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dltrain.runs.layout import RunPaths
from dltrain.runs.repeats import write_repeats
from dltrain.runs.status import DataKind, begin_status, write_status
from dltrain.runs.test_uses import count_test_uses

NOTE = (
    "The test rows of mnist have now been scored for 2 different configs of cnn: choose between "
    "them on validation."
)


def make_run(root: Path, seed: int = 1, *, data: DataKind = "real", **fingerprint: Any) -> RunPaths:
    paths = RunPaths(root)
    root.mkdir(parents=True)
    paths.config.write_text(f"name: cnn\nseed: {seed}\n")
    dataset = {"name": "mnist", "checksum": "abc", "origin": "1.0", **fingerprint}
    rows = {"train": 9, "test": 3}
    paths.environment.write_text(json.dumps({"format": 1, "dataset": dataset, "rows": rows}))
    write_status(paths.status, begin_status(epochs_goal=1, data=data).end("finished"))
    paths.metrics.write_text("{}")
    return paths


def count(paths: RunPaths) -> int:
    uses = count_test_uses(paths)
    assert uses is not None
    return uses.configs


def test_another_config_counts_and_the_same_one_again_does_not(tmp_path: Path) -> None:
    one = make_run(tmp_path / "cnn/0001")
    make_run(tmp_path / "cnn/0002", origin="2.0")
    uses = count_test_uses(one)
    assert uses is not None
    assert (uses.configs, uses.sentence) == (1, "")
    make_run(tmp_path / "cnn/0003", seed=2)
    uses = count_test_uses(one)
    assert uses is not None
    assert uses.sentence == NOTE


def test_other_data_other_names_and_smoke_runs_do_not_count(tmp_path: Path) -> None:
    one = make_run(tmp_path / "cnn/0001")
    make_run(tmp_path / "cnn/0002", seed=2, checksum="other")
    make_run(tmp_path / "cnn/0003", seed=3, data="subset")
    other = make_run(tmp_path / "cnn/0004", seed=4)
    other.config.write_text("name: mlp\nseed: 4\n")
    make_run(tmp_path / "cnn/0005", seed=5).metrics.unlink()
    make_run(tmp_path / "cnn/0006", seed=6).environment.write_text("{")
    assert count(one) == 1
    assert count_test_uses(RunPaths(tmp_path / "cnn/0003")) is None
    assert count_test_uses(RunPaths(tmp_path / "cnn/0005")) is None
    (tmp_path / "cnn/0005/evaluation-test.json").write_text("{}")
    assert count(one) == 2


def test_repeats_are_one_choice_seen_from_outside_and_from_within(tmp_path: Path) -> None:
    whole = RunPaths(tmp_path / "cnn/0001")
    for number in (1, 2, 3):
        make_run(whole.repeat(number).root, seed=number)
    write_repeats(whole, goal=3, seed=1)
    whole.config.write_text("name: cnn\nseed: 1\n")
    assert count(whole) == 1
    assert count(whole.repeat(3)) == 1
    single = make_run(tmp_path / "cnn/0002", seed=1)
    assert count(single) == 1
    make_run(tmp_path / "cnn/0003", seed=9)
    assert [count(paths) for paths in (whole, whole.repeat(2), single)] == [2, 2, 2]
