"""Does `dltrain smoke` try every config, tell each one's fate, and exit with the right code?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_runs import REGRESSION, Result, change

Cli = Callable[..., Result]


@pytest.fixture
def write(workplace: Path) -> Callable[..., Path]:
    """Return a function that writes a config into configs/ under a name."""

    def write(name: str, **changes: Any) -> Path:
        path = workplace / "configs" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(change(REGRESSION, **changes), sort_keys=False))
        return Path("configs") / path.name

    return write


def test_a_failure_does_not_keep_the_others_from_being_tried(
    dltrain: Cli, write: Callable[..., Path]
) -> None:
    write("a_works")
    write("b_explodes", optimizer__learning_rate=1e30)
    write("c_is_wrong", optimizer__learning_rat=1)
    write("d_works", training__batch_size=5)
    result = dltrain("smoke", "configs")
    lines = result.out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["ok", "configs/a_works.yaml"],
        ["failed", "configs/b_explodes.yaml"],
        ["failed", "configs/c_is_wrong.yaml"],
        ["ok", "configs/d_works.yaml"],
    ]
    assert lines[0].endswith(
        " s  subset; batch size 9 instead of 10; trained 10 steps; evaluated validation and test; "
        "loaded again, equal; resumed in epoch 2 after step 2, equal"
    )
    assert "batch size 5;" in lines[3]
    assert result.code == 4  # of the first failure
    assert "adam has no argument" in result.err or "learning_rat" in result.err
    assert result.err.endswith(
        "error: 2 of 4 configs failed: configs/b_explodes.yaml, configs/c_is_wrong.yaml.\n"
    )
    assert not Path("runs").exists()


def test_json_has_every_config_with_the_same_keys(dltrain: Cli, write: Callable[..., Path]) -> None:
    good, wrong = write("good"), write("wrong", loss="cross_entropi")
    result = dltrain("smoke", good, wrong, "--json", "--runs-dir", "kept")
    assert result.code == 2
    document = result.json
    assert (document["smoke"], document["passed"]) == (True, False)
    first, second = document["configs"]
    assert first.keys() == second.keys()
    assert (first["config"], first["passed"], first["exit_code"]) == (str(good), True, 0)
    assert (first["batch_size"], first["configured_batch_size"]) == (9, 10)
    assert first["data"] == "subset"
    assert first["data_label"] == "a subset of synthetic_regression, 64 rows before splitting"
    assert (second["passed"], second["exit_code"]) == (False, 2)
    assert f"{wrong}:" in second["error"]
    assert first["run"] == "kept/line/0001"
    assert json.loads(Path("kept/line/0001/status.json").read_text())["data"] == "subset"


def test_quiet_prints_what_fails_only(dltrain: Cli, write: Callable[..., Path]) -> None:
    assert dltrain("smoke", write("good"), "--quiet") == Result(0, "", "")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("absent", "error: There is no file or folder absent.\n"),
        ("empty", "error: empty holds no .yaml file.\n"),
    ],
)
def test_a_path_without_configs_is_refused(
    dltrain: Cli, workplace: Path, path: str, message: str
) -> None:
    (workplace / "empty").mkdir()
    assert dltrain("smoke", path) == Result(2, "", message)


def test_a_defect_is_told_and_the_next_config_is_tried(
    dltrain: Cli, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dltrain.training import smoke

    run_smoke = smoke.run_smoke

    def fail_once(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(smoke, "run_smoke", run_smoke)
        raise ZeroDivisionError("made by a test")

    monkeypatch.setattr(smoke, "run_smoke", fail_once)
    result = dltrain("smoke", write("first"), write("second"))
    assert result.code == 1
    assert "ZeroDivisionError: made by a test" in result.err
    assert [line.split()[0] for line in result.out.splitlines()] == ["failed", "ok"]
