"""Are the differences fairlearn's own, and undefined where it would take nothing for zero?"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equalized_odds_difference,
    selection_rate,
)

from dltrain.errors import MachineError
from dltrain.evaluation.fairness import check_fairlearn, score_fairness
from dltrain.evaluation.slice_columns import Grouping

NAMES = ("no", "yes")


def make_rows(
    seed: int, *, rows: int = 300, favour: float = 0.0
) -> tuple[Grouping, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    members = generator.integers(0, 3, rows)
    labels = generator.integers(0, 2, rows)
    predicted = (generator.random(rows) < 0.3 + 0.3 * labels + favour * (members == 2)).astype(int)
    return Grouping("town", "categories", ("a", "b", "c"), members), labels, predicted


def score(grouping: Grouping, labels: Any, predicted: Any) -> dict[str, Any]:
    return score_fairness(grouping, labels, predicted, class_names=NAMES)


@pytest.mark.parametrize("seed", range(3))
def test_the_differences_are_fairlearns(seed: int) -> None:
    grouping, labels, predicted = make_rows(seed, favour=0.1)
    result = score(grouping, labels, predicted)
    parity = demographic_parity_difference(labels, predicted, sensitive_features=grouping.members)
    odds = equalized_odds_difference(labels, predicted, sensitive_features=grouping.members)
    assert result["demographic_parity_difference"]["value"] == parity
    assert result["equalized_odds_difference"]["value"] == odds
    frame = MetricFrame(
        metrics=selection_rate,
        y_true=labels,
        y_pred=predicted,
        sensitive_features=grouping.members,
    )
    rates = [each["selection_rate"] for each in result["groups"]]
    assert rates == pytest.approx(frame.by_group.tolist())


def test_a_favoured_group_is_more_than_chance_and_equal_groups_are_not() -> None:
    result = score(*make_rows(0, favour=0.35))
    assert result["demographic_parity_difference"]["p_value"] < 0.01
    assert result["equalized_odds_difference"]["p_value"] < 0.01
    found = [score(*make_rows(seed))["equalized_odds_difference"]["p_value"] for seed in range(40)]
    assert np.mean(np.array(found) < 0.05) <= 0.15


def test_a_group_without_rows_of_a_class_leaves_equalised_odds_undefined() -> None:
    grouping, labels, predicted = make_rows(0)
    labels = np.where(grouping.members == 1, 0, labels)
    result = score(grouping, labels, predicted)
    assert result["equalized_odds_difference"] == {
        "value": None,
        "p_value": None,
        "undefined_because": "the group b has no rows of the class 'yes'",
    }
    assert result["groups"][1]["true_positive_rate"] is None
    assert result["demographic_parity_difference"]["value"] is not None
    # What would have been said otherwise: fairlearn's true positive rate of nothing is 0.
    assert equalized_odds_difference(labels, predicted, sensitive_features=grouping.members) > 0


def test_one_group_has_no_differences() -> None:
    _, labels, predicted = make_rows(0)
    grouping = Grouping("town", "categories", ("a",), np.zeros(300, dtype=np.int64))
    result = score(grouping, labels, predicted)
    for name in ("demographic_parity_difference", "equalized_odds_difference"):
        assert result[name] == {
            "value": None,
            "p_value": None,
            "undefined_because": "all rows are of one group: a",
        }


def test_without_fairlearn_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    check_fairlearn()
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "dltrain.evaluation.fairness.find_spec",
        lambda name: None if name == "fairlearn" else find(name),
    )
    with pytest.raises(MachineError) as caught:
        check_fairlearn()
    assert caught.value.message == "--sensitive needs fairlearn, which is not installed."
    assert caught.value.hint == "Install it: pip install 'dltrain[fairness]'"
