"""How do random models look? Layers drawn to fit the shape they get, or drawn to be wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from dltrain.shapes.effect import ImpossibleShapeError, NoRuleError, Shape
from dltrain.shapes.flow import Flow, apply_layer

Draw = Callable[..., Any]
Spec = dict[str, Any]

IMAGES = "{name: digits}"  # (8, 8, 1)
TEXTS = "{name: imdb, max_words: 12, max_length: 6}"  # (6,) ids
FEATURES = "{name: synthetic_regression, rows: 100, features: 24}"  # (24,)

# Shapes of the 64 numbers of an image, for layers of every number of axes.
FOLDS = [
    *([64], [16, 4], [8, 8], [32, 2], [8, 8, 1], [4, 4, 4], [16, 2, 2], [4, 8, 2]),
    *([4, 4, 2, 2], [2, 4, 4, 2], [2, 2, 4, 2, 2], [4, 2, 2, 2, 2]),
]
MAX_SIZE, MAX_PARAMETERS = 4_000, 200_000


@dataclass
class Model:
    """A config's layers as they grow: specs, and the shape that each is reckoned to give."""

    dataset: str
    specs: list[Spec] = field(default_factory=list)
    flows: dict[str, Flow] = field(default_factory=dict)

    @property
    def last(self) -> str:
        return list(self.flows)[-1]

    @property
    def shape(self) -> Shape:
        return self.flows[self.last].shape

    def add(self, spec: Spec, inputs: list[str], output: Flow) -> None:
        name = f"l{len(self.specs)}"
        self.specs.append({**spec, "name": name, "inputs": inputs})
        self.flows[name] = output


def small(draw: Draw, low: int = 1, high: int = 4) -> int:
    return draw(st.integers(low, high))


def axes_of(draw: Draw, rank: int, low: int = 1, high: int = 3) -> Any:
    """Draw one number, or one for each axis."""
    if draw(st.booleans()):
        return small(draw, low, high)
    return [small(draw, low, high) for _ in range(rank)]


def flag(draw: Draw) -> bool:
    return draw(st.booleans())


def maybe(draw: Draw, **choices: Any) -> Spec:
    """Return some of the arguments, or none."""
    return {name: value for name, value in choices.items() if flag(draw)}


def of(draw: Draw, *values: Any) -> Any:
    return draw(st.sampled_from(values))


def convolution(draw: Draw, rank: int) -> Spec:
    strides, dilation = of(draw, (1, 1), (1, 2), (axes_of(draw, rank), 1))
    paddings = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
    return {
        "filters": 2 * small(draw, 1, 3),
        "kernel_size": axes_of(draw, rank),
        "strides": strides,
        "dilation_rate": dilation,
        "padding": of(draw, *paddings),
        **maybe(draw, use_bias=False, activation="relu", groups=of(draw, 1, 2)),
        **(maybe(draw, lora_rank=2, trainable=False) if small(draw) == 1 else {}),
        **maybe_first(draw),
    }


def maybe_first(draw: Draw) -> Spec:
    return {"data_format": "channels_first"} if small(draw, 1, 8) == 1 else {}


def depthwise(draw: Draw, rank: int) -> Spec:
    return {
        "kernel_size": axes_of(draw, rank),
        "strides": small(draw, 1, 2),
        "padding": of(draw, "valid", "same"),
        "depth_multiplier": small(draw, 1, 2),
        **maybe(draw, use_bias=False, trainable=False),
        **maybe_first(draw),
    }


def separable(draw: Draw, rank: int) -> Spec:
    return {"filters": small(draw), **depthwise(draw, rank)}


def transposed(draw: Draw, rank: int) -> Spec:
    return {
        "filters": small(draw),
        "kernel_size": axes_of(draw, rank),
        "strides": axes_of(draw, rank),
        "padding": of(draw, "valid", "same"),
        **maybe(draw, use_bias=False),
    }


def pooling(draw: Draw, rank: int) -> Spec:
    return {
        "pool_size": axes_of(draw, rank),
        **maybe(draw, strides=axes_of(draw, rank), padding=of(draw, "valid", "same")),
        **maybe_first(draw),
    }


def global_pooling(draw: Draw, rank: int) -> Spec:
    return {**maybe(draw, keepdims=True), **maybe_first(draw)}


def adaptive(draw: Draw, rank: int) -> Spec:
    return {"output_size": axes_of(draw, rank), **maybe_first(draw)}


