"""What are the phases of a training: `training.phases`, checked, and which epochs each has?

A phase is a function of the epoch alone, so a run that goes on is in the one where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.catalog.suggest import nearest
from dltrain.config.components import check_spec
from dltrain.config.document import Problems
from dltrain.config.layers import Layer
from dltrain.config.paths import Path
from dltrain.config.reading import describe
from dltrain.config.schema import RunConfig, Spec
from dltrain.config.trainable import Trainable, check_trainable
from dltrain.config.wrong_values import add_wrong_value

PATH: Path = ("training", "phases")
KEYS = ("epochs", "learning_rate", "trainable")


@dataclass(frozen=True)
class Phase:
    """One part of a training: epochs `begin` to `end` (from 0, without the last).

    `optimizer` is the config's with this phase's learning rate. `trainable` None: as the model
    says.
    """

    number: int
    begin: int
    end: int
    optimizer: Spec
    trainable: Trainable | None

    @property
    def epochs(self) -> int:
        """Return how many epochs it has."""
        return self.end - self.begin


def list_phases(config: RunConfig) -> tuple[Phase, ...]:
    """Return the phases of a checked config, one of all epochs where it names none.

    The last lasts until `training.epochs`, which may be raised when a run goes on.
    """
    raw = config.training.phases or [{}]
    phases, begin = [], 0
    for number, phase in enumerate(raw):
        last = number == len(raw) - 1
        end = config.training.epochs if last else begin + phase["epochs"]
        optimizer = config.optimizer
        if phase.get("learning_rate") is not None:
            optimizer = _with_rate(optimizer, phase["learning_rate"])
        phases.append(Phase(number, begin, end, optimizer, phase.get("trainable")))
        begin = end
    return tuple(phases)


def find_phase(phases: Sequence[Phase], epoch: int) -> Phase:
    """Return the phase of epoch `epoch` (from 0); after the end, the last one."""
    return next((phase for phase in phases if epoch < phase.end), phases[-1])


def check_phases(training: dict[str, Any], optimizer: Spec | None, problems: Problems) -> None:
    """Check the form of `training.phases`, and fill in `training.epochs` if it isn't written.

    What isn't a list is the schema's to tell.
    """
    raw = training.get("phases")
    if not isinstance(raw, list) or not raw:
        return
    before = len(problems)
    checked = [
        _check_phase(phase, (*PATH, index), optimizer, problems) for index, phase in enumerate(raw)
    ]
    if len(problems) > before:
        training["phases"] = None
        return
    training["phases"] = checked
    total = training.get("epochs")
    for index, phase in enumerate(checked):
        if "epochs" not in phase and (total is None or index < len(checked) - 1):
            problems.add(
                (*PATH, index),
                "a phase needs `epochs:`.",
                hint="The last may leave it out if training.epochs says how many there are in all.",
                expected="epochs:",
                received="none",
            )
            training["phases"] = None
            return
    if total is None:
        training["epochs"] = sum(phase["epochs"] for phase in checked)
        return
    begin = sum(phase["epochs"] for phase in checked[:-1])
    if type(total) is int and total <= begin:
        problems.add(
            ("training", "epochs"),
            f"the last of {len(checked)} phases begins after {begin} epochs; there are {total}.",
            hint="Leave training.epochs out: it is then the sum of the phases.",
            expected=f"a whole number > {begin}",
            received=f"the number {total}",
        )


def check_phases_fit(config: RunConfig, layers: Sequence[Layer], problems: Problems) -> None:
    """Refuse layers that the model doesn't have, and pretrained ones where there are none."""
    names = [layer.name for layer in layers]
    for index, phase in enumerate(config.training.phases or ()):
        path = (*PATH, index, "trainable")
        trainable = phase.get("trainable")
        if isinstance(trainable, list):
            check_layer_names(trainable, path, names, problems)
        elif trainable is not None and not is_pretrained(config):
            problems.add(
                path,
                "all, none and last_n are about pretrained layers; this model has none.",
                hint="List the layers that are trained, or start from another run: model.from_run.",
                expected="a list of layers",
                received=describe(trainable),
            )


def check_layer_names(
    given: Sequence[str], path: Path, names: Sequence[str], problems: Problems
) -> None:
    """Refuse names in the list at `path` that no layer of `model.layers` bears."""
    for index, name in enumerate(given):
        if name not in names:
            problems.add(
                (*path, index),
                f"the model has no layer '{name}'.",
                hint="`dltrain check` shows the layers' names.",
                expected="the name of a layer of the model",
                received=f"'{name}'",
                suggestion=nearest(name, names),
            )


def is_pretrained(config: RunConfig) -> bool:
    """Tell whether a part of the model starts from weights of another."""
    return config.model.from_run is not None or config.model.pretrained is not None


def _check_phase(
    raw: object, path: Path, optimizer: Spec | None, problems: Problems
) -> dict[str, Any]:
    phase: dict[str, Any] = {}
    if not isinstance(raw, dict):
        problems.add(
            path,
            expected="a mapping with epochs, learning_rate or trainable",
            received=describe(raw),
        )
        return phase
    for key, value in raw.items():
        if key not in KEYS:
            problems.add(
                (*path, key),
                f"a phase has no key '{key}'.",
                hint=f"It takes {', '.join(KEYS)}.",
                of_key=True,
                expected=f"a key of a phase: {', '.join(KEYS)}",
                received=f"'{key}'",
                suggestion=nearest(str(key), KEYS),
            )
        elif value is not None:
            phase[key] = value
    epochs = phase.get("epochs")
    if epochs is not None and not (type(epochs) is int and epochs >= 1):
        add_wrong_value((*path, "epochs"), epochs, "a whole number >= 1", problems)
    if "learning_rate" in phase and optimizer is not None:
        # As the optimizer itself takes it: a number > 0, or a schedule.
        kind = _inner(optimizer)["type"]
        given = {"type": kind, "learning_rate": phase["learning_rate"]}
        spec = check_spec("optimizers", given, path, problems)
        phase["learning_rate"] = spec["learning_rate"] if spec else None
    if "trainable" in phase:
        where = (*path, "trainable")
        phase["trainable"] = check_trainable(phase["trainable"], where, problems, names=True)
    return phase


def _inner(optimizer: Spec) -> Spec:
    """Return the optimizer that has the learning rate: loss_scale_optimizer wraps one."""
    inner = optimizer.get("inner_optimizer")
    return _inner(inner) if isinstance(inner, dict) else optimizer


def _with_rate(optimizer: Spec, rate: Any) -> Spec:
    inner = optimizer.get("inner_optimizer")
    if isinstance(inner, dict):
        return {**optimizer, "inner_optimizer": _with_rate(inner, rate)}
    return {**optimizer, "learning_rate": rate}
