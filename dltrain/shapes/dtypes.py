"""Which layers take whole numbers (ids, bins), and which give them?

Keras casts floats to what a layer computes in, but leaves whole numbers as they are; many layers
fail on them when they are computed, and others hand them on.
"""

from __future__ import annotations

from collections.abc import Iterable

from dltrain.shapes.effect import Arguments, NoRuleError

_KEEP_DTYPE = {"flatten", "identity", "permute", "repeat_vector", "reshape"}
_MAKE_FLOATS = {
    *("batch_normalization", "category_encoding", "dense", "embedding", "layer_normalization"),
    *("normalization", "rescaling", "reversible_embedding"),
}
_ENCODE = {"discretization", "hashing"}  # whole numbers, with output_mode: int
_FLOATS = {None, "bfloat16", "float16", "float32", "mixed_bfloat16", "mixed_float16"}


def gives_integers(kind: str, arguments: Arguments, inputs: Iterable[bool]) -> bool:
    """Tell whether the layer's output is of whole numbers; `inputs` tell it of each input.

    Raises NoRuleError where only Keras knows whether the layer takes them.
    """
    takes_integers = any(inputs)
    if kind in _ENCODE:
        if arguments.get("dtype") is not None:
            raise NoRuleError
        return bool(arguments.get("output_mode", "int") == "int")
    if kind == "integer_lookup":
        if arguments.get("dtype") is not None or not takes_integers:
            raise NoRuleError
        return True  # columns too are int64
    if arguments.get("dtype") not in _FLOATS:
        raise NoRuleError
    if takes_integers and kind not in _KEEP_DTYPE | _MAKE_FLOATS:
        raise NoRuleError
    return takes_integers and kind in _KEEP_DTYPE
