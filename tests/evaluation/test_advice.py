"""Does advice fit the config it is given for, and is each line one that a config takes?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dltrain.config.load import LoadedConfig, load_config
from dltrain.evaluation.advice import Diagnosis, diagnose_run

HISTORIES: dict[str, list[tuple[float, float]]] = {
    "overfits": [(1 / (1 + epoch), 0.3 + 0.01 * (epoch - 3) ** 2) for epoch in range(12)],
    "still falling": [(1 - epoch / 20, 1 - epoch / 20) for epoch in range(10)],
    "hardly learns": [(2.3, 2.3) for _ in range(10)],
    "unstable": [(1.0 + (epoch % 2), 1.0 + (epoch % 2)) for epoch in range(10)],
    "plateaued": [(max(0.3, 1 - epoch / 4), max(0.35, 1 - epoch / 4)) for epoch in range(10)],
    "unclear": [(1.0, 1.0)],
}
HEAD = "dataset: {name: NAME, validation_split: 0.1}\nmodel: {layers: [LAYERS]}\n"
DIGITS = HEAD.replace("NAME", "digits").replace("LAYERS", "flatten, {type: dense, units: 10}")
TABLE = HEAD.replace("NAME", "diabetes").replace("LAYERS", "{type: dense, units: 1}")
IMDB = HEAD.replace("NAME", "imdb").replace(
    "LAYERS",
    "{type: embedding, input_dim: 20000, output_dim: 4}, global_average_pooling1d, "
    "{type: dense, units: 1}",
)


def judge(
    name: str, text: str, folder: Path, *, skill: float = 0.9
) -> tuple[Diagnosis, LoadedConfig]:
    path = folder / "c.yaml"
    path.write_text(text)
    loaded = load_config(path)
    history = [
        {"epoch": epoch, "loss": loss, "val_loss": validation}
        for epoch, (loss, validation) in enumerate(HISTORIES[name], 1)
    ]
    metric = "mse" if loaded.info.task == "regression" else "log_loss"
    scores: Mapping[str, Any] = {
        "validation": {
            "task": loaded.info.task,
            metric: {"value": 1 - skill},
            "baseline": {metric: {"value": 1.0}},
        }
    }
    return diagnose_run(history, loaded, scores), loaded


def lines(diagnosis: Diagnosis) -> list[str]:
    return [suggestion.line for suggestion in diagnosis.suggestions]


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("text", [DIGITS, TABLE, IMDB], ids=["digits", "diabetes", "imdb"])
def test_every_line_is_one_that_the_config_takes(name: str, text: str, tmp_path: Path) -> None:
    skill = 0.01 if name == "hardly learns" else 0.9
    text += f"training: {{epochs: {len(HISTORIES[name])}}}\n"
    diagnosis, loaded = judge(name, text, tmp_path, skill=skill)
    assert diagnosis.kind == name or diagnosis.kind == "underfits"
    assert 0 < len(diagnosis.suggestions) <= 3
    for line in lines(diagnosis):
        value = yaml.safe_load(line)
        if isinstance(value, list):  # a layer, before the last
            data = yaml.safe_load(text)
            data["model"]["layers"][-1:-1] = value
            (tmp_path / "changed.yaml").write_text(yaml.safe_dump(data))
            load_config(tmp_path / "changed.yaml")
            continue
        ((section, keys),) = value.items()
        flags = [f"{section}={yaml.safe_dump(keys, default_flow_style=True)}"]
        if section != "optimizer":
            flags = [
                f"{section}.{key}={yaml.safe_dump(item, default_flow_style=True)}"
                for key, item in keys.items()
            ]
        flags = [flag.removesuffix("\n").removesuffix("\n...") for flag in flags]
        changed = load_config(tmp_path / "c.yaml", overrides=flags)
        assert changed.config != loaded.config


def test_advice_on_overfitting_follows_the_kind_of_data(tmp_path: Path) -> None:
    assert lines(judge("overfits", DIGITS, tmp_path)[0]) == [
        "training: {early_stopping: {patience: 5}}",
        "dataset: {augment: [{type: random_translation, height_factor: 0.1, width_factor: 0.1}]}",
        "- {type: dropout, rate: 0.3}",
    ]
    assert lines(judge("overfits", IMDB, tmp_path)[0])[1] == "dataset: {word_dropout: 0.1}"
    assert lines(judge("overfits", TABLE, tmp_path)[0])[1:] == [
        "- {type: dropout, rate: 0.3}",
        "regularization: {l2: 0.0001}",
    ]


def test_what_the_config_has_is_not_proposed_again(tmp_path: Path) -> None:
    text = (
        DIGITS.replace("0.1}", "0.1, augment: [random_flip]}").replace(
            "flatten", "flatten, {type: dropout, rate: 0.5}"
        )
        + "training: {early_stopping: {patience: 3}}\nregularization: {l2: 1e-3}\n"
    )
    assert lines(judge("overfits", text, tmp_path)[0]) == [
        "dataset: {augment: [{type: random_flip}, {type: mix_up}]}"
    ]


@pytest.mark.parametrize(
    ("optimizer", "line"),
    [
        ("adam", "optimizer: {type: adam, learning_rate: 0.0003}"),
        ("sgd", "optimizer: {type: sgd, learning_rate: 0.003}"),
        ("{type: sgd, momentum: 0.9, learning_rate: 0.5}",
         "optimizer: {type: sgd, momentum: 0.9, learning_rate: 0.1}"),
        ("{type: adam, learning_rate: {type: one_cycle, max_learning_rate: 0.01}}",
         "optimizer: {type: adam, learning_rate: {type: one_cycle, max_learning_rate: 0.003}}"),
        ("{type: adam, learning_rate: {type: piecewise_constant_decay, boundaries: [9], "
         "values: [0.1, 0.01]}}",
         "optimizer: {type: adam, learning_rate: {type: piecewise_constant_decay, boundaries: "
         "[9], values: [0.03, 0.003]}}"),
    ],
)  # fmt: skip
def test_a_smaller_learning_rate_is_written_where_it_stands(
    optimizer: str, line: str, tmp_path: Path
) -> None:
    diagnosis, _ = judge("unstable", f"{DIGITS}optimizer: {optimizer}\n", tmp_path)
    assert lines(diagnosis)[0] == line


def test_validation_rows_are_the_first_advice_where_there_are_none(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(DIGITS.replace("0.1", "0"))
    history = [{"epoch": epoch, "loss": 1 / epoch} for epoch in range(1, 9)]
    diagnosis = diagnose_run(history, load_config(path), {})
    assert lines(diagnosis)[0] == "dataset: {validation_split: 0.1}"


def test_test_scores_have_no_say(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(DIGITS)
    history = [{"epoch": epoch, "loss": 2.3, "val_loss": 2.3} for epoch in range(1, 9)]
    hopeless = {"task": "classification", "log_loss": {"value": 1.0},
                "baseline": {"log_loss": {"value": 1.0}}}  # fmt: skip
    assert diagnose_run(history, load_config(path), {"test": hopeless}).kind == "plateaued"
    assert diagnose_run(history, load_config(path), {"validation": hopeless}).kind == "underfits"


@pytest.mark.parametrize("name", ["unclear", "still falling"])
def test_a_training_stopped_on_the_way_is_not_told_to_have_more_epochs(
    name: str, tmp_path: Path
) -> None:
    diagnosis, _ = judge(name, f"{DIGITS}training: {{epochs: 99}}\n", tmp_path)
    assert not any("epochs" in line for line in lines(diagnosis))
