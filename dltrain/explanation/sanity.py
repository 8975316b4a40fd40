"""Does an explanation depend on what the model learned? Its weights are shuffled, layer by layer.

Adebayo et al. 2018, "Sanity Checks for Saliency Maps", arXiv:1810.03292, section 3.1: cascading
randomization goes from the output to the input, and after each layer the explanation is compared
with that of the trained model by Spearman's rank correlation. One that stays near 1 shows the
image, not the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shuffled:
    """Say how like the trained model's each method's explanations are, after `layer` was shuffled.

    `correlations`: method → the rows' mean rank correlation. All layers after it are shuffled too.
    """

    layer: str
    correlations: dict[str, float]


def shuffle_in_cascade(
    model: Any, explain: Callable[[], dict[str, Sequence[NDArray[Any]]]], *, seed: int
) -> list[Shuffled]:
    """Return, for each trained layer from the last to the first, how the explanations compare.

    `explain` returns method → a map for each row, of the model as it is at the time. The entries
    of each weight array are shuffled, so that their distribution stays what training made it.
    `model` has its own weights back in the end.
    """
    import keras

    trained = model.get_weights()
    original = explain()
    generator = np.random.default_rng(seed)
    found = []
    try:
        for layer in reversed(model.layers):
            # Normalization holds the statistics of the inputs, and was trained by nothing.
            if not layer.weights or isinstance(layer, keras.layers.Normalization):
                continue
            layer.set_weights(
                [
                    generator.permutation(weight.reshape(-1)).reshape(weight.shape)
                    for weight in layer.get_weights()
                ]
            )
            now = explain()
            correlations = {
                method: float(
                    np.mean(
                        [
                            correlate_ranks(before, after)
                            for before, after in zip(maps, now[method], strict=True)
                        ]
                    )
                )
                for method, maps in original.items()
            }
            found.append(Shuffled(layer.name, correlations))
    finally:
        model.set_weights(trained)
    return found


def correlate_ranks(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Return Spearman's rank correlation of two maps of one shape; 0 where one is constant."""
    from scipy.stats import spearmanr

    one, other = np.asarray(first).reshape(-1), np.asarray(second).reshape(-1)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one, other).statistic)
