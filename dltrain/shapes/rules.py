"""Which rule goes with which layer? A plain table, and the way to one layer's effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dltrain.catalog.components import find
from dltrain.shapes import (
    attention,
    convolution,
    dense,
    embedding,
    encoding,
    merging,
    normalization,
    pooling,
    recurrent,
    reshaping,
    resizing,
    unchanged,
    wrapping,
)
from dltrain.shapes.effect import Arguments, Effect, NoRuleError, Rule, Shape


def _by_rank(name: str, rule: Callable[..., Effect], ranks: tuple[int, ...]) -> dict[str, Rule]:
    """Return `{"conv1d": …, "conv2d": …}` for `conv{}d`."""
    return {name.format(rank): partial(rule, rank) for rank in ranks}


_ALL = (1, 2, 3)

RULES: Mapping[str, Rule] = {
    "activation": unchanged.keep,
    "activity_regularization": unchanged.keep,
    **_by_rank("adaptive_average_pooling{}d", pooling.pool_adaptively, _ALL),
    **_by_rank("adaptive_max_pooling{}d", pooling.pool_adaptively, _ALL),
    "add": merging.merge,
    "additive_attention": attention.additive_attention,
    "alpha_dropout": unchanged.keep,
    "attention": attention.attention,
    "average": merging.merge,
    **_by_rank("average_pooling{}d", pooling.pool, _ALL),
    "batch_normalization": normalization.batch_normalization,
    "category_encoding": encoding.category_encoding,
    "center_crop": resizing.resize,
    "concatenate": merging.concatenate,
    **_by_rank("conv{}d", convolution.convolution, _ALL),
    **_by_rank("conv{}d_transpose", convolution.transposed, _ALL),
    **_by_rank("conv_lstm{}d", recurrent.conv_lstm, _ALL),
    **_by_rank("cropping{}d", resizing.cropping, _ALL),
    "dense": dense.dense,
    **_by_rank("depthwise_conv{}d", convolution.depthwise, (1, 2)),
    "discretization": encoding.discretization,
    "dot": merging.dot,
    "dropout": unchanged.keep,
    "elu": unchanged.keep,
    "embedding": embedding.embedding,
    "flatten": reshaping.flatten,
    "gaussian_dropout": unchanged.keep,
    "gaussian_noise": unchanged.keep,
    **_by_rank("global_average_pooling{}d", pooling.pool_globally, _ALL),
    **_by_rank("global_max_pooling{}d", pooling.pool_globally, _ALL),
    "group_normalization": normalization.group_normalization,
    "group_query_attention": attention.group_query_attention,
    "gru": partial(recurrent.recurrent, "gru"),
    "hashing": encoding.hashing,
    "identity": unchanged.keep,
    "integer_lookup": encoding.integer_lookup,
    "layer_normalization": normalization.layer_normalization,
    "leaky_relu": unchanged.keep,
    "lstm": partial(recurrent.recurrent, "lstm"),
    "masking": unchanged.keep,
    **_by_rank("max_pooling{}d", pooling.pool, _ALL),
    "maximum": merging.merge,
    "minimum": merging.merge,
    "multi_head_attention": attention.multi_head_attention,
    "multiply": merging.merge,
    "normalization": normalization.normalize_by_given,
    "permute": reshaping.permute,
    "prelu": unchanged.prelu,
    "relu": unchanged.keep,
    "repeat_vector": reshaping.repeat_vector,
    "rescaling": normalization.rescale,
    "reshape": reshaping.reshape,
    "resizing": resizing.resize,
    "reversible_embedding": embedding.embedding,
    "rms_normalization": normalization.rms_normalization,
    "rnn": recurrent.rnn,
    **_by_rank("separable_conv{}d", convolution.separable, (1, 2)),
    "simple_rnn": partial(recurrent.recurrent, "simple_rnn"),
    "softmax": unchanged.softmax,
    **_by_rank("spatial_dropout{}d", unchanged.keep_grid, _ALL),
    "subtract": merging.subtract,
    "unit_normalization": normalization.unit_normalization,
    **_by_rank("up_sampling{}d", resizing.up_sampling, _ALL),
    **_by_rank("zero_padding{}d", resizing.zero_padding, _ALL),
}

WRAPPERS: Mapping[str, Callable[[Arguments, tuple[Shape, ...], wrapping.FindEffect], Effect]] = {
    "bidirectional": wrapping.bidirectional,
    "pipeline": wrapping.pipeline,
    "spectral_normalization": wrapping.spectral_normalization,
    "time_distributed": wrapping.time_distributed,
}


def find_effect(kind: str, arguments: Mapping[str, Any], inputs: tuple[Shape, ...]) -> Effect:
    """Return what the layer `kind` makes of `inputs`; `arguments` are those that the config gives.

    Raises ImpossibleShapeError where Keras fails, NoRuleError where only Keras knows.
    """
    component = find("layers", kind)
    if component is None:
        raise NoRuleError
    filled = {name: spec.default for name, spec in component.arguments.items()} | dict(arguments)
    if kind in WRAPPERS:
        effect = WRAPPERS[kind](filled, inputs, find_effect)
    elif kind in RULES:
        effect = RULES[kind](filled, inputs)
    else:
        raise NoRuleError
    return effect.frozen() if arguments.get("trainable") is False else effect
