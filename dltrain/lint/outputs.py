"""Do the last layer's outputs mean what the loss takes them for?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dltrain.catalog.components import find
from dltrain.config.load import LoadedConfig
from dltrain.config.paths import Path
from dltrain.config.targets import CROSS_ENTROPY, last_layer
from dltrain.lint.finding import Note
from dltrain.lint.layers import Graph, activation_name, build_graph, output_activation, write_flow

# Activations whose outputs lie between 0 and 1.
_SQUASHING = {"softmax", "sigmoid", "hard_sigmoid", "sparse_sigmoid", "sparsemax"}

# Losses that take the logarithm or the overlap of probabilities, unless from_logits says otherwise.
_OF_PROBABILITIES = {
    *("binary_crossentropy", "binary_focal_crossentropy", "sparse_categorical_crossentropy"),
    *("categorical_crossentropy", "categorical_focal_crossentropy", "kl_divergence"),
    *("categorical_generalized_cross_entropy", "dice", "tversky"),
}
_SUM_TO_ONE = {
    *("sparse_categorical_crossentropy", "categorical_crossentropy"),
    "categorical_focal_crossentropy",
}
_PLAIN = {"binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"}

# What an activation's outputs are bound to.
_ABOVE_ZERO = dict.fromkeys(("relu", "softplus", "exponential", "squareplus"), "nothing below 0")
_BOUNDED = {
    "relu6": "only 0 to 6",
    **dict.fromkeys(("sigmoid", "hard_sigmoid", "sparse_sigmoid", "sparsemax"), "only 0 to 1"),
    **dict.fromkeys(("tanh", "hard_tanh", "softsign"), "only -1 to 1"),
    "log_sigmoid": "nothing above 0",
}
# Smooth and above zero: the usual outputs for a target that is never negative.
_FOR_POSITIVE_TARGETS = {"softplus", "exponential", "squareplus"}
_POSITIVE_LOSSES = {"poisson", "mean_squared_logarithmic_error"}


def find_squashed_logits(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a softmax or sigmoid before a loss that applies it once more."""
    kind, found = loaded.targets.loss["type"], _activation(loaded)
    if not loaded.targets.loss.get("from_logits") or found is None or found[0] not in _SQUASHING:
        return
    if _is_softmax_of_one(loaded):
        return
    again = "a sigmoid" if loaded.targets.units == 1 else "a softmax"
    yield Note(
        _loss_path(loaded) or found[1],
        f"{kind} takes logits and applies {again} itself, but the last layer has {found[0]} "
        "already: squashed twice, the classes can hardly be told apart.",
        f"Write `{_last_line(loaded, None)}` as the last layer.",
    )


