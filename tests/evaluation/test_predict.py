"""Do outputs of every kind become probabilities that agree with the trained metric?"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from dltrain.config.targets import OutputKind, Targets
from dltrain.evaluation.predict import to_probabilities


def make_targets(units: int, output: OutputKind, *, loss: str = "mse", classes: int = 0) -> Targets:
    """Make the targets of a classifier with this output."""
    encoding = "binary" if units == 1 else "one_hot"
    count = classes or max(2, units)
    return Targets("classification", encoding, output, {"type": loss}, count, units)


def convert(outputs: Any, targets: Targets) -> Any:
    return to_probabilities(np.asarray(outputs, dtype=np.float32), targets)


KINDS: tuple[OutputKind, ...] = ("probabilities", "logits", "scores")


@pytest.mark.parametrize(("units", "output"), list(itertools.product([1, 2, 5], KINDS)))
def test_rows_are_probabilities_that_sum_to_one(units: int, output: OutputKind) -> None:
    values = np.random.default_rng(0).normal(0, 40, (50, units))
    if output == "probabilities":
        values = np.clip(values, 0, 1)  # rows of zeros among them
    probabilities = convert(values, make_targets(units, output))
    assert probabilities.dtype == np.float64
    assert probabilities.shape == (50, max(2, units))
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)


def test_one_logit_goes_through_sigmoid_without_overflow() -> None:
    probabilities = convert([[0.0], [2.0], [-2000.0], [2000.0]], make_targets(1, "logits"))
    np.testing.assert_allclose(probabilities[:, 1], [0.5, 1 / (1 + np.exp(-2)), 0, 1])


def test_many_logits_go_through_softmax_without_overflow() -> None:
    probabilities = convert(
        [[1000.0, 1000.0, 0.0], [0.0, np.log(3), 0.0]], make_targets(3, "logits")
    )
    np.testing.assert_allclose(probabilities, [[0.5, 0.5, 0], [0.2, 0.6, 0.2]], atol=1e-6)


def test_one_probability_is_that_of_the_second_class() -> None:
    probabilities = convert([[0.25], [1.0]], make_targets(1, "probabilities"))
    np.testing.assert_allclose(probabilities, [[0.75, 0.25], [0, 1]])


def test_sigmoids_of_several_units_are_divided_by_their_sum() -> None:
    probabilities = convert([[0.5, 1.0, 0.5], [0, 0, 0]], make_targets(3, "probabilities"))
    np.testing.assert_allclose(probabilities, [[0.25, 0.5, 0.25], [1 / 3, 1 / 3, 1 / 3]])


@pytest.mark.parametrize(("loss", "boundary"), [("mse", 0.5), ("hinge", 0), ("squared_hinge", 0)])
def test_one_score_is_cut_where_the_loss_puts_the_boundary(loss: str, boundary: float) -> None:
    outputs = [[boundary - 0.1], [boundary], [boundary + 0.1]]
    second = convert(outputs, make_targets(1, "scores", loss=loss))[:, 1]
    assert second[0] < 0.5 < second[2]
    assert second[1] == pytest.approx(0.5, abs=1e-7)


@pytest.mark.parametrize("output", ["logits", "scores"])
def test_the_largest_output_stays_the_predicted_class_and_ranks_are_kept(
    output: OutputKind,
) -> None:
    values = np.random.default_rng(1).normal(0, 3, (200, 4)).astype(np.float32)
    probabilities = convert(values, make_targets(4, output))
    assert np.array_equal(probabilities.argmax(axis=1), values.argmax(axis=1))
    one = convert(values[:, :1], make_targets(1, output))[:, 1]
    assert np.array_equal(np.argsort(one, kind="stable"), np.argsort(values[:, 0], kind="stable"))


def test_equal_outputs_go_to_the_first_class_as_argmax_does() -> None:
    targets = make_targets(3, "logits")
    assert convert([[2.0, 2.0, 1.0]], targets).argmax(axis=1).tolist() == [0]
    # One unit at exactly one half: the first class, as Keras's `> 0.5` says.
    assert convert([[0.5]], make_targets(1, "probabilities")).argmax(axis=1).tolist() == [0]
    assert convert([[0.0]], make_targets(1, "logits")).argmax(axis=1).tolist() == [0]
