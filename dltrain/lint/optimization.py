"""Does the optimizer get anywhere? The size of the learning rate, the order of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dltrain.catalog.components import find
from dltrain.config.load import LoadedConfig
from dltrain.config.schema import Spec
from dltrain.lint.finding import Note
from dltrain.lint.schedule_ends import inner_optimizer, peak_rate


@dataclass(frozen=True)
class Usual:
    """The learning rate to start from, and the lowest and highest that make sense."""

    rate: float
    low: float
    high: float


# Adam and its kin move each weight by about the rate itself a step (Kingma and Ba 2015,
# arXiv:1412.6980, section 2.1; default 1e-3): from 0.03 on, weights are thrown about.
_ADAM = Usual(1e-3, 1e-6, 0.03)

USUAL: dict[str, Usual] = {
    # He et al. 2015 (arXiv:1512.03385) start at 0.1; Smith and Topin 2018 (arXiv:1708.07120) peak
    # at 1 and more, with a schedule made for it.
    "sgd": Usual(0.01, 1e-5, 1.0),
    "adam": _ADAM,
    "adamw": _ADAM,
    "adamax": _ADAM,  # Kingma and Ba 2015, section 7.1: 2e-3
    "nadam": _ADAM,
    # Defazio et al. 2024, arXiv:2405.15682: 1 to 10 times Adam's; Keras's default is 2.5e-3.
    "schedule_free_adamw": Usual(2.5e-3, 1e-6, 0.1),
    "rmsprop": Usual(1e-3, 1e-6, 0.03),  # Hinton's lecture 6e, and Keras: 1e-3
    "adagrad": Usual(0.01, 1e-4, 1.0),  # Duchi et al. 2011; its steps shrink by themselves
    # Zeiler 2012 (arXiv:1212.5701) has no rate, which is a rate of 1; Keras's 1e-3 hardly moves.
    "adadelta": Usual(1.0, 0.01, 10.0),
    "ftrl": Usual(0.01, 1e-4, 1.0),  # McMahan et al. 2013, section 3: of AdaGrad's size
    "adafactor": Usual(1e-3, 1e-5, 0.1),  # Shazeer and Stern 2018, arXiv:1804.04235: 1e-2
    "lamb": Usual(1e-3, 1e-5, 0.1),  # You et al. 2020, arXiv:1904.00962: up to 0.02
    # Chen et al. 2023, arXiv:2302.06675, section 5: 3 to 10 times smaller than AdamW's.
    "lion": Usual(1e-4, 1e-7, 3e-3),
    "muon": Usual(1e-3, 1e-6, 0.1),  # Jordan et al. 2024: 0.02; Keras's default is 1e-3
}


def find_unusual_rate(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a learning rate far outside of what its optimizer is used with."""
    spec, path = inner_optimizer(loaded)
    usual = USUAL.get(spec["type"])
    component = find("optimizers", spec["type"])
    if usual is None or component is None:
        return
    rate = spec.get("learning_rate", component.arguments["learning_rate"].default)
    peak = peak_rate(rate)
    if usual.low <= peak <= usual.high:
        return
    scheduled = isinstance(rate, dict)
    name = _largest_key(rate) if isinstance(rate, dict) else "learning_rate"
    effect = "the loss will jump or overflow" if peak > usual.high else "the weights hardly move"
    yield Note(
        (*path, "learning_rate", name) if scheduled else (*path, "learning_rate"),
        f"{'a peak' if scheduled else 'a learning rate'} of {peak:g} is far from what "
        f"{spec['type']} is used with, {usual.low:g} to {usual.high:g}: {effect}.",
        f"Write `{name}: {usual.rate:g}` and go on from there."
        if name != "values"
        else f"Divide `values:` so that the largest is near {usual.rate:g}.",
    )


def find_no_shuffling(loaded: LoadedConfig) -> Iterator[Note]:
    """Find rows that come in the same order, and so in the same batches, in every epoch."""
    training = loaded.config.training
    if not training.shuffle and training.batch_size != "full":
        yield Note(
            ("training", "shuffle"),
            "without shuffling every epoch has the same batches in the same order, and their "
            "gradients the same bias.",
            "Write `shuffle: true`.",
        )


def _largest_key(rate: Spec) -> str:
    if rate["type"] == "piecewise_constant_decay":
        return "values"
    names = ("initial_learning_rate", "warmup_target", "max_learning_rate", "end_learning_rate")
    return max(names, key=lambda name: rate.get(name) or 0.0)
