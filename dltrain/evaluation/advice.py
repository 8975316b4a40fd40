"""What may be tried against what the curves show? A sentence each, with the lines of the config.

Only what the config doesn't have yet is proposed, and what its data can have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import yaml

from dltrain.catalog.components import find
from dltrain.config.load import LoadedConfig
from dltrain.config.placement import LABEL_MIXING
from dltrain.evaluation.diagnosis import History, Kind, Verdict, diagnose, read_curves

# More than this is a list, and no advice.
_MOST = 3

_NOISE = ("dropout", "noise")


@dataclass(frozen=True)
class Suggestion:
    """One thing to try: why, and the line of the config that does it."""

    text: str
    line: str


@dataclass(frozen=True)
class Diagnosis:
    """What the curves of a training say, and what to try."""

    kind: Kind
    sentence: str
    suggestions: tuple[Suggestion, ...]

    def describe(self) -> dict[str, Any]:
        """Return the JSON-able form."""
        return {
            "kind": self.kind,
            "sentence": self.sentence,
            "suggestions": [{"text": each.text, "line": each.line} for each in self.suggestions],
        }


def diagnose_run(
    history: History, loaded: LoadedConfig, scores: Mapping[str, Mapping[str, Any]]
) -> Diagnosis:
    """Return the diagnosis of a finished training; `scores` are by split, as in metrics.json.

    Only validation scores are looked at: advice that followed the test rows would overfit them.
    """
    curves = read_curves(
        history,
        comparable=loaded.config.training.balance is None,
        skill=_measure_skill(scores.get("validation", {})),
    )
    verdict = diagnose(curves)
    suggestions = tuple(islice(_suggest(verdict, loaded, len(history)), _MOST))
    return Diagnosis(verdict.kind, verdict.sentence, suggestions)


def _measure_skill(scores: Mapping[str, Any]) -> float | None:
    """Return the share of the baseline's loss that the model takes away, None where unknown."""
    name = "mse" if scores.get("task") == "regression" else "log_loss"
    value = (scores.get(name) or {}).get("value")
    baseline = (scores.get("baseline", {}).get(name) or {}).get("value")
    return 1 - value / baseline if value is not None and baseline else None


def _suggest(verdict: Verdict, loaded: LoadedConfig, epochs: int) -> Iterator[Suggestion]:
    if not loaded.config.dataset.validation_split:
        text = "Hold out rows that tell whether it overfits."
        yield _set(text, dataset={"validation_split": 0.1})
    if verdict.kind == "unclear":
        if epochs >= loaded.config.training.epochs:  # it wasn't stopped on the way
            yield _set("Train for longer.", training={"epochs": max(10, 3 * epochs)})
    elif verdict.kind == "unstable":
        yield from _calm(loaded)
    elif verdict.kind == "overfits":
        yield from _regularize(loaded)
    elif verdict.reason == "still falling":
        yield from _train_longer(loaded, epochs)
    elif verdict.reason == "hardly learns":
        yield from _learn_more(loaded)
    else:
        yield from _move_on(loaded)


def _calm(loaded: LoadedConfig) -> Iterator[Suggestion]:
    optimizer, training = loaded.config.optimizer, loaded.config.training
    yield _change_rate(optimizer, 0.3, "Take smaller steps.")
    if not any(optimizer.get(name) for name in ("clipnorm", "clipvalue", "global_clipnorm")):
        clipped = {**optimizer, "global_clipnorm": 1.0}
        yield _set("Cut off large gradients.", optimizer=clipped)
    if isinstance(training.batch_size, int):
        size = 4 * training.batch_size
        yield _set("Average over more rows a step.", training={"batch_size": size})


