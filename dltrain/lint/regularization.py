"""Do dropout, normalization and penalties help, or hinder each other?"""

from __future__ import annotations

from collections.abc import Iterator

from dltrain.catalog.components import find
from dltrain.config.layers import Layer
from dltrain.config.load import LoadedConfig
from dltrain.config.paths import Path
from dltrain.lint.finding import Note
from dltrain.lint.layers import DROPOUTS, build_graph, is_elementwise
from dltrain.lint.schedule_ends import inner_optimizer

# Wu and He 2018, "Group Normalization", arXiv:1803.08494, figure 1: the error with batch
# normalization is flat from 32 rows a batch down to 16, and rises from 8 on.
_LEAST_BATCH = 8


def find_dropped_outputs(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a dropout on the outputs themselves."""
    for layer in build_graph(loaded.layers).from_the_output():
        if layer.type in DROPOUTS and layer.arguments.get("rate") != 0:
            yield Note(
                layer.path,
                f"{layer.type} at the end drops the outputs themselves: in training the loss is "
                "computed on zeros that no weight can change.",
                "Put it in front of the last dense layer.",
            )
        elif not is_elementwise(layer):
            return


def find_dropout_before_normalization(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a dropout whose output goes straight into a batch normalization."""
    graph = build_graph(loaded.layers)
    for layer in graph.layers:
        if layer.type != "batch_normalization":
            continue
        above = graph.before(layer)
        while above is not None and is_elementwise(above):
            above = graph.before(above)
        if above is not None and above.type in DROPOUTS and above.arguments.get("rate") != 0:
            # Li et al. 2018, arXiv:1801.05134.
            yield Note(
                above.path,
                f"{above.type} right before batch_normalization: dropping changes the variance in "
                "training but not later, so the averages that are kept are wrong for prediction.",
                "Put it behind the last batch_normalization, in front of the last dense layer.",
            )


def find_double_decay(loaded: LoadedConfig) -> Iterator[Note]:
    """Find L2 penalties together with an optimizer that decays the weights as well."""
    optimizer, _ = inner_optimizer(loaded)
    component = find("optimizers", optimizer["type"])
    argument = component.arguments.get("weight_decay") if component else None
    decay = optimizer.get("weight_decay", argument.default if argument else None)
    if not decay:
        return
    for place, l2 in _find_penalties(loaded):
        yield Note(
            place,
            f"an L2 penalty of {l2:g} and {optimizer['type']}'s weight decay of {decay:g} both "
            "shrink the weights: neither number says by how much.",
            ("Write `l2: 0`" if place[-1] == "l2" else f"Leave {place[-1]} out")
            + " and keep the weight decay, or write `weight_decay: 0` in the optimizer.",
        )


def find_normalization_of_few(loaded: LoadedConfig) -> Iterator[Note]:
    """Find batch normalization over batches that are too small for a mean and a variance."""
    batch = loaded.config.training.batch_size
    kinds = {layer.type for layer in build_graph(loaded.layers).layers}
    if batch != "full" and batch < _LEAST_BATCH and "batch_normalization" in kinds:
        rows = f"{batch} row{'' if batch == 1 else 's'}"
        yield Note(
            ("training", "batch_size"),
            f"batch_normalization takes mean and variance of {rows}: they are mostly chance.",
            "Write `batch_size: 32`, or layer_normalization instead of batch_normalization.",
        )


def _find_penalties(loaded: LoadedConfig) -> Iterator[tuple[Path, float]]:
    """Yield where L2 penalties on weights stand, with their factors."""
    if loaded.config.regularization.l2:
        yield ("regularization", "l2"), loaded.config.regularization.l2
    for layer in build_graph(loaded.layers).layers:
        yield from _find_layer_penalties(layer)


def _find_layer_penalties(layer: Layer) -> Iterator[tuple[Path, float]]:
    for name, spec in layer.arguments.items():
        if not name.endswith("_regularizer") or not isinstance(spec, dict):
            continue
        component = find("regularizers", spec["type"])
        argument = component.arguments.get("l2") if component else None
        l2 = spec.get("l2", argument.default if argument else 0.0)
        # activity_regularizer penalizes outputs, and no weight.
        if l2 and name != "activity_regularizer":
            yield (*layer.path, name), l2
