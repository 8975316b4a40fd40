"""What do the layers make of whole numbers that stand for categories?"""

from __future__ import annotations

from dltrain.shapes.axes import one_input
from dltrain.shapes.effect import Arguments, Effect, NoRuleError, Shape


def encode(bins: int, arguments: Arguments, shape: Shape) -> Effect:
    """Give ids as they are, or one column a bin.

    `output_mode: int` keeps the shape; one_hot gives each id its columns; multi_hot and count put
    those of a row's ids together.
    """
    if arguments.get("sparse"):
        raise NoRuleError
    mode = arguments["output_mode"]
    if mode == "int":
        return Effect(output=shape)
    if len(shape) != 1:
        raise NoRuleError  # what Keras promises and what it computes differ
    if mode == "one_hot":
        return Effect(output=(bins,) if shape == (1,) else (*shape, bins))
    return Effect(output=(bins,))


def category_encoding(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Give a column for each of `num_tokens`."""
    return encode(arguments["num_tokens"], arguments, one_input(inputs))


def discretization(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Give the number of the bin, or a column a bin."""
    return encode(len(arguments["bin_boundaries"]) + 1, arguments, one_input(inputs))


def hashing(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Give the number of one of `num_bins`, or a column a bin."""
    return encode(arguments["num_bins"], arguments, one_input(inputs))


def integer_lookup(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Give the place in the vocabulary, or a column a word and one for each unknown's bin."""
    vocabulary = arguments["vocabulary"]
    if not isinstance(vocabulary, list) or arguments["invert"] or arguments["pad_to_max_tokens"]:
        raise NoRuleError
    if arguments["output_mode"] == "tf_idf" or arguments["mask_token"] is not None:
        raise NoRuleError
    size = len(vocabulary) + arguments["num_oov_indices"]
    if len(set(vocabulary)) < len(vocabulary) or arguments["oov_token"] in vocabulary:
        raise NoRuleError
    return encode(size, arguments, one_input(inputs))
