"""How is the network readied for training? Loss, optimizer and metrics attached."""

from __future__ import annotations

from typing import Any

from dltrain.config.targets import Targets
from dltrain.model.components import Steps, build_component, build_optimizer
from dltrain.model.metrics import build_metrics


def compile_model(
    model: Any,
    *,
    optimizer: dict[str, Any],
    metrics: list[dict[str, Any]],
    targets: Targets,
    steps: Steps,
) -> Any:
    """Return a compiled model that shares its layers with `model`, which stays uncompiled.

    What is saved is the uncompiled one: it loads with Keras alone, without dltrain's metrics or
    schedules.
    """
    import keras

    trained = keras.Model(model.input, model.output, name=model.name)
    # XLA makes convolutions on CPU four to six times slower, and Keras's "auto" avoids it there.
    trained.compile(
        optimizer=build_optimizer(optimizer, steps),
        loss=build_component("losses", targets.loss),
        metrics=build_metrics(metrics, targets),
        jit_compile="auto",
    )
    return trained
