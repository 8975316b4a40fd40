"""Is `training.balance` checked in its place, completed, and held against the data?"""

from __future__ import annotations

from typing import Any

import pytest
from config_problems import Load, Refuse

from dltrain.config.balance import METHODS, count_balanced

HEAD = "dataset: {name: digits}\nmodel: {layers: [flatten, {type: dense, units: 10}]}\n"
DIABETES = "dataset: {name: diabetes}\nmodel: {layers: [{type: dense, units: 1}]}\n"
IMDB = """dataset: {name: imdb}
model:
  layers:
    - {type: embedding, input_dim: 20000, output_dim: 4}
    - global_average_pooling1d
    - {type: dense, units: UNITS}
"""


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        ("class_weight", {"type": "class_weight", "weights": None}),
        ("oversample", {"type": "oversample", "ratio": 1.0}),
        ("{type: undersample, ratio: 0.1}", {"type": "undersample", "ratio": 0.1}),
        ("focal_loss", {"type": "focal_loss", "gamma": 2.0, "alpha": None}),
        ("null", None),
    ],
)
def test_a_method_is_written_out_with_its_defaults(
    load: Load, written: str, resolved: dict[str, Any] | None
) -> None:
    assert load(f"{HEAD}training: {{balance: {written}}}").config.training.balance == resolved


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (
            "oversampl",
            "c.yaml:3:21 training.balance: expected one of class_weight, oversample, undersample, "
            "smote, focal_loss, received the text 'oversampl'. Did you mean 'oversample'?",
        ),
        (
            "3",
            "c.yaml:3:21 training.balance: expected one of class_weight, oversample, undersample, "
            "smote, focal_loss, or a mapping with type:, received the number 3.",
        ),
        (
            "{ratio: 0.5}",
            "c.yaml:3:21 training.balance: expected type:, one of class_weight, oversample, "
            "undersample, smote, focal_loss, received none.",
        ),
        (
            "{type: oversample, ratio: 2}",
            "c.yaml:3:47 training.balance.ratio: expected a number > 0 and <= 1, received the "
            "number 2.",
        ),
        (
            "{type: oversample, ration: 1}",
            "c.yaml:3:40 training.balance.ration: oversample has no argument 'ration'. Did you "
            "mean 'ratio'?",
        ),
        (
            "{type: class_weight, weights: {'3': 0}}",
            "c.yaml:3:57 training.balance.weights.3: expected a number > 0, received the number 0.",
        ),
        (
            "{type: class_weight, weights: 2}",
            "c.yaml:3:51 training.balance.weights: expected a mapping of class names to numbers "
            "> 0, or null, received the number 2.",
        ),
        (
            "{type: class_weight, weights: {three: 2}}",
            "c.yaml:3:52 training.balance.weights.three: digits has no class 'three'. Its classes "
            "are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9.",
        ),
        (
            "smote",
            "c.yaml:3:21 training.balance: smote makes rows between rows, which only tables can "
            "have; digits holds images. Use oversample with dataset.augment.",
        ),
        (
            "{type: focal_loss, alpha: 0.25}",
            "c.yaml:3:47 training.balance.alpha: expected a list of 10 numbers > 0, received the "
            "number 0.25. digits has 10 classes.",
        ),
        (
            "{type: focal_loss, alpha: [0.5, 0.5]}",
            "c.yaml:3:47 training.balance.alpha: expected a list of 10 numbers > 0, received a "
            "list of 2 numbers. digits has 10 classes.",
        ),
    ],
)
def test_what_is_wrong_with_a_method_is_told_in_its_place(
    refuse: Refuse, written: str, problem: str
) -> None:
    assert refuse(f"{HEAD}training: {{balance: {written}}}") == [problem]


def test_a_focal_loss_goes_with_cross_entropy_only(refuse: Refuse) -> None:
    text = f"{HEAD}loss: kl_divergence\ntraining: {{balance: focal_loss}}"
    assert refuse(text) == [
        "c.yaml:4:21 training.balance: focal_loss is a form of cross_entropy; the loss is "
        "kl_divergence. Leave out loss: or balance:."
    ]


