"""What is the whole state of a training, and how is it taken and put back?

Order and augmentation are functions of (seed, epoch, row). Everything else that the next step
depends on is here: the model's variables, the states of its seed generators among them, the
optimizer's, the metrics' and the callbacks', the history and the generators of Python and NumPy.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]

# What Keras gives every callback anew when the training goes on; the sign of min_delta among it.
_NOT_STATE = {"params", "_model", "validation_data", "min_delta"}
# What these remember is about their own files and connections.
_WITHOUT_STATE = {"TensorBoard", "RemoteMonitor", "BackupAndRestore", "OrbaxCheckpoint"}


def take_variables(trained: Any, *, with_metrics: bool) -> Arrays:
    """Return copies of a compiled model's variables by group and number.

    The metrics' are wanted inside an epoch only: they begin anew with each.
    """
    return {
        f"{group}/{number:04d}": np.array(variable.value.numpy())
        for group, variables in _groups(trained, with_metrics=with_metrics)
        for number, variable in enumerate(variables)
    }


def put_variables(trained: Any, arrays: Mapping[str, npt.NDArray[Any]]) -> str | None:
    """Put `take_variables`' arrays back. Return what doesn't fit, before anything is changed."""
    with_metrics = any(name.startswith("metrics/") for name in arrays)
    pairs = []
    left = {name for name in arrays if name.startswith(("model/", "optimizer/", "metrics/"))}
    for group, variables in _groups(trained, with_metrics=with_metrics):
        for number, variable in enumerate(variables):
            array = arrays.get(f"{group}/{number:04d}")
            left.discard(f"{group}/{number:04d}")
            if array is None or array.shape != tuple(variable.shape):
                found = "nothing" if array is None else f"shape {array.shape}"
                return f"{variable.path}: expected shape {tuple(variable.shape)}, found {found}"
            pairs.append((variable, array))
    if left:
        return f"{len(left)} arrays have no variable, such as {min(left)}"
    for variable, array in pairs:
        variable.assign(array)
    return None


def note_callbacks(callbacks: Iterable[Any]) -> list[dict[str, Any]]:
    """Return each callback's plain attributes as they are when the training begins."""
    return [
        {name: value for name, value in vars(callback).items() if is_plain(value)}
        for callback in callbacks
    ]


def take_callbacks(
    callbacks: Iterable[Any], beginnings: Iterable[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], Arrays]:
    """Return the attributes of each callback that changed since its beginning, and their arrays.

    What didn't change is the config's, which may be another one when the training goes on. A list
    of arrays (early stopping's best weights) is kept number by number.
    """
    states, arrays = [], {}
    for index, (callback, beginning) in enumerate(zip(callbacks, beginnings, strict=True)):
        kind = type(callback).__name__
        state: dict[str, Any] = {}
        for name, value in vars(callback).items():
            if name in _NOT_STATE or kind in _WITHOUT_STATE:
                continue
            if is_plain(value):
                if name not in beginning or not _are_same(beginning[name], value):
                    state[name] = _to_json(value)
            elif _are_arrays(value):
                state[name] = {"arrays": len(value)}
                for number, array in enumerate(value):
                    arrays[f"callbacks/{index}/{name}/{number:04d}"] = np.array(array)
        states.append({"class": kind, "values": state})
    return states, arrays


def put_callbacks(
    callbacks: Iterable[Any],
    states: Iterable[Mapping[str, Any]],
    arrays: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Put the attributes back, into the callbacks of the same class in the same order.

    A callback that wasn't there before (a tracker that was added) begins anew.
    """
    remaining = list(enumerate(states))
    for callback in callbacks:
        kind = type(callback).__name__
        match = next((pair for pair in remaining if pair[1]["class"] == kind), None)
        if match is None:
            continue
        remaining.remove(match)
        index, state = match
        for name, value in state["values"].items():
            if isinstance(value, dict) and "arrays" in value:
                prefix = f"callbacks/{index}/{name}/"
                value = [arrays[f"{prefix}{number:04d}"] for number in range(value["arrays"])]
            setattr(callback, name, _from_json(value))


def take_random_state() -> tuple[dict[str, Any], Arrays]:
    """Return the states of Python's and NumPy's global generators."""
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()
    state: dict[str, Any] = {
        "python": [version, gauss],
        "numpy": [name, int(position), int(has_gauss), float(cached)],
    }
    arrays: Arrays = {"random/python": np.array(words, dtype=np.uint64)}
    return state, {**arrays, "random/numpy": np.asarray(keys)}


def put_random_state(state: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Put both states back."""
    version, gauss = state["python"]
    random.setstate((version, tuple(int(word) for word in arrays["random/python"]), gauss))
    name, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, arrays["random/numpy"], position, has_gauss, cached))


def is_plain(value: Any) -> bool:
    """Tell whether `value` is a number, a text, a truth value or None."""
    return value is None or isinstance(value, (bool, int, float, str, np.generic))


def _groups(trained: Any, *, with_metrics: bool) -> Iterable[tuple[str, list[Any]]]:
    yield "model", _distinct(trained.variables)
    yield "optimizer", _distinct(trained.optimizer.variables)
    if with_metrics:
        yield (
            "metrics",
            _distinct(variable for metric in trained.metrics for variable in metric.variables),
        )


def _distinct(variables: Iterable[Any]) -> list[Any]:
    """Return each variable once, in order: shared layers are listed again."""
    return list({id(variable): variable for variable in variables}.values())


def _are_arrays(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(item, np.ndarray) for item in value)
    )


def _are_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and (one == other or (one != one and other != other))


def _to_json(value: Any) -> Any:
    """Return a plain value so that JSON keeps it: infinities and NaN as text in a mapping."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"float"}:
        return float(value["float"])
    return value
