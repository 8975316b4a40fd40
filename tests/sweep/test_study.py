"""Does a study suggest the same whatever interrupts it, and know what of it is whole?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_runs import REGRESSION, change

from dltrain.config.load import LoadedConfig, load_config
from dltrain.errors import MachineError
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.study import SweepStudy

SPACE: dict[str, Any] = {
    "optimizer": {"choice": ["adam", {"type": "sgd", "momentum": 0.5}]},
    "optimizer.momentum": {"uniform": [0, 0.9], "when": {"optimizer.type": "sgd"}},
    "optimizer.learning_rate": {"log_uniform": [1e-4, 0.1]},
    "training.batch_size": {"int": [5, 20], "step": 5},
    "training.epochs": {"log_int": [1, 50]},
    "dataset.validation_split": {"uniform": [0.2, 0.4], "step": 0.1},
}


def load(folder: Path, **sweep: Any) -> LoadedConfig:
    folder.mkdir(exist_ok=True)
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(change(REGRESSION, sweep={"space": SPACE, **sweep})))
    return load_config(path)


def open_study(folder: Path, **sweep: Any) -> SweepStudy:
    loaded = load(folder, **sweep)
    assert loaded.sweep is not None
    study = SweepStudy(
        SweepPaths(folder), loaded.sweep, loaded.document, epochs=3, name="line", url=None
    )
    study.forget_half_made()
    return study


def judge(values: Any) -> tuple[float]:
    """Return what a trial with these values gives, in the place of a training."""
    return (abs(values["optimizer.learning_rate"] - 0.01) + values["training.batch_size"] / 1000,)


def take(study: SweepStudy, count: int) -> list[Any]:
    """Do so many trials; return their values."""
    taken = []
    for _ in range(count):
        number, point = study.begin_trial()
        study.finish(number, judge(point.values))
        taken.append((number, dict(point.values)))
    return taken


@pytest.mark.parametrize("method", ["random", "bayesian", "nsga2"])
def test_a_study_that_is_opened_again_suggests_what_it_would_have(
    tmp_path: Path, method: str
) -> None:
    whole = take(open_study(tmp_path / "whole", method=method), 16)
    torn = tmp_path / "torn"
    first = take(open_study(torn, method=method), 11)
    study = open_study(torn, method=method)
    study._study.ask()  # killed before its first value
    with (torn / "study.journal").open("ab") as journal:
        journal.write(b'{"op_code": 4, "wor')  # and in the midst of a line
    assert [*first, *take(open_study(torn, method=method), 5)] == whole
    other = take(open_study(tmp_path / "other", method=method, seed=9), 16)
    assert other != whole


def test_values_are_those_of_the_space_and_conditions_hold(tmp_path: Path) -> None:
    study = open_study(tmp_path, method="random")
    kinds = set()
    for _, values in take(study, 20):
        name = values["optimizer"] if isinstance(values["optimizer"], str) else "sgd"
        kinds.add(name)
        assert ("optimizer.momentum" in values) == (name == "sgd")
        assert values["training.batch_size"] in (5, 10, 15, 20)
        assert type(values["training.epochs"]) is int
        assert 1e-4 <= values["optimizer.learning_rate"] <= 0.1
    assert kinds == {"adam", "sgd"}


def test_a_trial_found_again_is_the_same_config(tmp_path: Path) -> None:
    number, point = open_study(tmp_path, method="random").begin_trial()
    study = open_study(tmp_path, method="random")
    assert [(each.number, each.state) for each in study.list_trials()] == [(number, "running")]
    again = study.restore(number)
    assert again.values == point.values
    assert again.document.data == point.document.data


def test_random_values_do_not_wait_for_results(tmp_path: Path) -> None:
    """So that they are the same with any number of workers."""
    in_turn = take(open_study(tmp_path / "one", method="random"), 6)
    study = open_study(tmp_path / "six", method="random")
    assert [
        (n, dict(point.values)) for n, point in (study.begin_trial() for _ in range(6))
    ] == in_turn


def test_a_grid_is_walked_whole_and_in_order(tmp_path: Path) -> None:
    space = {
        "optimizer": {"choice": ["adam", {"type": "sgd"}]},
        "optimizer.momentum": {"choice": [0.0, 0.9], "when": {"optimizer.type": "sgd"}},
        "training.batch_size": {"int": [5, 10], "step": 5},
    }
    study = open_study(tmp_path, method="grid", space=space)
    assert study.goal == 6
    taken = [study.begin_trial()[1].values for _ in range(6)]
    assert [tuple(values.values()) for values in taken] == [
        ("adam", 5),
        ("adam", 10),
        ({"type": "sgd"}, 0.0, 5),
        ({"type": "sgd"}, 0.0, 10),
        ({"type": "sgd"}, 0.9, 5),
        ({"type": "sgd"}, 0.9, 10),
    ]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "--storage is no database URL."),
        (
            "sqlite:////absent/folder/study.db",
            "--storage sqlite:////absent/folder/study.db doesn't answer: unable to open database "
            "file",
        ),
    ],
)
def test_a_storage_that_does_not_answer_is_told(tmp_path: Path, url: str, message: str) -> None:
    loaded = load(tmp_path)
    assert loaded.sweep is not None
    with pytest.raises(MachineError) as caught:
        SweepStudy(
            SweepPaths(tmp_path), loaded.sweep, loaded.document, epochs=3, name="line", url=url
        )
    assert caught.value.message == message
