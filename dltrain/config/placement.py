"""Where may a layer stand? In the model, under `dataset.augment`, or only inside another layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dltrain.config.document import Problems
from dltrain.config.layers import Layer
from dltrain.config.paths import Path
from dltrain.config.schema import Spec

LABEL_MIXING = {"mix_up", "cut_mix"}
"""The augmentations that mix two images, and their labels with them."""

_AUGMENTING_EXTRA = {"rand_augment", "aug_mix", "auto_contrast", "equalization", "solarization"}

_AUGMENTATION = "a random layer on images"

_CELLS = {"gru_cell", "lstm_cell", "simple_rnn_cell", "stacked_rnn_cells"}
RECURRENT = {"lstm", "gru", "simple_rnn", "rnn", "conv_lstm1d", "conv_lstm2d", "conv_lstm3d"}
"""The layers that bidirectional wraps."""
_CELL_HINT = "Write {type: rnn, cell: {type: gru_cell, units: 8}}, or lstm, gru, simple_rnn."
_TEXT_HINT = "The dataset makes ids of them: start with embedding."

# Layers that no model here can hold -> why, and what to do instead.
_NEVER: dict[str, tuple[str, str]] = {
    "string_lookup": ("takes texts; a model here takes word ids or numbers.", _TEXT_HINT),
    "text_vectorization": ("takes texts; a model here takes word ids or numbers.", _TEXT_HINT),
    "max_num_bounding_boxes": ("pads bounding boxes, which no dataset here has.", "Leave it out."),
}

# Layers that Keras fills by `adapt` unless this argument is given; nothing here calls `adapt`, and
# normalization would then change nothing, in silence.
_ADAPTED: dict[str, tuple[str, str]] = {
    "normalization": ("mean", "dataset.normalize: standard measures them on the training rows."),
    "discretization": ("bin_boundaries", "num_bins would need the data beforehand."),
    "integer_lookup": ("vocabulary", "List the whole numbers that count."),
}


# Activations that no layer of a model may have.
UNFIT_ACTIVATIONS = {"glu"}


def is_augmentation(layer_type: str) -> bool:
    """Say whether a layer belongs under `dataset.augment` and not into the model."""
    return layer_type.startswith("random_") or layer_type in _AUGMENTING_EXTRA | LABEL_MIXING


def may_stand_in_model(layer_type: str, *, wrapped: bool = False) -> bool:
    """Say whether a model may hold a layer; one that another layer wraps may be a cell of rnn."""
    unfit = is_augmentation(layer_type) or layer_type in _NEVER
    return not unfit and (wrapped or layer_type not in _CELLS)


def needed_in_model(layer_type: str) -> str | None:
    """Return the argument that a layer needs in a model though Keras has a default, or None."""
    return _ADAPTED[layer_type][0] if layer_type in _ADAPTED else None


def check_augmentation(spec: Spec, path: Path, problems: Problems) -> None:
    """Refuse a layer that is no augmentation of images."""
    kind = spec["type"]
    if not is_augmentation(kind):
        problems.add(
            path,
            f"{kind} is no random image layer.",
            hint="Put it under model.layers.",
            expected=_AUGMENTATION,
            received=kind,
        )


def check_model_layers(layers: Sequence[Layer], problems: Problems) -> None:
    """Refuse layers that can't stand in a model, also where another layer wraps them."""
    for layer in layers:
        if layer.type in _CELLS:
            problems.add(
                layer.path,
                f"{layer.type} is a part of the layer rnn.",
                hint=_CELL_HINT,
                expected="a layer",
                received=f"the cell {layer.type}",
            )
        for spec, path in _with_wrapped({"type": layer.type, **layer.arguments}, layer.path):
            _check_layer(spec, path, problems)


def _with_wrapped(spec: Spec, path: Path) -> Iterator[tuple[Spec, Path]]:
    """Yield a layer and all that it holds: `layer`, `layers`, `cell`, `cells`."""
    yield spec, path
    for name in ("layer", "backward_layer", "layers", "cell", "cells"):
        held: Any = spec.get(name)
        if isinstance(held, dict):
            yield from _with_wrapped(held, (*path, name))
        elif isinstance(held, list):
            for index, item in enumerate(held):
                if isinstance(item, dict):
                    yield from _with_wrapped(item, (*path, name, index))


def _check_layer(spec: Spec, path: Path, problems: Problems) -> None:
    kind = spec["type"]
    if is_augmentation(kind):
        problems.add(
            path,
            f"{kind} is augmentation; inside the model it would be saved with it.",
            hint="Put it under dataset.augment.",
            expected="a layer of the model",
            received=f"the augmentation {kind}",
        )
    elif any(_is_unfit(spec.get(name)) for name in ("activation", "recurrent_activation")):
        problems.add(
            path,
            "glu halves the units, which Keras's layers don't reckon with.",
            hint="Multiply a dense layer by another with activation: sigmoid.",
        )
    elif kind in _NEVER:
        reason, hint = _NEVER[kind]
        problems.add(path, f"{kind} {reason}", hint=hint)
    elif kind in _ADAPTED and spec.get(_ADAPTED[kind][0]) is None:
        argument, hint = _ADAPTED[kind]
        problems.add(
            path,
            f"{kind} needs '{argument}' in a model.",
            hint=hint,
            expected=f"'{argument}'",
            received="none",
        )
    elif kind == "bidirectional":
        for name in ("layer", "backward_layer"):
            inner = spec.get(name)
            if isinstance(inner, dict) and inner.get("type") not in RECURRENT:
                problems.add(
                    (*path, name),
                    f"bidirectional wraps a recurrent layer; {inner.get('type')} is none.",
                    hint="Use one of lstm, gru, simple_rnn, rnn.",
                    expected="a recurrent layer",
                    received=str(inner.get("type")),
                )


def _is_unfit(activation: object) -> bool:
    return isinstance(activation, dict) and activation.get("type") in UNFIT_ACTIVATIONS
