"""Do curves that people would judge at a glance get that judgement, and others none?"""

from __future__ import annotations

import math

import pytest

from dltrain.evaluation.diagnosis import Curves, diagnose, read_curves

# Losses of real runs, epoch by epoch, to four digits: (training, validation).
# Two hidden layers of 512 on 130 digits: known by heart.
BY_HEART = (
    *((2.158, 1.858), (1.63, 1.402), (1.117, 0.9677), (0.6958, 0.6557), (0.4555, 0.4819)),
    *((0.2897, 0.3911), (0.2032, 0.3539), (0.1382, 0.2991), (0.1003, 0.2892), (0.07352, 0.2766)),
    *((0.05966, 0.2731), (0.04385, 0.2518), (0.03946, 0.2455), (0.02808, 0.2409), (0.025, 0.2407)),
    *((0.0213, 0.2416), (0.01621, 0.2445), (0.0172, 0.2411), (0.0126, 0.2354), (0.0127, 0.2354)),
    *((0.01095, 0.2364), (0.00951, 0.2373), (0.008877, 0.236), (0.007967, 0.2358)),
    *((0.007423, 0.2368), (0.006891, 0.2388), (0.006529, 0.2365), (0.006016, 0.2364)),
    *((0.005649, 0.238), (0.005295, 0.2385)),
)
# SGD with a learning rate of 0.001.
TOO_SLOW = (
    *((2.319, 2.315), (2.306, 2.302), (2.293, 2.29), (2.28, 2.277), (2.268, 2.265)),
    *((2.256, 2.253), (2.244, 2.241), (2.231, 2.23), (2.22, 2.218), (2.208, 2.207)),
    *((2.196, 2.195), (2.184, 2.184)),
)
# RMSprop with a learning rate of 0.05.
JUMPING = (
    *((28.64, 1.085), (1.38, 0.6251), (0.9121, 0.8788), (0.6534, 0.8783), (0.4983, 0.4118)),
    *((0.5191, 0.3765), (0.3879, 0.2881), (0.2691, 0.3809), (0.3099, 0.259), (0.3023, 0.5925)),
    *((0.1861, 0.391), (0.3399, 0.3787), (0.1911, 0.4369), (0.339, 0.4574), (0.1721, 0.6529)),
)
# MNIST, a hidden layer of 256 and dropout, Adam.
SETTLED = (
    *((0.3408, 0.1694), (0.1533, 0.1187), (0.1125, 0.09666), (0.08967, 0.08361)),
    *((0.07408, 0.07886), (0.06376, 0.07261), (0.05632, 0.06794), (0.04829, 0.06429)),
    *((0.0429, 0.06635), (0.03849, 0.06781)),
)
# L2 of 3: every weight is pulled to zero.
CRUSHED = (
    *((1033.0, 402.1), (188.6, 60.74), (27.66, 9.471), (5.364, 3.152), (2.658, 2.393)),
    *((2.338, 2.31), (2.305, 2.303), (2.303, 2.303), (2.303, 2.303), (2.303, 2.303)),
    *((2.303, 2.303), (2.303, 2.303)),
)
# MNIST with a tenth of the rows of nine classes, ten epochs of 39 steps.
TOO_SHORT = (
    *((2.159, 1.737), (1.498, 1.278), (1.098, 0.9615), (0.8009, 0.791), (0.6415, 0.6793)),
    *((0.5041, 0.6076), (0.4313, 0.5518), (0.3636, 0.5296), (0.325, 0.516), (0.2773, 0.4927)),
)


def make_curves(
    pairs: tuple[tuple[float, float], ...], *, comparable: bool = True, skill: float | None = 0.9
) -> Curves:
    history = [
        {"epoch": epoch, "loss": loss, "val_loss": validation}
        for epoch, (loss, validation) in enumerate(pairs, 1)
    ]
    return read_curves(history, comparable=comparable, skill=skill)


