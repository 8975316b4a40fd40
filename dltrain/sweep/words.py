"""How are the names of what varies, and the results, written for people?"""

from __future__ import annotations

from collections.abc import Sequence

from dltrain.escaping import escape_unprintable
from dltrain.sweep.space import Values, describe_values


def shorten_names(names: Sequence[str]) -> list[str]:
    """Return the ends of dotted paths, each as short as tells it from the others.

    `model.layers[0].units` and `model.layers[2].units` become `layers[0].units` and
    `layers[2].units`; `optimizer.learning_rate` beside them `learning_rate`.
    """

    def end(name: str, count: int) -> str:
        return ".".join(name.split(".")[-count:])

    found = []
    for name in names:
        count = 1
        while sum(end(other, count) == end(name, count) for other in names) > 1:
            count += 1
        found.append(end(name, count))
    return found


def describe_short(values: Values) -> str:
    """Return `learning_rate=0.01, units=64`, with nothing in it that could steer a terminal."""
    short = shorten_names(list(values))
    return escape_unprintable(describe_values(dict(zip(short, values.values(), strict=True))))


def format_results(results: Sequence[float]) -> str:
    """Return the objectives of a trial with four decimals."""
    return ", ".join(f"{value:.4f}" for value in results)
