"""What do the layers make of ids that look a vector up for each?"""

from __future__ import annotations

from dltrain.shapes.axes import one_input
from dltrain.shapes.dense import count_kernel
from dltrain.shapes.effect import Arguments, Effect, Shape


def embedding(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Take `(…)` ids, give `(…, output_dim)`. Looking up multiplies nothing."""
    shape = one_input(inputs)
    table = (arguments["input_dim"], arguments["output_dim"])
    trainable, fixed = count_kernel(table, arguments)
    if arguments.get("tie_weights") is False:  # reversible_embedding's second table
        trainable += table[0] * table[1]
    return Effect(output=(*shape, table[1]), trainable=trainable, fixed=fixed)
