"""Are `model.from_run`, `training.phases` and `dataset.classes` checked in their places?"""

from __future__ import annotations

from typing import Any

import pytest
from config_problems import Load, Refuse

from dltrain.config.phases import find_phase, list_phases

HEAD = "dataset: {name: digits}\nmodel:\n"
LAYERS = "  layers: [flatten, {type: dense, units: 8, name: hidden}, {type: dense, units: 10}]\n"
PLAIN = HEAD + LAYERS


def test_a_bare_name_is_a_run_of_which_all_is_taken_and_trained(load: Load) -> None:
    asked = load(f"{HEAD}  from_run: pretrained\n{LAYERS}").config.model.from_run
    assert asked is not None
    assert asked.model_dump() == {
        "run": "pretrained",
        "layers": None,
        "skip": [],
        "trainable": "all",
    }


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (
            "{skip: [dense]}",
            "c.yaml:3:3 model.from_run.run: from_run needs `run:`.",
        ),
        (
            "{run: a, skip: [hiden]}",
            "c.yaml:3:29 model.from_run.skip[0]: the model has no layer 'hiden'. "
            "Did you mean 'hidden'?",
        ),
        (
            "{run: a, layers: [hidden], skip: [hidden]}",
            "c.yaml:3:47 model.from_run.skip[0]: 'hidden' stands under layers, too.",
        ),
        (
            "{run: a, trainable: [hidden]}",
            "c.yaml:3:33 model.from_run.trainable: expected all, none or last_n: a whole number "
            ">= 1, received a list of 1.",
        ),
        (
            "{run: a, trainable: {last_n: 0}}",
            "c.yaml:3:42 model.from_run.trainable.last_n: expected a whole number >= 1, received "
            "the number 0.",
        ),
        (
            "{run: a, trainable: nome}",
            "c.yaml:3:33 model.from_run.trainable: expected all, none or last_n: a whole number "
            ">= 1, received the text 'nome'. Did you mean 'none'?",
        ),
    ],
)
def test_a_wrong_source_is_refused_in_its_place(refuse: Refuse, written: str, problem: str) -> None:
    assert refuse(f"{HEAD}  from_run: {written}\n{LAYERS}") == [problem]


def phases(written: str, *, more: str = "") -> str:
    return f"{PLAIN}training: {{phases: {written}{more}}}\n"


def test_phases_follow_each_other_and_the_last_lasts_to_the_end(load: Load) -> None:
    text = phases("[{epochs: 2, trainable: [dense]}, {epochs: 3, learning_rate: 1e-4}]")
    config = load(text).config
    assert config.training.epochs == 5
    first, second = list_phases(config)
    assert (first.begin, first.end, first.trainable) == (0, 2, ["dense"])
    assert (second.begin, second.end, second.trainable) == (2, 5, None)
    assert first.optimizer == config.optimizer
    assert second.optimizer == {**config.optimizer, "learning_rate": 1e-4}
    found = [find_phase((first, second), epoch).number for epoch in (0, 1, 2, 4, 5, 99)]
    assert found == [0, 0, 1, 1, 1, 1]
    longer = load(text, "training.epochs=9").config
    assert [(phase.begin, phase.end) for phase in list_phases(longer)] == [(0, 2), (2, 9)]


def test_a_wrapped_optimizer_gets_the_rate_where_it_has_it(load: Load) -> None:
    text = phases("[{epochs: 2, learning_rate: 0.5}]") + (
        "optimizer: {type: loss_scale_optimizer, inner_optimizer: {type: sgd}}\n"
    )
    (phase,) = list_phases(load(text).config)
    assert phase.optimizer["inner_optimizer"] == {"type": "sgd", "learning_rate": 0.5}