def find_raw_probabilities(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a loss that expects probabilities after a last layer that gives none."""
    loss = loaded.targets.loss
    if not _expects_probabilities(loaded) or _may_give_probabilities(loaded):
        return
    clips = "crossentropy" in loss["type"]
    if loss["type"] in _PLAIN:
        fix = "Write `loss: cross_entropy`, which takes the outputs as they are."
    elif "from_logits" in _arguments(loss):
        fix = f"Write `loss: {write_flow({**loss, 'from_logits': True})}`."
    else:
        fix = f"Write `{_last_line(loaded, _squashing(loaded))}` as the last layer."
    yield Note(
        _loss_path(loaded) or ("loss",),
        f"{loss['type']} expects probabilities, but the last layer has no {_squashing(loaded)}: "
        "its outputs may be any number"
        + (", and what isn't between 0 and 1 is clipped and learns nothing." if clips else "."),
        fix,
    )


def find_sigmoid_over_classes(loaded: LoadedConfig) -> Iterator[Note]:
    """Find sigmoids, which don't sum to 1, under a loss over classes that exclude each other."""
    found, kind = _activation(loaded), loaded.targets.loss["type"]
    if found is None or kind not in _SUM_TO_ONE or loaded.targets.loss.get("from_logits"):
        return
    if found[0] in ("sigmoid", "hard_sigmoid", "sparse_sigmoid"):
        yield Note(
            found[1],
            f"{kind} compares classes that exclude each other, but outputs of {found[0]} don't "
            "sum to 1.",
            f"Write `{_last_line(loaded, 'softmax')}` as the last layer.",
        )


def find_softmax_of_one(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a softmax over one unit."""
    found = _activation(loaded)
    if found is not None and _is_softmax_of_one(loaded):
        activation = None if loaded.info.task == "regression" else "sigmoid"
        yield Note(
            found[1],
            f"{found[0]} over one unit is always 1, whatever the model learns.",
            f"Write `{_last_line(loaded, activation)}` as the last layer.",
        )


def find_bounded_regression(loaded: LoadedConfig) -> Iterator[Note]:
    """Find an activation that keeps a regression from some of its targets."""
    found = _activation(loaded)
    if loaded.info.task != "regression" or found is None or found[0] in _FOR_POSITIVE_TARGETS:
        return
    name, path = found
    loss = loaded.targets.loss["type"]
    bound = (_ABOVE_ZERO | _BOUNDED).get(name)
    if bound is None or (name in _ABOVE_ZERO and loss in _POSITIVE_LOSSES):
        return
    dead = ", and an output that is 0 for every row learns no more" if name == "relu" else ""
    yield Note(
        path,
        f"the target is a number, and {name} lets {bound} through: targets beyond can't be "
        f"predicted{dead}.",
        f"Write `{_last_line(loaded, None)}` as the last layer.",
    )


def find_bounded_logits(loaded: LoadedConfig) -> Iterator[Note]:
    """Find an activation that keeps logits from being any number."""
    found = _activation(loaded)
    if not loaded.targets.loss.get("from_logits") or found is None or found[0] in _SQUASHING:
        return
    bound = (_ABOVE_ZERO | _BOUNDED).get(found[0])
    if bound is not None:
        yield Note(
            found[1],
            f"the outputs are logits, which may be any number, and {found[0]} lets {bound} "
            "through: the model can't say that a class is very unlikely or very likely.",
            f"Write `{_last_line(loaded, None)}` as the last layer.",
        )


def _activation(loaded: LoadedConfig) -> tuple[str, Path] | None:
    return output_activation(build_graph(loaded.layers))


def _loss_path(loaded: LoadedConfig) -> Path | None:
    """Return the place of a loss named literally; None where `cross_entropy` chose it."""
    return None if loaded.config.loss["type"] == CROSS_ENTROPY else ("loss",)


def _arguments(loss: dict[str, Any]) -> set[str]:
    component = find("losses", loss["type"])
    return set(component.arguments) if component else set()


def _expects_probabilities(loaded: LoadedConfig) -> bool:
    loss = loaded.targets.loss
    classes = loaded.info.task == "classification"
    return classes and loss["type"] in _OF_PROBABILITIES and not loss.get("from_logits")


def _may_give_probabilities(loaded: LoadedConfig) -> bool:
    graph = build_graph(loaded.layers)
    found = output_activation(graph)
    if found is not None:
        return found[0] in _SQUASHING
    units, _ = last_layer(list(loaded.layers))
    # An average over positions of softmaxes is one, too: what comes further up counts there.
    return units is None and _has_squashing(graph)


def _has_squashing(graph: Graph) -> bool:
    names = {activation_name(layer.arguments.get("activation")) for layer in graph.layers}
    return bool((names | {layer.type for layer in graph.layers}) & _SQUASHING)


def _is_softmax_of_one(loaded: LoadedConfig) -> bool:
    found = _activation(loaded)
    units, _ = last_layer(list(loaded.layers))
    return units == 1 and found is not None and found[0] in ("softmax", "sparsemax")


def _squashing(loaded: LoadedConfig) -> str:
    return "sigmoid" if loaded.targets.units == 1 else "softmax"


def _last_line(loaded: LoadedConfig, activation: str | None) -> str:
    spec: dict[str, Any] = {"type": "dense", "units": loaded.targets.units}
    return f"- {write_flow(spec | ({'activation': activation} if activation else {}))}"
