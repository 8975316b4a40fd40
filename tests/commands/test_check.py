"""Does `dltrain check` tell every problem at once, for people and as JSON?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tiny_runs import CONFIG, Result

Check = Callable[..., Result]
WriteConfig = Callable[..., Path]

WRONG = """\
name: wrong
dataset: {name: digit}
model:
  layers:
    - flatten
    - {type: dens, units: 16}
    - {type: dense, unit: 10}
optimizer: {type: adam, learning_rate: fast}
"""


def test_a_right_config_gets_one_line(dltrain: Check, write_config: WriteConfig) -> None:
    path = write_config()
    result = dltrain("check", path)
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        f"{path} is right: 4 layers for digits, loss sparse_categorical_crossentropy, "
        "optimizer adam.\n"
    )


def test_the_resolved_config_is_right_and_resolves_to_itself(
    dltrain: Check, write_config: WriteConfig
) -> None:
    first = dltrain("check", write_config(), "--resolved")
    assert first.code == 0, first.err
    assert "test_split: 0.2" in first.out
    Path("resolved.yaml").write_text(first.out, encoding="utf-8")
    assert dltrain("check", "resolved.yaml", "--resolved").out == first.out


def test_every_problem_of_a_wrong_config_is_told_at_once(dltrain: Check, workplace: Path) -> None:
    Path("wrong.yaml").write_text(WRONG)
    result = dltrain("check", "wrong.yaml")
    assert result.code == 2
    assert result.out == ""
    assert result.err == (
        "wrong.yaml:2:17  dataset.name\n"
        "  there is no dataset 'digit'. Did you mean 'digits'?\n"
        "wrong.yaml:6:14  model.layers[1].type\n"
        "  there is no layer 'dens'. Did you mean 'dense'?\n"
        "wrong.yaml:7:21  model.layers[2].unit\n"
        "  dense has no argument 'unit'. Did you mean 'units'?\n"
        "wrong.yaml:8:40  optimizer.learning_rate\n"
        "  expected a number > 0 or a schedule with type:, received the text 'fast'.\n"
        "4 problems in the config.\n"
    )


def test_problems_as_json_are_one_document_and_exit_2(dltrain: Check, workplace: Path) -> None:
    Path("wrong.yaml").write_text(WRONG)
    result = dltrain("check", "wrong.yaml", "--json")
    assert (result.code, result.err) == (2, "")
    document = result.json
    assert document["valid"] is False
    assert document["config"] is None
    assert document["warnings"] == []
    assert len(document["problems"]) == 4
    assert document["problems"][1] == {
        "file": "wrong.yaml",
        "line": 6,
        "column": 14,
        "key": "model.layers[1].type",
        "message": "there is no layer 'dens'.",
        "hint": "Did you mean 'dense'?",
        "expected": "the name of a layer",
        "received": "'dens'",
        "suggestion": "dense",
    }


def test_a_problem_of_a_flag_has_the_flag_and_no_line(
    dltrain: Check, write_config: WriteConfig
) -> None:
    result = dltrain("check", write_config(), "--json", "--set", "training.epochs=0")
    assert result.code == 2
    (problem,) = result.json["problems"]
    assert problem["file"] == "--set training.epochs=0"
    assert (problem["line"], problem["column"]) == (None, None)
    assert problem["message"] == "expected a number >= 1, received the number 0."


def test_a_missing_file_is_a_problem_in_json_too(dltrain: Check, workplace: Path) -> None:
    result = dltrain("check", "absent.yaml", "--json")
    assert (result.code, result.err) == (2, "")
    assert result.json["valid"] is False
    assert [problem["message"] for problem in result.json["problems"]] == [
        "absent.yaml doesn't exist."
    ]


def test_a_right_config_as_json_carries_the_resolved_config(
    dltrain: Check, write_config: WriteConfig
) -> None:
    result = dltrain("check", write_config(), "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["valid"] is True
    assert result.json["problems"] == []
    assert result.json["config"]["training"]["batch_size"] == 64


def test_a_warning_is_no_problem(dltrain: Check, write_config: WriteConfig) -> None:
    config = write_config(
        CONFIG, loss={"type": "sparse_categorical_crossentropy", "from_logits": False}
    )
    result = dltrain("check", config)
    assert result.code == 0, result.err
    assert result.err.startswith("warning: ")
    as_json = dltrain("check", config, "--json")
    assert as_json.code == 0
    assert [warning["key"] for warning in as_json.json["warnings"]] == ["loss"]


def test_an_unknown_monitor_names_those_there_are(
    dltrain: Check, write_config: WriteConfig
) -> None:
    result = dltrain("check", write_config(training__early_stopping={"monitor": "val_acc"}))
    assert result.code == 2
    assert (
        "no epoch produces the text 'val_acc'; there are loss, accuracy, val_loss, val_accuracy."
        in result.err
    )