@pytest.mark.parametrize(
    ("written", "more", "problem"),
    [
        (
            "[2]",
            "",
            "c.yaml:4:21 training.phases[0]: expected a mapping with epochs, learning_rate or "
            "trainable, received the number 2.",
        ),
        (
            "[{epoch: 2}]",
            "",
            "c.yaml:4:22 training.phases[0].epoch: a phase has no key 'epoch'. Did you mean "
            "'epochs'?",
        ),
        (
            "[{epochs: 0}]",
            "",
            "c.yaml:4:30 training.phases[0].epochs: expected a whole number >= 1, received the "
            "number 0.",
        ),
        (
            "[{learning_rate: 1e-3}, {epochs: 1}]",
            "",
            "c.yaml:4:21 training.phases[0]: a phase needs `epochs:`. The last may leave it out "
            "if training.epochs says how many there are in all.",
        ),
        (
            "[{epochs: 3}, {}]",
            ", epochs: 3",
            "c.yaml:4:47 training.epochs: the last of 2 phases begins after 3 epochs; there are 3. "
            "Leave training.epochs out: it is then the sum of the phases.",
        ),
        (
            "[{epochs: 3, learning_rate: -1}]",
            "",
            "c.yaml:4:48 training.phases[0].learning_rate: expected a number > 0, or a schedule: a "
            "mapping with type, received the number -1.",
        ),
        (
            "[{epochs: 3, trainable: [hidden, scores]}]",
            "",
            "c.yaml:4:53 training.phases[0].trainable[1]: the model has no layer 'scores'. "
            "`dltrain check` shows the layers' names.",
        ),
        (
            "[{epochs: 3, trainable: none}]",
            "",
            "c.yaml:4:44 training.phases[0].trainable: all, none and last_n are about pretrained "
            "layers; this model has none. List the layers that are trained, or start from another "
            "run: model.from_run.",
        ),
        (
            "[{epochs: 3, learning_rate: {type: cosine_decay, initial_learning_rate: 1, "
            "decay_steps: 9}}]",
            ", reduce_lr_on_plateau: {}",
            "c.yaml:4:114 training.reduce_lr_on_plateau: a learning rate that follows a schedule "
            "can't be lowered on a plateau as well. Give optimizer.learning_rate a number, or "
            "leave this out.",
        ),
    ],
)
def test_a_wrong_phase_is_refused_in_its_place(
    refuse: Refuse, written: str, more: str, problem: str
) -> None:
    assert refuse(phases(written, more=more)) == [problem]


def test_classes_are_those_that_are_named_in_their_order(load: Load) -> None:
    text = PLAIN.replace("name: digits", "name: digits, classes: [8, '3']").replace("10", "1")
    loaded = load(text)
    assert loaded.config.dataset.classes == ["8", "3"]
    assert loaded.info.class_names == ("8", "3")
    assert loaded.info.class_counts == (174, 183)
    assert loaded.info.train_rows == 357
    assert loaded.targets.classes == 2


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (
            "classes: [1, 12]",
            "c.yaml:1:38 dataset.classes[1]: digits has no class '12'. Did you mean '2'?",
        ),
        ("classes: [1, 2, 1]", "c.yaml:1:41 dataset.classes[2]: the class '1' stands here twice."),
        (
            "classes: [1]",
            "c.yaml:1:34 dataset.classes: expected at least two classes, received a list of 1.",
        ),
        (
            "rows_per_class: 0",
            "c.yaml:1:41 dataset.rows_per_class: expected a number >= 1, received the number 0.",
        ),
    ],
)
def test_wrong_classes_are_refused_in_their_place(
    refuse: Refuse, written: str, problem: str
) -> None:
    assert refuse(PLAIN.replace("name: digits", f"name: digits, {written}")) == [problem]


@pytest.mark.parametrize(("key", "value"), [("classes", "[a, b]"), ("rows_per_class", "5")])
def test_a_regression_has_no_classes_to_choose(refuse: Refuse, key: str, value: Any) -> None:
    model = "model: {layers: [{type: dense, units: 1}]}"
    text = f"dataset: {{name: diabetes, {key}: {value}}}\n{model}"
    assert refuse(text) == [
        f"c.yaml:1:27 dataset.{key}: {key} is about classes; the target is a number. Leave it out."
    ]


def test_a_batch_is_held_against_the_rows_that_are_left(refuse: Refuse) -> None:
    text = PLAIN.replace("name: digits", "name: digits, rows_per_class: 5, validation_split: 0.2")
    assert refuse(text + "training: {batch_size: 64}\n") == [
        "c.yaml:4:24 training.batch_size: a batch of 64 is larger than the 40 training rows. "
        "Use 40 or less, or `full`."
    ]