def _regularize(loaded: LoadedConfig) -> Iterator[Suggestion]:
    config, modality = loaded.config, loaded.info.modality
    if config.training.early_stopping is None:
        text = "Stop when it begins (the best epoch's model is kept anyway)."
        yield _set(text, training={"early_stopping": {"patience": 5}})
    if modality == "image" and not config.dataset.augment:
        text = "Show each image a little shifted in every epoch."
        yield _set(text, dataset={"augment": [_SHIFT]})
    if modality == "text" and not config.dataset.word_dropout:
        yield _set("Leave out words at random.", dataset={"word_dropout": 0.1})
    if not any(part in layer.type for layer in loaded.layers for part in _NOISE):
        text = "Drop values at random, before the last of model.layers."
        yield Suggestion(text, "- {type: dropout, rate: 0.3}")
    if not config.regularization.l2 and not config.optimizer.get("weight_decay"):
        yield _set("Keep the weights small.", regularization={"l2": 1e-4})
    specs = config.dataset.augment
    mixes = {spec["type"] for spec in specs} & LABEL_MIXING
    if modality == "image" and not mixes:
        text = "Mix pairs of images and their labels."
        yield _set(text, dataset={"augment": [*specs, {"type": "mix_up"}]})


def _train_longer(loaded: LoadedConfig, epochs: int) -> Iterator[Suggestion]:
    stopping = loaded.config.training.early_stopping
    if stopping is not None and epochs < loaded.config.training.epochs:
        patience = {"patience": max(2, 2 * stopping.patience)}
        text = "Wait for longer before it is stopped."
        yield _set(text, training={"early_stopping": patience})
    elif epochs >= loaded.config.training.epochs:
        yield _set("Train for longer.", training={"epochs": 2 * epochs})
    yield _change_rate(loaded.config.optimizer, 3.0, "Or take larger steps.")


def _learn_more(loaded: LoadedConfig) -> Iterator[Suggestion]:
    config = loaded.config
    if config.dataset.normalize == "none" and loaded.info.modality != "text":
        method = "unit" if loaded.info.modality == "image" else "standard"
        yield _set("Bring the inputs to one scale.", dataset={"normalize": method})
    if config.regularization.l1 or config.regularization.l2:
        yield _set("Let the weights grow.", regularization={"l1": 0.0, "l2": 0.0})
    yield _change_rate(config.optimizer, 3.0, "Take larger steps (if that is worse, smaller ones).")
    yield _LARGER


def _move_on(loaded: LoadedConfig) -> Iterator[Suggestion]:
    training, rate = loaded.config.training, loaded.config.optimizer.get("learning_rate")
    if training.early_stopping is None:
        text = "Save the epochs that bring nothing."
        yield _set(text, training={"early_stopping": {"patience": 5}})
    if training.reduce_lr_on_plateau is None and not isinstance(rate, dict):
        text = "Take smaller steps once it settles."
        yield _set(text, training={"reduce_lr_on_plateau": {"patience": 3, "factor": 0.3}})
    yield _LARGER


_SHIFT = {"type": "random_translation", "height_factor": 0.1, "width_factor": 0.1}
_LARGER = Suggestion(
    "Give the model more units, or another of model.layers.",
    "- {type: dense, units: 256, activation: relu}",
)
# Where a schedule has its largest rate, the likeliest first.
_PEAKS = ("max_learning_rate", "warmup_target", "initial_learning_rate")


def _change_rate(optimizer: Mapping[str, Any], factor: float, text: str) -> Suggestion:
    """Return the suggestion of a learning rate times `factor`, to one digit."""
    rate = optimizer.get("learning_rate")
    if rate is None:
        component = find("optimizers", optimizer["type"])
        rate = component.arguments["learning_rate"].default if component else 1e-3
    changed: Any = None
    if isinstance(rate, dict):
        name = next((key for key in _PEAKS if rate.get(key)), None)
        if name is None:  # piecewise_constant_decay
            changed = {**rate, "values": [_round(value * factor) for value in rate["values"]]}
        else:
            changed = {**rate, name: _round(rate[name] * factor)}
    else:
        changed = _round(rate * factor)
    return _set(text, optimizer={**optimizer, "learning_rate": changed})


def _round(rate: float) -> float:
    return float(f"{rate:.1g}")


def _set(text: str, **section: Any) -> Suggestion:
    ((name, value),) = section.items()
    line = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False)
    return Suggestion(text, f"{name}: {line.strip()}")