def margins(draw: Draw, rank: int) -> Any:
    if rank == 1:
        return of(draw, small(draw, 0, 2), [small(draw, 0, 2), small(draw, 0, 2)])
    pairs = [[small(draw, 0, 2), small(draw, 0, 1)] for _ in range(rank)]
    return of(draw, small(draw, 0, 2), [sum(pair) for pair in pairs], pairs)


def up_sampling(draw: Draw, rank: int) -> Spec:
    if rank == 1:
        return {"size": small(draw, 1, 3)}
    more = maybe(draw, interpolation="bilinear") if rank == 2 else {}
    return {"size": axes_of(draw, rank, 1, 2), **more, **maybe_first(draw)}


def conv_lstm(draw: Draw, rank: int) -> Spec:
    return {
        "filters": small(draw, 1, 2),
        "kernel_size": small(draw, 1, 2),
        "padding": of(draw, "valid", "same"),
        **maybe(draw, return_sequences=True, use_bias=False, strides=2),
    }


def recurrent(draw: Draw, kind: str) -> Spec:
    more = maybe(draw, reset_after=False) if kind == "gru" else {}
    return {
        "units": small(draw, 1, 5),
        **maybe(draw, return_sequences=True, use_bias=False, dropout=0.2, trainable=False),
        **more,
    }


def cell(draw: Draw) -> Spec:
    kind = of(draw, "gru", "lstm", "simple_rnn")
    more = maybe(draw, reset_after=False) if kind == "gru" else {}
    return {"type": f"{kind}_cell", "units": small(draw), **maybe(draw, use_bias=False), **more}


def cells(draw: Draw) -> Any:
    several = [cell(draw) for _ in range(small(draw, 1, 3))]
    return of(draw, several[0], several, {"type": "stacked_rnn_cells", "cells": several})


def dense(draw: Draw) -> Spec:
    lora = maybe(draw, lora_rank=small(draw, 1, 3)) if small(draw) == 1 else {}
    return {
        "units": small(draw, 1, 8),
        **maybe(draw, use_bias=False, activation=of(draw, "relu", "softmax"), trainable=False),
        **lora,
    }


def bidirectional(draw: Draw, shape: Shape) -> Spec:
    kind = of(draw, "gru", "lstm", "simple_rnn")
    return {
        "layer": {"type": kind, **recurrent(draw, kind)},
        **maybe(draw, merge_mode=of(draw, "sum", "mul", "ave")),
    }


def time_distributed(draw: Draw, shape: Shape) -> Spec:
    inner = shape[1:]
    kind = of(draw, *[name for name in INSIDE if fits(name, inner)] or ["dense"])
    return {"layer": {"type": kind, **ARGUMENTS[kind](draw, inner)}}


def pipeline(draw: Draw, shape: Shape) -> Spec:
    return {
        "layers": [
            {"type": "dense", **dense(draw)},
            {"type": "relu"},
            {"type": "dropout", "rate": 0.1},
        ]
    }


def spectral(draw: Draw, shape: Shape) -> Spec:
    kind = {2: "conv1d", 3: "conv2d", 4: "conv3d"}.get(len(shape), "dense")
    kind = of(draw, kind, "dense")
    arguments = dense(draw) if kind == "dense" else convolution(draw, len(shape) - 1)
    return {"layer": {"type": kind, **{k: v for k, v in arguments.items() if k != "lora_rank"}}}


def attention_heads(draw: Draw, shape: Shape) -> Spec:
    return {
        "num_heads": small(draw, 1, 3),
        "key_dim": small(draw),
        **maybe(draw, value_dim=small(draw), use_bias=False, use_gate=True, dropout=0.1),
        **maybe(draw, output_shape=of(draw, 3, [5])),
    }


def grouped_heads(draw: Draw, shape: Shape) -> Spec:
    few = small(draw, 1, 2)
    return {
        "head_dim": small(draw),
        "num_query_heads": few * small(draw, 1, 2),
        "num_key_value_heads": few,
        **maybe(draw, use_bias=False, use_gate=True, dropout=0.1),
    }


def axis_of(draw: Draw, shape: Shape) -> int:
    return of(draw, -1, *range(1, len(shape) + 1))


