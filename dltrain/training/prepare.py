"""What is needed before the first step? The network, its targets, the compiled model, callbacks."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dltrain.config.load import LoadedConfig
from dltrain.config.monitors import best_direction
from dltrain.config.rules import CALLBACK_PATHS
from dltrain.config.schema import RunConfig
from dltrain.config.targets import Targets, TargetsError, last_layer, resolve_config_targets
from dltrain.data.augment import Augment, build_augmentation
from dltrain.data.balance import Balanced, balance_rows
from dltrain.data.batches import encode_labels
from dltrain.data.load import LoadedData
from dltrain.data.word_dropout import build_word_dropout
from dltrain.errors import MachineError
from dltrain.model.backbone import Front
from dltrain.model.components import build_component
from dltrain.model.network import InputSpec, LayerError, Normalization, build_network, one_line
from dltrain.model.preset import UnfitPresetError
from dltrain.runs.atomic import explaining_disk
from dltrain.runs.layout import RunPaths

# Callbacks of Keras whose library neither Keras nor TensorFlow brings along.
_CALLBACK_PACKAGES = {
    "tensorboard": "tensorboard",
    "remote_monitor": "requests",
    "orbax_checkpoint": "orbax",
}
_DISTRIBUTIONS = {"orbax": "orbax-checkpoint"}

_RUN = RunPaths(Path())
_RUN_FILES = [
    path.parts
    for path in (
        *(_RUN.config, _RUN.source, _RUN.status, _RUN.environment, _RUN.warnings),
        *(_RUN.history, _RUN.history_lines, _RUN.metrics, _RUN.predictions, _RUN.mistakes),
        *(_RUN.model, _RUN.model_table, _RUN.tokenizer, _RUN.preprocessing, _RUN.preset),
        *(_RUN.report, _RUN.plots, _RUN.explanations, _RUN.repeats, _RUN.lock),
    )
]


def prepare_network(
    loaded: LoadedConfig, data: LoadedData, backbone: Front | None = None
) -> tuple[Any, Targets]:
    """Return the Keras model (not compiled) and what its outputs are.

    Raises ConfigError, pointing at the layer, if the model can't be built or its output doesn't
    fit the labels.
    """
    config = loaded.config
    scaling = data.scaling
    normalization = Normalization(scaling.mean, scaling.scale) if scaling else None
    try:
        model = build_network(
            loaded.layers,
            InputSpec(data.row_shape, data.dtype, normalization),
            name=config.name,
            l1=config.regularization.l1,
            l2=config.regularization.l2,
            backbone=backbone,
        )
        return model, resolve_built_targets(loaded, units=int(model.output_shape[-1]))
    except LayerError as error:
        raise loaded.problem(error.path, error.message) from error
    except UnfitPresetError as error:
        raise loaded.problem(("model", "pretrained"), f"{error}.") from error


def resolve_built_targets(loaded: LoadedConfig, *, units: int) -> Targets:
    """Resolve the loss with the units that the built model really has. Raises ConfigError."""
    try:
        return resolve_config_targets(
            loaded.config,
            loaded.info,
            units=units,
            activation=last_layer(list(loaded.layers))[1],
        )
    except TargetsError as error:
        path = ("loss",) if error.where == "loss" else loaded.layers[-1].path
        raise loaded.problem(path, error.message, hint=error.hint) from error


def prepare_augmentation(
    loaded: LoadedConfig, data: LoadedData, targets: Targets
) -> Augment | None:
    """Return the function that changes a batch at random, traced once; None if none is asked for.

    Raises ConfigError if a layer can't take the images or changes their shape: validation and test
    images, which are not augmented, would no longer fit the model.
    """
    dataset, seed = loaded.config.dataset, loaded.config.seed
    if dataset.word_dropout:
        return build_word_dropout(dataset.word_dropout, words=dataset.max_length or 0, seed=seed)
    specs = dataset.augment
    if not specs:
        return None
    import tensorflow as tf

    inputs = data.tables["train"].inputs
    images = tf.TensorSpec((2, *inputs.shape[1:]), tf.float32)
    encoded = encode_labels(data.train_labels[:1], targets.encoding, targets.classes)
    labels = tf.TensorSpec((2, *encoded.shape[1:]), encoded.dtype)
    rows, number = tf.TensorSpec((2,), tf.int64), tf.TensorSpec((), tf.int64)
    path = ("dataset", "augment")
    try:
        augment = build_augmentation(
            specs,
            lambda spec: build_component("layers", spec),
            largest=data.largest,
            seed=seed,
        )
        traced = tf.function(augment, autograph=False)
        arguments = (images, labels, rows, number, number)
        shape, _ = traced.get_concrete_function(*arguments).output_shapes
    except (ValueError, TypeError) as error:
        raise loaded.problem(path, f"the images can't be augmented: {one_line(error)}") from error
    if shape != images.shape:
        raise loaded.problem(
            path,
            f"augmentation turns images of shape {images.shape[1:]} into {shape[1:]}; "
            "it must keep the shape, since validation and test images are not augmented.",
        )
    return augment


def prepare_rows(loaded: LoadedConfig, data: LoadedData) -> Balanced:
    """Return the rows to take steps on, evened out as `training.balance` asks.

    Raises ConfigError for rows with weights that SMOTE can't give to the rows it makes, and as
    `balance_rows` does.
    """
    table, spec = data.tables["train"], loaded.config.training.balance
    if spec is not None and spec["type"] == "smote" and table.weights is not None:
        raise loaded.problem(
            ("training", "balance"),
            "smote makes rows that have no weight; these rows have weights.",
            hint="Use oversample, or leave the weights out.",
        )
    return balance_rows(
        table,
        spec,
        class_names=data.info.class_names,
        seed=loaded.config.seed,
        scaling=data.scaling,
        features=data.info.features,
    )


def check_callbacks(loaded: LoadedConfig) -> None:
    """Look at the callbacks before anything is made.

    Raises ConfigError, pointing at the callback, if one would write over the run's own files,
    and MachineError if one needs a package that isn't installed.
    """
    for index, spec in enumerate(loaded.config.training.callbacks):
        package = _CALLBACK_PACKAGES.get(spec["type"])
        if package and find_spec(package) is None:
            raise MachineError(
                f"training.callbacks[{index}]: {spec['type']} needs the package {package}, which "
                "isn't installed.",
                hint=f"pip install {_DISTRIBUTIONS.get(package, package)}, or take the callback "
                "out of the config.",
            )
        for name in CALLBACK_PATHS:
            value = spec.get(name)
            if isinstance(value, str) and Path(value).parts[:1] in _RUN_FILES:
                raise loaded.problem(
                    ("training", "callbacks", index, name),
                    f"the run itself writes {value}.",
                    hint=f"Choose another name, such as callbacks/{value}.",
                )


def build_callbacks(config: RunConfig, paths: RunPaths) -> list[Any]:
    """Return Keras's early stopping, plateau and further callbacks, as the config names them.

    Best weights are kept by dltrain itself, so EarlyStopping restores none.
    """
    training = config.training
    callbacks = []
    if training.early_stopping:
        spec = training.early_stopping.model_dump(exclude={"restore_best_weights"})
        callbacks.append(_build_callback({"type": "early_stopping", **spec}, config, paths))
    if training.reduce_lr_on_plateau:
        spec = training.reduce_lr_on_plateau.model_dump()
        callbacks.append(_build_callback({"type": "reduce_lr_on_plateau", **spec}, config, paths))
    callbacks += [_build_callback(spec, config, paths) for spec in training.callbacks]
    return callbacks


def _build_callback(spec: dict[str, Any], config: RunConfig, paths: RunPaths) -> Any:
    filled = dict(spec)
    if "monitor" in filled and filled.get("mode", "auto") == "auto":
        filled["mode"] = best_direction(filled["monitor"], config)
    if filled["type"] == "tensorboard":  # Keras's default would be ./logs
        filled.setdefault("log_dir", paths.tensorboard.name)
    for name in CALLBACK_PATHS:
        if isinstance(filled.get(name), str):
            target = paths.root / filled[name]
            with explaining_disk(target):
                target.parent.mkdir(parents=True, exist_ok=True)
            filled[name] = str(target)
    return build_component("callbacks", filled)
