"""Which arguments may a layer have? Drawn at random, to fit the shape that it gets."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from dltrain.shapes.effect import Shape

Draw = Callable[..., Any]
Spec = dict[str, Any]


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
