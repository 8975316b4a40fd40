"""How are the names of what varies, and the results, written for people?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.escaping import escape_unprintable
from dltrain.sweep.space import Values, format_value


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
    pairs = zip(shorten_names(list(values)), values.values(), strict=True)
    return escape_unprintable(", ".join(f"{name}={format_short(value)}" for name, value in pairs))


def format_short(value: Any) -> str:
    """Return a value for people; a block as `sgd(momentum=0.9)`, a list as `[a, b]`."""
    if isinstance(value, Mapping):
        others = [f"{key}={format_short(each)}" for key, each in value.items() if key != "type"]
        name = str(value.get("type", ""))
        return f"{name}({', '.join(others)})" if others or not name else name
    if isinstance(value, list):
        return f"[{', '.join(map(format_short, value))}]"
    return format_value(value)


def format_results(results: Sequence[float]) -> str:
    """Return the objectives of a trial with four decimals."""
    return ", ".join(f"{value:.4f}" for value in results)


def format_means(finalist: Mapping[str, Any]) -> list[str]:
    """Return `0.9722 ± 0.0051` for each objective of a trial that was trained with other seeds."""
    means, deviations = finalist["mean"], finalist["std"] or [None] * len(finalist["mean"])
    return [
        f"{mean:.4f}" if deviation is None else f"{mean:.4f} ± {deviation:.4f}"
        for mean, deviation in zip(means, deviations, strict=True)
    ]
