"""What do the layers make of their input that multiply it by a matrix?"""

from __future__ import annotations

import math

from dltrain.shapes.axes import one_input
from dltrain.shapes.effect import Arguments, Effect, NoRuleError, Shape


def dense(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Take `(…, features)`, give `(…, units)`."""
    shape = one_input(inputs)
    if not shape:
        raise NoRuleError
    units = arguments["units"]
    trainable, fixed = count_kernel((shape[-1], units), arguments)
    return Effect(
        output=(*shape[:-1], units),
        trainable=trainable + (units if arguments["use_bias"] else 0),
        fixed=fixed,
        multiply_adds=math.prod(shape) * units,
    )


def count_kernel(kernel: Shape, arguments: Arguments) -> tuple[int, int]:
    """Return how many parameters of a kernel are trained, and how many aren't.

    With `lora_rank` the kernel stays as it is, and two thin matrices are trained in its place
    (Hu et al. 2021, arXiv:2106.09685).
    """
    rank = arguments.get("lora_rank")
    if not rank:
        return math.prod(kernel), 0
    if arguments.get("kernel_constraint") or arguments.get("embeddings_constraint"):
        raise NoRuleError  # Keras refuses the two together
    return math.prod(kernel[:-1]) * rank + rank * kernel[-1], math.prod(kernel)