def reshape(draw: Draw, shape: Shape) -> Spec:
    size, target = math.prod(shape), []
    for _ in range(small(draw, 0, 3)):
        factor = of(draw, *[n for n in (1, 2, 3, 4, 8) if size % n == 0])
        size //= factor
        target.append(factor)
    return {"target_shape": [*target, of(draw, size, -1)]}


def prelu(draw: Draw, shape: Shape) -> Spec:
    shared = [axis for axis in range(1, len(shape) + 1) if flag(draw)]
    return {"shared_axes": shared} if shared else {}


def batch_normalization(draw: Draw, shape: Shape) -> Spec:
    more = maybe(draw, scale=False, center=False, trainable=False)
    return {"axis": axis_of(draw, shape), **more, **(maybe(draw, renorm=True))}


def layer_normalization(draw: Draw, shape: Shape) -> Spec:
    several = list(range(small(draw, 1, len(shape)), len(shape) + 1))
    axis = of(draw, axis_of(draw, shape), several)
    return {"axis": axis, **maybe(draw, scale=False, center=False)}


def group_normalization(draw: Draw, shape: Shape) -> Spec:
    axis = axis_of(draw, shape)
    size = shape[axis - 1 if axis > 0 else axis]
    groups = of(draw, -1, *[n for n in (1, 2, 4) if size % n == 0])
    return {"groups": groups, "axis": axis, **maybe(draw, scale=False)}


def given_statistics(draw: Draw, shape: Shape) -> Spec:
    count = of(draw, 1, shape[-1])
    return {"axis": -1, "mean": [0.5] * count, "variance": [2.0] * count}


def scale(draw: Draw, shape: Shape) -> Spec:
    return {"scale": of(draw, 0.5, [0.5] * shape[-1]), **maybe(draw, offset=-1.0)}


def nothing(draw: Draw, shape: Shape) -> Spec:
    return {}


def _ranked(name: str, draw_arguments: Any, ranks: tuple[int, ...] = (1, 2, 3)) -> Spec:
    return {
        name.format(rank): lambda draw, shape, rank=rank: draw_arguments(draw, rank)
        for rank in ranks
    }


