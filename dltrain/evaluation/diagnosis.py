"""What do the curves of a training say of it: does it overfit, underfit, jump, or has it settled?

The rules are those of a person who looks at the losses (Goodfellow et al. 2016, "Deep Learning",
5.2 and 11.3); the thresholds are round numbers that tell the curves of tests/evaluation apart.
Nothing is read but the epochs' numbers, so that a report says of a run what its `fit` said.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

Kind = Literal["overfits", "underfits", "unstable", "plateaued", "unclear"]

History = Sequence[Mapping[str, float]]
"""Rows of history.csv: `epoch` (from 1), `loss`, and `val_loss` where there are such rows."""

# Fewer epochs than this make no curve.
_LEAST_EPOCHS = 4

# A loss that falls by less than this share of itself, over the last quarter of the epochs, has
# settled.
_SETTLED = 0.02

# Nor does it fall any more if it does so by less than this share of the baseline's loss: the
# cross-entropy of rows that are all classified right falls for ever.
_WORTH = 0.005

# The validation loss is over its best by this share of it: more than it wavers.
_RISEN = 0.05

# The training loss below this share of the validation loss: the rows are known by heart.
_BY_HEART = 0.5

# A step up by this share of the curve's span, and of the loss itself, is a jump; so many, as a
# share of all steps, make a curve unstable.
_JUMP_OF_SPAN = 0.15
_JUMP_OF_LOSS = 0.1
_JUMPS = 0.15

# A model that takes away less than this share of the baseline's loss has hardly learned.
_LITTLE_SKILL = 0.5


@dataclass(frozen=True)
class Curves:
    """What diagnosis looks at: the losses epoch by epoch, and what they can be held against.

    `validation` is empty without validation rows. `comparable` says whether the training loss is
    one of the training rows as they are, with neither a row repeated nor one weighed. `skill` is
    the share of the baseline's loss that the best model takes away on validation rows: 0 is
    the baseline, 1 perfect, None unknown.
    """

    epochs: tuple[int, ...]
    training: tuple[float, ...]
    validation: tuple[float, ...] = ()
    comparable: bool = True
    skill: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What the curves say, in a word and in a sentence.

    `reason` tells forms of a kind apart for those that give advice: `still falling` and `hardly
    learns` underfit, `rises` and `by heart` overfit; "" elsewhere.
    """

    kind: Kind
    sentence: str
    reason: Literal["", "still falling", "hardly learns", "rises", "by heart"] = ""


def read_curves(history: History, *, comparable: bool = True, skill: float | None = None) -> Curves:
    """Return the curves of a run's history."""
    validation = [row["val_loss"] for row in history if "val_loss" in row]
    return Curves(
        epochs=tuple(int(row["epoch"]) for row in history),
        training=tuple(row["loss"] for row in history),
        validation=tuple(validation) if len(validation) == len(history) else (),
        comparable=comparable,
        skill=skill,
    )


def diagnose(curves: Curves) -> Verdict:
    """Say what the curves show; "unclear" where they show nothing, with what is missing."""
    count = len(curves.epochs)
    if count < _LEAST_EPOCHS:
        many = {0: "No epoch was finished", 1: "One epoch is"}.get(count, f"{count} epochs are")
        end = ": the curves say nothing." if count == 0 else " too few for a curve to say anything."
        return Verdict("unclear", many + end)
    checks = (_find_jumps, _find_overfitting, _find_falling, _find_little_skill, _find_rest)
    return next(verdict for check in checks if (verdict := check(curves)) is not None)


def _find_jumps(curves: Curves) -> Verdict | None:
    for name, losses in (("training", curves.training), ("validation", curves.validation)):
        jumps = _count_jumps(losses)
        if jumps >= 2 and jumps >= _JUMPS * (len(losses) - 1):
            return Verdict(
                "unstable",
                f"Unstable: the {name} loss jumped up {jumps} times in {len(losses)} epochs, "
                f"between {min(losses):.4g} and {max(losses):.4g}.",
            )
    if curves.training[-1] > 1.1 * curves.training[0] > 0:
        return Verdict(
            "unstable",
            f"Unstable: the training loss ended at {curves.training[-1]:.4g}, above the "
            f"{curves.training[0]:.4g} of the first epoch.",
        )
    return None