def test_a_target_that_is_a_number_has_no_classes_to_balance_or_to_cut(refuse: Refuse) -> None:
    assert refuse(f"{DIABETES}training: {{balance: oversample}}") == [
        "c.yaml:3:21 training.balance: balance evens out classes; the target is a number. "
        "Leave it out."
    ]
    assert refuse(DIABETES.replace("diabetes}", "diabetes, keep: {a: 0.1}}")) == [
        "c.yaml:1:27 dataset.keep: keep cuts classes; the target is a number. Leave it out."
    ]


def test_a_share_to_keep_names_a_class_and_is_a_share(refuse: Refuse) -> None:
    assert refuse(HEAD.replace("digits}", "digits, keep: {3: 0, 31: 0.1, 4: x}}")) == [
        "c.yaml:1:35 dataset.keep.3: expected a number > 0 and <= 1, received the number 0.",
        "c.yaml:1:38 dataset.keep.31: digits has no class '31'. Did you mean '3'?",
        "c.yaml:1:50 dataset.keep.4: expected a number > 0 and <= 1, received the text 'x'.",
    ]


@pytest.mark.parametrize(
    ("units", "balance", "loss"),
    [
        (
            1,
            "focal_loss",
            {"type": "binary_focal_crossentropy", "from_logits": True, "gamma": 2.0},
        ),
        (
            1,
            "{type: focal_loss, alpha: 0.9, gamma: 1}",
            {
                "type": "binary_focal_crossentropy",
                "from_logits": True,
                "gamma": 1,
                "apply_class_balancing": True,
                "alpha": 0.9,
            },
        ),
        (
            2,
            "{type: focal_loss, alpha: 0.75}",
            {
                "type": "categorical_focal_crossentropy",
                "from_logits": True,
                "gamma": 2.0,
                "alpha": [0.25, 0.75],
            },
        ),
    ],
)
def test_a_focal_loss_becomes_keras_own(
    load: Load, units: int, balance: str, loss: dict[str, Any]
) -> None:
    text = IMDB.replace("UNITS", str(units))
    targets = load(f"{text}training: {{balance: {balance}}}").targets
    assert targets.loss == loss
    assert targets.encoding == ("binary" if units == 1 else "one_hot")


def test_smoothed_labels_stay_with_a_focal_loss(load: Load) -> None:
    text = f"{HEAD}loss: {{type: cross_entropy, label_smoothing: 0.1}}\n"
    targets = load(f"{text}training: {{balance: focal_loss}}").targets
    assert targets.loss == {
        "type": "categorical_focal_crossentropy",
        "from_logits": True,
        "label_smoothing": 0.1,
        "gamma": 2.0,
        "alpha": 1.0,
    }


def test_classes_grow_to_a_share_of_the_largest_or_shrink_to_a_multiple_of_the_smallest() -> None:
    counts = [100, 10, 40, 0]
    assert count_balanced(counts, {"type": "oversample", "ratio": 1.0}) == [100, 100, 100, 0]
    assert count_balanced(counts, {"type": "oversample", "ratio": 0.3}) == [100, 30, 40, 0]
    assert count_balanced(counts, {"type": "undersample", "ratio": 1.0}) == [10, 10, 10, 0]
    assert count_balanced(counts, {"type": "undersample", "ratio": 0.25}) == [40, 10, 40, 0]
    for kind in ("class_weight", "focal_loss"):
        assert count_balanced(counts, {"type": kind}) == counts
    assert set(METHODS) == {"class_weight", "oversample", "undersample", "smote", "focal_loss"}


def test_batches_are_held_against_the_rows_that_are_trained_on(refuse: Refuse) -> None:
    text = f"{HEAD}training: {{balance: undersample, batch_size: 1500}}"
    assert refuse(text.replace("digits}", "digits, keep: {3: 0.1}}")) == [
        "c.yaml:3:46 training.batch_size: a batch of 1,500 is larger than the 130 training rows. "
        "Use 130 or less, or `full`."
    ]
