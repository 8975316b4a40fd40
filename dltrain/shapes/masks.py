"""Which layers carry a mask on, and which can't be judged with one?

`masking` and `embedding` with `mask_zero` say which steps count. Keras hands that on with the
tensor, and some layers fail on it where they would take the tensor by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dltrain.shapes.effect import Arguments, NoRuleError, Shape

_DROP = re.compile(
    r"flatten|reshape|permute|repeat_vector|(depthwise_|separable_)?conv[123]d(_transpose)?"
    r"|.*_pooling[123]d|(zero_padding|cropping|up_sampling)[123]d"
)
_MERGE = {"add", "average", "concatenate", "maximum", "minimum", "multiply", "subtract"}
_READ = re.compile(
    r".*attention|.*rnn|gru|lstm|conv_lstm[123]d|bidirectional|time_distributed|pipeline"
    r"|batch_normalization|spectral_normalization"
)
_RECURRENT = {"gru", "lstm", "rnn", "simple_rnn"}


def carries_mask(
    kind: str, arguments: Arguments, inputs: tuple[Shape, ...], masked: Iterable[bool]
) -> bool:
    """Tell whether the layer's output may carry a mask; `masked` tells it of each input.

    Raises NoRuleError where only Keras knows whether the layer takes the mask: they are made for
    sequences `(steps, features)`.
    """
    if not any(masked):
        return kind == "masking" or bool(arguments.get("mask_zero"))
    sequences = all(len(shape) == 2 for shape in inputs)
    if kind == "softmax" or (_READ.fullmatch(kind) and not sequences):
        raise NoRuleError
    if kind in _MERGE and not (sequences and len(set(inputs)) == 1):
        raise NoRuleError
    if kind in _RECURRENT:
        return bool(arguments.get("return_sequences"))
    return _DROP.fullmatch(kind) is None
