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
# scikit-learn's wines, all classified right from epoch 12; stopped 10 epochs after its best.
WAITED_IN_VAIN = (
    *((1.171, 1.137), (1.085, 1.021), (0.9593, 0.9194), (0.8537, 0.8243), (0.7997, 0.7361)),
    *((0.7037, 0.6531), (0.6452, 0.5752), (0.6129, 0.5036), (0.5388, 0.4319), (0.4478, 0.3678)),
    *((0.3915, 0.311), (0.3444, 0.2646), (0.3082, 0.2261), (0.2738, 0.1944), (0.2614, 0.1697)),
    *((0.21, 0.1499), (0.234, 0.1331), (0.1776, 0.1173), (0.1833, 0.1039), (0.1736, 0.09301)),
    *(
        (0.1526, 0.08362),
        (0.1493, 0.07563),
        (0.1498, 0.06831),
        (0.1666, 0.06262),
        (0.1212, 0.05772),
    ),
    *(
        (0.09969, 0.05352),
        (0.1108, 0.04972),
        (0.09459, 0.04724),
        (0.114, 0.04443),
        (0.1211, 0.0438),
    ),
    *(
        (0.0891, 0.04134),
        (0.1021, 0.04044),
        (0.08926, 0.03929),
        (0.09505, 0.03934),
        (0.07283, 0.03971),
    ),
    *(
        (0.07768, 0.03946),
        (0.0672, 0.03824),
        (0.05816, 0.03635),
        (0.04094, 0.03399),
        (0.06075, 0.03216),
    ),
    *(
        (0.07512, 0.0311),
        (0.04897, 0.03034),
        (0.0358, 0.02986),
        (0.04956, 0.03039),
        (0.06962, 0.02934),
    ),
    *(
        (0.05307, 0.02754),
        (0.03888, 0.02637),
        (0.03122, 0.02479),
        (0.04316, 0.02374),
        (0.04256, 0.02257),
    ),
    *(
        (0.04193, 0.02213),
        (0.02975, 0.02212),
        (0.03742, 0.0223),
        (0.04818, 0.02176),
        (0.03581, 0.02118),
    ),
    *(
        (0.03872, 0.02051),
        (0.03501, 0.02037),
        (0.02414, 0.0212),
        (0.02788, 0.02073),
        (0.02823, 0.02011),
    ),
    *(
        (0.03567, 0.01862),
        (0.01737, 0.01835),
        (0.02996, 0.01786),
        (0.02696, 0.01688),
        (0.02042, 0.01712),
    ),
    *(
        (0.02582, 0.01751),
        (0.03491, 0.01748),
        (0.03152, 0.017),
        (0.01825, 0.01614),
        (0.01883, 0.01732),
    ),
    *(
        (0.03259, 0.01734),
        (0.02105, 0.0164),
        (0.03369, 0.01623),
        (0.02786, 0.01701),
        (0.01364, 0.01708),
    ),
    *(
        (0.0466, 0.01829),
        (0.02489, 0.01785),
        (0.01934, 0.0182),
        (0.02267, 0.01827),
    ),
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


def test_what_early_stopping_waited_for_in_vain_no_longer_falls() -> None:
    verdict = diagnose(make_curves(WAITED_IN_VAIN, skill=0.985))

    assert (verdict.kind, verdict.sentence) == (
        "plateaued",
        "Plateaued: the validation loss came within 2% of its best, 0.01614, in epoch 69 of 79.",
    )


def test_a_loss_that_falls_by_next_to_nothing_of_the_baseline_has_settled() -> None:
    falling = tuple((2.0 / 1.3**epoch,) * 2 for epoch in range(35))

    assert diagnose(make_curves(falling, skill=1 - falling[-1][1] / 2.3)).kind == "plateaued"
    assert diagnose(make_curves(falling[:12], skill=0.9)).kind == "underfits"
