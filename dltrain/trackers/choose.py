"""Which tracker is behind a name, and can it work here? Asked before anything is trained."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from dltrain.errors import MachineError
from dltrain.trackers.contract import Tracker


def check_trackers(specs: Sequence[Mapping[str, Any]], *, offline: bool) -> None:
    """Raise MachineError for a tracker whose package isn't installed, or that lacks its key."""
    for index, spec in enumerate(specs):
        name = spec["type"]
        if not _is_installed(name):
            raise MachineError(
                f"trackers[{index}]: {name} needs the package {name}, which isn't installed.",
                hint=f"pip install 'dltrain[{name}]', or take the tracker out of the config.",
            )
        if name == "wandb":
            from dltrain.trackers.wandb import find_login_problem

            problem = find_login_problem(spec, offline=offline)
            if problem:
                raise MachineError(
                    f"trackers[{index}]: wandb can't log in: {problem}.",
                    hint="Set WANDB_API_KEY, or `wandb login` once, or give the tracker "
                    "mode: offline.",
                )


def make_trackers(specs: Sequence[Mapping[str, Any]]) -> list[Tracker]:
    """Return a tracker for each spec; none has done anything yet."""
    return [_find_class(spec["type"])(spec) for spec in specs]


def _find_class(name: str) -> type[Tracker]:
    if name == "tensorboard":
        from dltrain.trackers.tensorboard import TensorBoardTracker

        return TensorBoardTracker
    if name == "mlflow":
        from dltrain.trackers.mlflow import MLflowTracker

        return MLflowTracker
    from dltrain.trackers.wandb import WandbTracker

    return WandbTracker


def _is_installed(name: str) -> bool:
    """Tell whether a package can be imported; a folder of that name without code is none."""
    if name in sys.modules:
        return sys.modules[name] is not None
    spec = find_spec(name)
    return spec is not None and spec.origin is not None