# Arguments for every layer of one input that has a rule.
ARGUMENTS: dict[str, Callable[[Draw, Shape], Spec]] = {
    "activation": lambda draw, shape: {"activation": of(draw, "relu", "gelu", "tanh")},
    "activity_regularization": lambda draw, shape: {"l2": 0.1},
    **_ranked("adaptive_average_pooling{}d", adaptive),
    **_ranked("adaptive_max_pooling{}d", adaptive),
    "additive_attention": lambda draw, shape: maybe(draw, use_scale=False),
    "alpha_dropout": lambda draw, shape: {"rate": 0.1},
    "attention": lambda draw, shape: maybe(draw, use_scale=True, score_mode="concat"),
    **_ranked("average_pooling{}d", pooling),
    "batch_normalization": batch_normalization,
    "bidirectional": bidirectional,
    "center_crop": lambda draw, shape: {"height": small(draw, 1, 9), "width": small(draw, 1, 9)},
    **_ranked("conv{}d", convolution),
    **_ranked("conv{}d_transpose", transposed),
    **_ranked("conv_lstm{}d", conv_lstm),
    **_ranked("cropping{}d", lambda draw, rank: {"cropping": margins(draw, rank)}),
    "dense": lambda draw, shape: dense(draw),
    **_ranked("depthwise_conv{}d", depthwise, (1, 2)),
    "discretization": lambda draw, shape: {
        "bin_boundaries": [0.2, 0.5],
        "output_mode": of(draw, "int", "one_hot", "multi_hot", "count"),
    },
    "dropout": lambda draw, shape: {"rate": 0.3},
    "elu": nothing,
    "embedding": lambda draw, shape: {
        "input_dim": small(draw, 12, 20),
        "output_dim": small(draw),
        **maybe(draw, mask_zero=True, lora_rank=2, trainable=False),
    },
    "flatten": lambda draw, shape: maybe_first(draw),
    "gaussian_dropout": lambda draw, shape: {"rate": 0.1},
    "gaussian_noise": lambda draw, shape: {"stddev": 0.1},
    **_ranked("global_average_pooling{}d", global_pooling),
    **_ranked("global_max_pooling{}d", global_pooling),
    "group_normalization": group_normalization,
    "group_query_attention": grouped_heads,
    "gru": lambda draw, shape: recurrent(draw, "gru"),
    "hashing": lambda draw, shape: {
        "num_bins": small(draw, 2, 5),
        "output_mode": of(draw, "int", "one_hot", "multi_hot", "count"),
    },
    "identity": nothing,
    "integer_lookup": lambda draw, shape: {
        "vocabulary": [1, 2, 3],
        "output_mode": of(draw, "int", "one_hot", "multi_hot", "count"),
        **maybe(draw, num_oov_indices=2),
    },
    "category_encoding": lambda draw, shape: {
        "num_tokens": 12,
        "output_mode": of(draw, "one_hot", "multi_hot", "count"),
    },
    "layer_normalization": layer_normalization,
    "leaky_relu": nothing,
    "lstm": lambda draw, shape: recurrent(draw, "lstm"),
    "masking": nothing,
    **_ranked("max_pooling{}d", pooling),
    "multi_head_attention": attention_heads,
    "normalization": given_statistics,
    "permute": lambda draw, shape: {"dims": draw(st.permutations(list(range(1, len(shape) + 1))))},
    "pipeline": pipeline,
    "prelu": prelu,
    "relu": lambda draw, shape: maybe(draw, max_value=6.0),
    "repeat_vector": lambda draw, shape: {"n": small(draw)},
    "rescaling": scale,
    "reshape": reshape,
    "resizing": lambda draw, shape: {"height": small(draw, 1, 9), "width": small(draw, 1, 9)},
    "reversible_embedding": lambda draw, shape: {
        "input_dim": 12,
        "output_dim": small(draw),
        **maybe(draw, tie_weights=False),
    },
    "rms_normalization": lambda draw, shape: maybe(draw, axis=len(shape)),
    "rnn": lambda draw, shape: {"cell": cells(draw), **maybe(draw, return_sequences=True)},
    **_ranked("separable_conv{}d", separable, (1, 2)),
    "simple_rnn": lambda draw, shape: recurrent(draw, "simple_rnn"),
    "softmax": lambda draw, shape: {"axis": axis_of(draw, shape)},
    **_ranked("spatial_dropout{}d", lambda draw, rank: {"rate": 0.1}),
    "spectral_normalization": spectral,
    "time_distributed": time_distributed,
    "unit_normalization": lambda draw, shape: {"axis": axis_of(draw, shape)},
    **_ranked("up_sampling{}d", up_sampling),
    **_ranked(
        "zero_padding{}d",
        lambda draw, rank: {"padding": margins(draw, rank), **maybe_first(draw)},
    ),
}
INSIDE = ["dense", "conv1d", "conv2d", "max_pooling1d", "flatten", "lstm", "layer_normalization"]
ON_IDS = ("embedding", "reversible_embedding", "category_encoding", "integer_lookup")
MERGES = ("add", "average", "maximum", "minimum", "multiply", "subtract", "concatenate", "dot")
PAIRS = ("attention", "additive_attention", "multi_head_attention", "group_query_attention")
_SEQUENCE = {"bidirectional", "gru", "lstm", "simple_rnn", "rnn", *PAIRS}


def fits(kind: str, shape: Shape) -> bool:
    """Tell whether `kind` is made for as many axes as `shape` has."""
    rank = len(shape)
    if kind in _SEQUENCE:
        return rank == 2
    if kind.startswith("conv_lstm"):
        return rank == int(kind[-2]) + 2
    digit = kind.removesuffix("_transpose")[-2]
    if digit in "123" and kind.removesuffix("_transpose").endswith("d"):
        return rank == int(digit) + 1
    if kind in ("resizing", "center_crop"):
        return rank == 3
    if kind == "time_distributed":
        return rank > 1
    return rank == 1 if kind == "repeat_vector" else True


def start(draw: Draw, kind: str) -> Model:
    """Draw a dataset, and what makes a shape of it that `kind` can take."""
    if kind in ON_IDS:
        return Model(TEXTS, flows={"input": Flow((6,), integers=True)})
    folds = [fold for fold in FOLDS if kind not in ARGUMENTS or fits(kind, tuple(fold))]
    if [64] in folds and small(draw) == 1:
        return Model(FEATURES, flows={"input": Flow((24,))})
    model = Model(IMAGES, flows={"input": Flow((8, 8, 1))})
    fold = of(draw, *folds)
    model.add({"type": "reshape", "target_shape": fold}, ["input"], Flow(tuple(fold)))
    return model