def _count_jumps(losses: Sequence[float]) -> int:
    """Return how often a loss rose at once by much; a loss that only rises, as when rows are
    learned by heart, doesn't come down between its steps and counts once.
    """
    if not losses:
        return 0
    span = max(losses) - min(losses)
    jumps, fell = 0, True
    for before, after in itertools.pairwise(losses):
        rise = after - before
        if rise > _JUMP_OF_SPAN * span and rise > _JUMP_OF_LOSS * abs(before):
            jumps += fell
            fell = False
        elif rise < 0:
            fell = True
    return jumps


def _find_overfitting(curves: Curves) -> Verdict | None:
    losses = curves.validation
    if not losses:
        return None
    best = losses.index(min(losses))
    last = fmean(losses[best + 1 :][-3:]) if best < len(losses) - 2 else losses[best]
    learned = curves.training[-1] < curves.training[best]
    if learned and last - losses[best] > _RISEN * abs(losses[best]):
        return Verdict(
            "overfits",
            f"Overfits: after epoch {curves.epochs[best]} of {curves.epochs[-1]} the validation "
            f"loss rose from {losses[best]:.4g} to {losses[-1]:.4g}, while the training loss fell "
            f"from {curves.training[best]:.4g} to {curves.training[-1]:.4g}.",
            "rises",
        )
    known = 0 <= curves.training[-1] < _BY_HEART * losses[-1]
    if curves.comparable and known and not _is_falling(losses, curves.skill):
        return Verdict(
            "overfits",
            f"Overfits: the training loss fell to {curves.training[-1]:.4g}, far below the "
            f"validation loss, which stays at {losses[best]:.4g}.",
            "by heart",
        )
    return None


def _find_falling(curves: Curves) -> Verdict | None:
    losses = curves.validation or curves.training
    if not _is_falling(losses, curves.skill):
        return None
    name = "validation" if curves.validation else "training"
    quarter = _last_quarter(losses)
    return Verdict(
        "underfits",
        f"Underfits: the {name} loss was still falling when the training ended, from "
        f"{quarter[0]:.4g} to {min(quarter):.4g} in its last {len(quarter) - 1} "
        f"epoch{'s' if len(quarter) > 2 else ''}." + ("" if curves.validation else _NO_VALIDATION),
        "still falling",
    )


def _find_little_skill(curves: Curves) -> Verdict | None:
    if curves.skill is None or curves.skill >= _LITTLE_SKILL or not curves.validation:
        return None
    share = max(0, round(100 * curves.skill))
    near = (
        f", and the training loss, at {curves.training[-1]:.4g}, is not far below the validation "
        f"loss, {curves.validation[-1]:.4g}"
        if curves.comparable and curves.training[-1] >= _BY_HEART * curves.validation[-1]
        else ""
    )
    return Verdict(
        "underfits",
        f"Underfits, unless the rows tell no more: the best model takes {share}% off the "
        f"baseline's loss on validation rows{near}.",
        "hardly learns",
    )


def _find_rest(curves: Curves) -> Verdict:
    losses = curves.validation or curves.training
    best = min(losses)
    near = next(i for i, loss in enumerate(losses) if loss <= best + _SETTLED * abs(best))
    name = "validation" if curves.validation else "training"
    return Verdict(
        "plateaued",
        f"Plateaued: the {name} loss came within {_SETTLED:.0%} of its best, {best:.4g}, in epoch "
        f"{curves.epochs[near]} of {curves.epochs[-1]}."
        + ("" if curves.validation else _NO_VALIDATION),
    )


_NO_VALIDATION = " Without validation rows nothing says whether it overfits."


def _last_quarter(losses: Sequence[float]) -> Sequence[float]:
    """Return the loss before the last quarter of the epochs, and those of that quarter."""
    return losses[-max(1, len(losses) // 4) - 1 :]


def _is_falling(losses: Sequence[float], skill: float | None) -> bool:
    """Tell whether the last quarter of the epochs brought a loss that is clearly lower, and the
    best came at its end: what early stopping waited for in vain no longer falls.
    """
    quarter = _last_quarter(losses)
    before = min(losses[: len(losses) - len(quarter) + 1])
    best = min(quarter)
    at_end = min(losses[-max(2, len(losses) // 8) :]) == best
    worth = True
    if skill is not None and 0 < skill < 1:
        baseline = best / (1 - skill)
        worth = before - best > _WORTH * baseline
    return at_end and worth and before - best > _SETTLED * abs(before)
