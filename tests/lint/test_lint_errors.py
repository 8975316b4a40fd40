"""Is what can't train at all still an error, and no lint?"""

from __future__ import annotations

from pathlib import Path

import pytest
from lint_cases import digits, reviews

from dltrain.config.load import load_config
from dltrain.errors import ConfigError

CLASSES = (
    "the data has 10 classes: expected 10 units in the last layer, received 9. "
    "End the model with {type: dense, units: 10}."
)
SCHEDULE = "optimizer: {learning_rate: {type: one_cycle, max_learning_rate: 0.01}, type: adam}\n"
PLATEAU = (
    "a learning rate that follows a schedule can't be lowered on a plateau as well. "
    "Give optimizer.learning_rate a number, or leave this out."
)
NO_TEST = (
    "no epoch produces the text 'test_accuracy'; there are loss, accuracy, val_loss, "
    "val_accuracy. The test rows choose nothing, so that they can judge: monitor a val_ value."
)
MONITORS = {
    "monitor: test_accuracy": "7:21 training.monitor",
    "early_stopping: {monitor: test_accuracy}": "7:38 training.early_stopping.monitor",
    "reduce_lr_on_plateau: {monitor: test_accuracy}": "7:44 training.reduce_lr_on_plateau.monitor",
    "callbacks: [{type: model_checkpoint, filepath: a.keras, monitor: test_accuracy}]": (
        "7:77 training.callbacks[0].monitor"
    ),
}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (digits("- {type: dense, units: 9}"), f"6:7 model.layers[2]: {CLASSES}"),
        (
            digits("- {type: dense, units: 10, activation: sigmoid}"),
            "6:7 model.layers[2]: cross_entropy over 10 units expects softmax or no activation, "
            "received sigmoid. Leave the activation out.",
        ),
        (
            reviews("- {type: dense, units: 1, activation: softmax}"),
            "7:7 model.layers[2]: softmax over one unit is always 1. "
            "Use sigmoid, or no activation.",
        ),
        (
            digits(rest="training: {monitor: val_acc}\n"),
            "7:21 training.monitor: no epoch produces the text 'val_acc'; there are loss, "
            "accuracy, val_loss, val_accuracy. Did you mean 'val_accuracy'?",
        ),
        (
            digits(rest=f"{SCHEDULE}training: {{reduce_lr_on_plateau: {{patience: 3}}}}\n"),
            f"8:12 training.reduce_lr_on_plateau: {PLATEAU}",
        ),
        (
            digits(rest=f"{SCHEDULE}training: {{callbacks: [reduce_lr_on_plateau]}}\n"),
            f"8:24 training.callbacks[0]: {PLATEAU}",
        ),
        (
            digits(rest="training: {batch_size: 2000}\n"),
            "7:24 training.batch_size: a batch of 2,000 is larger than the 1,294 training rows. "
            "Use 1294 or less, or `full`.",
        ),
        (
            reviews(data="  max_words: 30000\n"),
            "6:36 model.layers[0].input_dim: the texts have 30,000 ids (words, pairs, padding and "
            "unknown); an embedding of 20,000 rows is too small. Set input_dim: 30000.",
        ),
    ],
)
def test_what_cannot_train_is_an_error(tmp_path: Path, text: str, problem: str) -> None:
    assert refuse(tmp_path, text) == [problem]


@pytest.mark.parametrize(("line", "place"), MONITORS.items())
def test_test_rows_cannot_choose_an_epoch(tmp_path: Path, line: str, place: str) -> None:
    assert refuse(tmp_path, digits(rest=f"training: {{{line}}}\n")) == [f"{place}: {NO_TEST}"]


@pytest.mark.parametrize("section", ["dataset", "training"])
def test_no_key_puts_test_rows_where_validation_rows_belong(tmp_path: Path, section: str) -> None:
    text = digits(rest="training: {epochs: 3}\n").replace(
        f"{section}: {{", f"{section}: {{validation: test, "
    )
    (problem,) = refuse(tmp_path, text)
    assert f" {section}.validation: {section} has no key 'validation'." in problem


def refuse(folder: Path, text: str) -> list[str]:
    """Return the problems of a config that must be wrong, as `line:column key: message hint`."""
    path = folder / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return [
        f"{each.line}:{each.column} {each.key}: {each.message} {each.hint}".rstrip()
        for each in caught.value.problems
    ]