@pytest.mark.parametrize(
    ("pairs", "skill", "kind", "reason", "sentence"),
    [
        (
            BY_HEART,
            0.9,
            "overfits",
            "by heart",
            "Overfits: the training loss fell to 0.005295, far below the validation loss, which "
            "stays at 0.2354.",
        ),
        (
            TOO_SLOW,
            0.05,
            "underfits",
            "hardly learns",
            "Underfits, unless the rows tell no more: the best model takes 5% off the baseline's "
            "loss on validation rows, and the training loss, at 2.184, is not far below the "
            "validation loss, 2.184.",
        ),
        (
            JUMPING,
            0.87,
            "unstable",
            "",
            "Unstable: the validation loss jumped up 3 times in 15 epochs, between 0.259 and "
            "1.085.",
        ),
        (
            SETTLED,
            0.97,
            "plateaued",
            "",
            "Plateaued: the validation loss came within 2% of its best, 0.06429, in epoch 8 of 10.",
        ),
        (
            CRUSHED,
            0.0,
            "underfits",
            "hardly learns",
            "Underfits, unless the rows tell no more: the best model takes 0% off the baseline's "
            "loss on validation rows, and the training loss, at 2.303, is not far below the "
            "validation loss, 2.303.",
        ),
        (
            TOO_SHORT,
            0.78,
            "underfits",
            "still falling",
            "Underfits: the validation loss was still falling when the training ended, from "
            "0.5296 to 0.4927 in its last 2 epochs.",
        ),
    ],
)
def test_real_curves_get_the_judgement_of_a_person(
    pairs: tuple[tuple[float, float], ...], skill: float, kind: str, reason: str, sentence: str
) -> None:
    verdict = diagnose(make_curves(pairs, skill=skill))
    assert (verdict.kind, verdict.reason) == (kind, reason)
    assert verdict.sentence == sentence


def test_a_validation_loss_that_turns_round_overfits() -> None:
    pairs = tuple(
        (1 / (1 + epoch), 0.3 + 0.004 * (epoch - 6) ** 2 + 0.002 * math.sin(9 * epoch))
        for epoch in range(16)
    )
    verdict = diagnose(make_curves(pairs))
    assert verdict.sentence == (
        "Overfits: after epoch 7 of 16 the validation loss rose from 0.2989 to 0.6242, while the "
        "training loss fell from 0.1429 to 0.0625."
    )
    assert verdict.reason == "rises"


def test_a_loss_that_only_rises_overfits_and_does_not_jump() -> None:
    pairs = tuple((1 / (1 + epoch), 0.2 + 0.25 * epoch) for epoch in range(8))
    assert diagnose(make_curves(pairs)).kind == "overfits"


def test_a_training_that_ends_above_its_beginning_is_unstable() -> None:
    pairs = tuple((1.0 + 0.1 * epoch, 1.0 + 0.1 * epoch) for epoch in range(6))
    assert diagnose(make_curves(pairs)).sentence == (
        "Unstable: the training loss ended at 1.5, above the 1 of the first epoch."
    )


def test_repeated_rows_say_nothing_of_learning_by_heart() -> None:
    curves = make_curves(BY_HEART, comparable=False)
    assert diagnose(curves).kind == "plateaued"
    curves = make_curves(BY_HEART, comparable=False, skill=0.3)
    assert diagnose(curves).sentence == (
        "Underfits, unless the rows tell no more: the best model takes 30% off the baseline's "
        "loss on validation rows."
    )


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (0, "No epoch was finished: the curves say nothing."),
        (1, "One epoch is too few for a curve to say anything."),
        (3, "3 epochs are too few for a curve to say anything."),
    ],
)
def test_a_few_epochs_say_nothing(count: int, sentence: str) -> None:
    verdict = diagnose(make_curves(BY_HEART[:count]))
    assert (verdict.kind, verdict.sentence) == ("unclear", sentence)


@pytest.mark.parametrize(
    ("losses", "kind", "sentence"),
    [
        (
            [1.0, 0.8, 0.6, 0.5],
            "underfits",
            "Underfits: the training loss was still falling when the training ended, from 0.6 to "
            "0.5 in its last 1 epoch. Without validation rows nothing says whether it overfits.",
        ),
        (
            [1.0, 0.5, 0.4, 0.4, 0.399],
            "plateaued",
            "Plateaued: the training loss came within 2% of its best, 0.399, in epoch 3 of 5. "
            "Without validation rows nothing says whether it overfits.",
        ),
    ],
)
def test_without_validation_rows_nothing_is_said_of_overfitting(
    losses: list[float], kind: str, sentence: str
) -> None:
    history = [{"epoch": epoch, "loss": loss} for epoch, loss in enumerate(losses, 1)]
    verdict = diagnose(read_curves(history))
    assert (verdict.kind, verdict.sentence) == (kind, sentence)


def test_a_loss_of_zero_is_judged_without_an_error() -> None:
    verdict = diagnose(make_curves(((1.0, 1.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))))
    assert verdict.kind == "plateaued"


def test_a_loss_that_wavers_on_its_way_down_is_still_falling() -> None:
    pairs = tuple(zip([1.0] * 8, [0.9, 0.8, 0.72, 0.7, 0.66, 0.67, 0.6, 0.64], strict=True))
    assert diagnose(make_curves(pairs)).sentence == (
        "Underfits: the validation loss was still falling when the training ended, from 0.67 to "
        "0.6 in its last 2 epochs."
    )