def _try(model: Model, spec: Spec, inputs: list[str]) -> bool:
    """Add a layer if its rule says that it can be, and it stays small."""
    arguments = {name: value for name, value in spec.items() if name != "type"}
    try:
        effect, output = apply_layer(spec["type"], arguments, tuple(model.flows[i] for i in inputs))
    except (ImpossibleShapeError, NoRuleError):
        return False
    size, parameters = math.prod(effect.output), effect.trainable + effect.fixed
    if size > MAX_SIZE or parameters > MAX_PARAMETERS:
        return False
    model.add(spec, inputs, output)
    return True


def merge(draw: Draw, model: Model, kind: str) -> tuple[Spec, list[str]]:
    """Draw the arguments of a layer of several inputs, and which inputs."""
    names = [name for name in model.flows if name != "input"] or ["input"]
    inputs = [model.last, *[of(draw, model.last, *names) for _ in range(small(draw, 1, 2))]]
    if kind in ("subtract", "dot"):
        inputs = inputs[:2]
    if kind in PAIRS:
        return {"type": kind, **ARGUMENTS[kind](draw, model.flows[inputs[0]].shape)}, inputs
    shape = model.shape
    more = {"axis": axis_of(draw, shape)} if kind == "concatenate" else {}
    if kind == "dot":
        more = {"axes": of(draw, -1, axis_of(draw, shape))}
    return {"type": kind, **more}, inputs


def grow(draw: Draw, model: Model, kind: str) -> bool:
    """Add a layer of `kind` to the model's end, with the arguments that are drawn, if it can be."""
    if kind in MERGES or (kind in PAIRS and flag(draw)):
        return _try(model, *merge(draw, model, kind))
    shape = model.shape
    return _try(model, {"type": kind, **ARGUMENTS[kind](draw, shape)}, [model.last])


def grow_by_some(draw: Draw, model: Model, least: int, most: int) -> None:
    """Add layers that fit, whichever are drawn."""
    for _ in range(small(draw, least, most)):
        shape = model.shape
        kinds = [name for name in ARGUMENTS if fits(name, shape) and name not in ON_IDS]
        grow(draw, model, of(draw, *kinds, *MERGES))


@st.composite
def valid_models(draw: Draw, kind: str) -> Model:
    """Draw a model that can be built: `kind`, then a few layers that fit, with branches."""
    model = start(draw, kind)
    assume(grow(draw, model, kind))
    grow_by_some(draw, model, 0, 4)
    _end(model)
    return model


@st.composite
def doubtful_models(draw: Draw) -> Model:
    """Draw a model of which one layer was drawn without looking at its input."""
    model = start(draw, of(draw, "dense", "embedding", "conv2d", "lstm", "conv3d"))
    if model.dataset == TEXTS:
        grow(draw, model, of(draw, *ON_IDS))
    grow_by_some(draw, model, 0, 2)
    if small(draw) == 1:
        spec, inputs = merge(draw, model, of(draw, *MERGES, *PAIRS))
        if small(draw) == 1:
            inputs = inputs[:1] if flag(draw) else [*inputs, *inputs]
    else:
        kind = of(draw, *[name for name in ARGUMENTS if name not in ON_IDS])
        wrong = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=5)))
        shape = of(draw, wrong, model.shape)
        spec, inputs = {"type": kind, **ARGUMENTS[kind](draw, shape)}, [model.last]
        spec |= _grown(draw, spec)
    model.add(spec, inputs, Flow((1,)))
    _end(model)
    return model


def _grown(draw: Draw, spec: Spec) -> Spec:
    """Return one argument of `spec` larger than it would be drawn, or none."""
    sizes = ("kernel_size", "pool_size", "cropping", "axis", "groups")
    names = [name for name in sizes if isinstance(spec.get(name), int)]
    if not names or flag(draw):
        return {}
    name = of(draw, *names)
    grown = spec[name] + small(draw, 1, 6)
    return {name: grown} if grown > 0 else {}


def _end(model: Model) -> None:
    """End the model as a classifier or a regression does."""
    model.specs.append({"type": "flatten", "name": "flat", "inputs": [model.last]})
    units = {IMAGES: 10, TEXTS: 1, FEATURES: 1}[model.dataset]
    model.specs.append({"type": "dense", "units": units, "name": "out", "inputs": ["flat"]})
