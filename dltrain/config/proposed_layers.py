"""Which layers would suit images, or a table? Small networks of the usual kind."""

from __future__ import annotations

from dltrain.config.proposed_text import write_output


def write_convolutions(height: int, width: int, classes: int) -> tuple[str, ...]:
    """Return a small convolutional network; `classes` is 0 for a number."""
    filters = (32, 64, 128) if min(height, width) >= 32 else (32, 64)
    layers = []
    for number in filters:
        layers.append(
            f"{{type: conv2d, filters: {number}, kernel_size: 3, padding: same, activation: relu}}"
        )
        if number != filters[-1]:
            layers.append("max_pooling2d # halves height and width")
    return (
        *layers,
        "global_average_pooling2d # the mean of each filter over the image",
        "{type: dropout, rate: 0.3} # against overfitting; try: 0, 0.5",
        write_output(classes),
    )


def write_dense_network(
    rows: int, classes: int, *, target: tuple[float, float] | None = None
) -> tuple[str, ...]:
    """Return two dense layers and an output; `target` has mean and deviation of a number."""
    units = 32 if rows < 1_000 else 64 if rows < 20_000 else 128
    layers = (
        f"{{type: dense, units: {units}, activation: relu}} # try: more units, another layer",
        "{type: dropout, rate: 0.2} # against overfitting; try: 0, 0.5",
        f"{{type: dense, units: {units // 2}, activation: relu}}",
        write_output(classes),
    )
    if target is None:
        return layers
    return (*layers, write_target_scale(*target))


def write_target_scale(mean: float, deviation: float) -> str:
    """Return the layer that brings the output of a regression to the scale of its target."""
    return (
        f"{{type: rescaling, scale: {deviation:.4g}, offset: {mean:.4g}}} # to the mean and "
        "deviation of the target"
    )
