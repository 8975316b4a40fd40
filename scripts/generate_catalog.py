"""What can the installed Keras do? Write keras_table.json and applications.json of the catalog.

Usage: python scripts/generate_catalog.py [--check]

With --check nothing is written: the exit code is 1, and the differences are listed, when a
committed table is not what the installed Keras says.

Arguments come from the signatures. What a layer takes through **kwargs is found by trying: every
argument of its base classes is passed to the constructor once, and kept if Keras accepts it.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dltrain.catalog.applications import APPLICATIONS_PATH  # noqa: E402
from dltrain.catalog.components import TABLE_PATH  # noqa: E402
from dltrain.catalog.excluded import EXCLUDED  # noqa: E402

MODULES = {
    "layers": "keras.layers",
    "optimizers": "keras.optimizers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "regularizers": "keras.regularizers",
    "constraints": "keras.constraints",
    "initializers": "keras.initializers",
    "activations": "keras.activations",
    "schedules": "keras.optimizers.schedules",
    "callbacks": "keras.callbacks",
}

# Names where Keras's own conversion gives what nobody writes (`re_lu`, `p_re_lu`, `mean_io_u`).
SNAKE_CASE = {
    "AdamW": "adamw",
    "BinaryIoU": "binary_iou",
    "ELU": "elu",
    "FBetaScore": "fbeta_score",
    "IoU": "iou",
    "LeakyReLU": "leaky_relu",
    "MeanIoU": "mean_iou",
    "OneHotIoU": "one_hot_iou",
    "OneHotMeanIoU": "one_hot_mean_iou",
    "PReLU": "prelu",
    "RMSprop": "rmsprop",
    "ReLU": "relu",
    "ScheduleFreeAdamW": "schedule_free_adamw",
    "TensorBoard": "tensorboard",
    "TerminateOnNaN": "terminate_on_nan",
}

# Names that people write, besides those that Keras lists as accepted.
EXTRA_ALIASES = {
    ("losses", "Huber"): ["huber_loss"],  # What Keras calls the instance.
    ("losses", "LogCosh"): ["logcosh"],
    ("metrics", "Accuracy"): ["acc"],
    ("metrics", "KLDivergence"): ["KLD", "kld"],
    ("metrics", "LogCoshError"): ["logcosh"],
    ("regularizers", "L1L2"): ["l1_l2"],
    ("layers", "UpSampling1D"): ["upsampling1d"],
    ("layers", "UpSampling2D"): ["upsampling2d"],
    ("layers", "UpSampling3D"): ["upsampling3d"],
}

# Arguments that carry arrays or internal state and mean nothing in a YAML.
DROPPED_ARGUMENTS = {
    "weights",
    "quantization_config",
    "gptq_unpacked_column_size",
    "input_tensor",
}

# Inherited arguments whose default passes where nothing else does: RandomFlip takes factor=None.
PROBES = {"factor": 0.2}


def keras_snake_case(name: str) -> str:
    """Convert as keras.src.utils.naming.to_snake_case does."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def yaml_name(class_name: str) -> str:
    """Return the name that a YAML uses for Keras's `class_name`."""
    return SNAKE_CASE.get(class_name, keras_snake_case(class_name))


def public_objects(kind: str) -> Iterator[tuple[str, Any, list[str]]]:
    """Yield (public name, object, its other public names) for what `kind` exports."""
    module = importlib.import_module(MODULES[kind])
    wanted = inspect.isfunction if kind == "activations" else inspect.isclass
    names: dict[int, list[str]] = {}
    objects: dict[int, Any] = {}
    for name in sorted(dir(module)):
        value = getattr(module, name)
        if name in ("get", "serialize", "deserialize") or not wanted(value):
            continue
        names.setdefault(id(value), []).append(name)
        objects[id(value)] = value
    for key, value in objects.items():
        first = value.__name__ if value.__name__ in names[key] else names[key][0]
        if first not in EXCLUDED[kind]:
            yield first, value, [name for name in names[key] if name != first]


def accepted_names(kind: str) -> dict[str, str]:
    """Return the strings that `keras.<kind>.get` accepts, and the name of what each gives."""
    try:
        internal = importlib.import_module(MODULES[kind].replace("keras.", "keras.src.", 1))
    except ModuleNotFoundError:
        return {}
    table = getattr(internal, "ALL_OBJECTS_DICT", {})
    return {alias: value.__name__ for alias, value in table.items()}


def jsonable(value: Any) -> Any:
    """Return a default as JSON holds it: lists for tuples, None for what JSON can't hold."""
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return value if isinstance(value, (bool, int, float, str)) else None


def own_parameters(function: Callable[..., Any]) -> tuple[list[inspect.Parameter], bool]:
    """Return the named parameters of `function`, and whether it takes **kwargs besides."""
    parameters = list(inspect.signature(function).parameters.values())
    named = [
        parameter
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.name not in DROPPED_ARGUMENTS
        and not parameter.name.startswith("_")
    ]
    return named, any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters)


def sample_arguments(class_name: str, names: list[str]) -> dict[str, Any]:
    """Return what `class_name` can be made from: a value for each of `names`, and what else."""
    import keras

    special: dict[str, Any] = {
        "Activation.activation": lambda: "relu",
        "Bidirectional.layer": lambda: keras.layers.LSTM(2),
        "Dot.axes": lambda: 1,
        "EinsumDense.equation": lambda: "ab,bc->ac",
        "EinsumDense.output_shape": lambda: 4,
        "Permute.dims": lambda: [1],
        "Pipeline.layers": lambda: [keras.layers.RandomFlip()],
        "RNN.cell": lambda: keras.layers.LSTMCell(2),
        "RandomPosterization.factor": lambda: 4,
        "StackedRNNCells.cells": lambda: [keras.layers.LSTMCell(2)],
        "PiecewiseConstantDecay.boundaries": lambda: [10],
        "PiecewiseConstantDecay.values": lambda: [0.1, 0.01],
        "LossScaleOptimizer.inner_optimizer": lambda: keras.optimizers.Adam(),
    }
    common: dict[str, Any] = {
        "target_class_ids": [0],
        "target_shape": [4],
        "layer": None,
        "factor": 0.2,
        "height_factor": 0.2,
        "width_factor": 0.2,
        "rate": 0.2,
        "stddev": 0.1,
        "scale": 0.5,
        "recall": 0.5,
        "precision": 0.5,
        "sensitivity": 0.5,
        "specificity": 0.5,
        "initial_learning_rate": 0.1,
        "decay_rate": 0.9,
        "backup_dir": "backup",
        "filename": "log.csv",
        "filepath": "model.keras",
        "directory": "checkpoints",
    }
    # Arguments with a default that Keras refuses.
    values: dict[str, Any] = {
        "CategoryEncoding": {"num_tokens": 4},
        "Discretization": {"num_bins": 4},
    }.get(class_name, {})
    for name in names:
        if f"{class_name}.{name}" in special:
            values[name] = special[f"{class_name}.{name}"]()
        elif name == "layer":
            values[name] = keras.layers.Dense(2)
        else:
            values[name] = common.get(name, 2)
    return values


def inherited_arguments(cls: type, required: list[str], known: set[str]) -> dict[str, Any]:
    """Return name -> default of what the bases of a layer take and its constructor lets through."""
    # A bad sample must fail here, or every argument below would seem to be refused.
    cls(**sample_arguments(cls.__name__, required))
    found: dict[str, Any] = {}
    for base in cls.__mro__[1:]:
        if "__init__" not in vars(base) or not base.__module__.startswith("keras."):
            continue
        parameters, _ = own_parameters(vars(base)["__init__"])
        for parameter in parameters:
            name, default = parameter.name, parameter.default
            if name in known or name in found or default is inspect.Parameter.empty:
                continue
            try:
                tried = PROBES.get(name, default)
                cls(**{**sample_arguments(cls.__name__, required), name: tried})
            except (TypeError, ValueError):
                continue
            found[name] = default
    return found


def describe_arguments(kind: str, value: Any) -> dict[str, Any]:
    """Return the arguments of one class or activation in the form of the table."""
    parameters, open_ended = own_parameters(value)
    if kind == "activations":
        parameters = parameters[1:]  # The tensor itself.
    empty = inspect.Parameter.empty
    arguments: dict[str, Any] = {
        p.name: {"required": True} if p.default is empty else {"default": jsonable(p.default)}
        for p in parameters
    }
    if kind == "layers" and open_ended:
        required = [p.name for p in parameters if p.default is empty]
        inherited = inherited_arguments(value, required, set(arguments))
        for name in sorted(inherited):
            arguments[name] = {"default": jsonable(inherited[name])}
    return arguments


def describe_kind(kind: str) -> dict[str, Any]:
    """Return every component of `kind`. Raises ValueError if one name means two things."""
    accepted = accepted_names(kind)
    entries: dict[str, Any] = {}
    owner: dict[str, str] = {}
    for class_name, value, others in public_objects(kind):
        name = yaml_name(class_name)
        aliases = {*others, *map(yaml_name, others), *EXTRA_ALIASES.get((kind, class_name), [])}
        aliases |= {a for a, meant in accepted.items() if yaml_name(meant) == name}
        aliases |= {keras_snake_case(class_name), value.__name__, yaml_name(value.__name__)}
        aliases -= {name, class_name}
        for known in {name, class_name, *aliases}:
            if owner.setdefault(known, name) != name:
                raise ValueError(f"{kind}: {known} means both {owner[known]} and {name}")
        entries[name] = {
            "class": class_name,
            "module": MODULES[kind],
            "aliases": sorted(aliases),
            "arguments": describe_arguments(kind, value),
        }
    return {name: entries[name] for name in sorted(entries)}


def application_name(function_name: str) -> str:
    """Return the name that a YAML uses for a function of keras.applications."""
    torn = re.sub(r"(?<=Net)(?=[BL]|V\dB|V\d[SMX]|M)|(?<=Xt)|(?<=Inception)", "_", function_name)
    torn = re.sub(r"(?<=V\d)(?=[A-Z])|(?<=[a-z0-9])(?=V\d)", "_", torn)
    return re.sub("_+", "_", torn).lower()


def preprocessing_of(module: Any) -> str:
    """Return which of dltrain's ways `module.preprocess_input` is, by what it makes of pixels."""
    import numpy as np

    from dltrain.catalog.applications import PREPROCESSING

    pixels = np.random.default_rng(0).uniform(0, 255, (2, 3, 3, 3)).astype("float32")
    given = np.asarray(module.preprocess_input(pixels.copy(), data_format="channels_last"))
    for name, (order, mean, scale) in PREPROCESSING.items():
        made = (pixels[..., list(order)] - np.array(mean)) / np.array(scale)
        if np.allclose(given, made, atol=1e-4):
            return name
    raise ValueError(f"{module.__name__} prepares images in a way that dltrain doesn't know")


def describe_application(function: Callable[..., Any]) -> dict[str, Any]:
    """Return what the catalog holds of one application; its weights are never made."""
    import keras

    module = importlib.import_module(function.__module__.replace("keras.src.", "keras.", 1))
    source = inspect.getsource(inspect.getmodule(function))  # type: ignore[arg-type]
    found = re.search(r"min_size=(\d+)", source)
    least = int(found[1]) if found else 32
    scope = keras.src.backend.common.stateless_scope.StatelessScope(initialize_variables=False)
    with scope:
        model = function(
            weights=None, include_top=False, pooling="avg", input_shape=(least, least, 3)
        )
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    with scope:
        published, layers = find_weights(function)
    return {
        "function": function.__name__,
        "preprocessing": preprocessing_of(module),
        "min_size": least,
        "features": int(model.output_shape[-1]),
        "parameters": int(model.count_params()),
        "trainable_parameters": trainable,
        "layers": len(model.layers) - 1,  # the last is the pooling
        "is_rescaled": layers > len(model.layers) - 1,
        "weights": published,
    }


def find_weights(function: Callable[..., Any]) -> tuple[dict[str, Any], int]:
    """Return the file of ImageNet's weights that Keras would fetch, and the layers that go with it.

    Keras's own fetching and reading are replaced meanwhile: it names the file nowhere else.
    """
    from unittest import mock

    import keras

    wanted: list[dict[str, Any]] = []

    def note(fname: str, origin: str, **options: Any) -> str:
        digest = options.get("file_hash")
        kind = {32: "md5", 64: "sha256"}.get(len(digest or ""))
        wanted.append({"file": fname, "url": origin, "digest": digest and f"{kind}:{digest}"})
        return fname

    with (
        mock.patch("keras.src.utils.file_utils.get_file", note),
        mock.patch.object(keras.Model, "load_weights"),
    ):
        model = function(weights="imagenet", include_top=False)
    (published,) = wanted
    return published, len(model.layers)


def make_applications() -> dict[str, Any]:
    """Describe every model of keras.applications, without the layers that classify."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    functions = [
        value
        for name in sorted(dir(keras.applications))
        if inspect.isfunction(value := getattr(keras.applications, name))
    ]
    table = {application_name(each.__name__): describe_application(each) for each in functions}
    return {"keras": keras.__version__, "applications": dict(sorted(table.items()))}


def render_applications(table: dict[str, Any]) -> str:
    """Return the table as JSON with one line an application."""
    entries = table["applications"].items()
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries)
    return f'{{\n "keras": {json.dumps(table["keras"])},\n "applications": {{\n{lines}\n }}\n}}\n'


def make_table() -> dict[str, Any]:
    """Describe the installed Keras."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return {"keras": keras.__version__, "kinds": {kind: describe_kind(kind) for kind in MODULES}}


def render(table: dict[str, Any]) -> str:
    """Return the table as JSON with one line an argument, so that differences read well."""
    lines = ["{", f' "keras": {json.dumps(table["keras"])},', ' "kinds": {']
    for kind, entries in table["kinds"].items():
        lines.append(f'  "{kind}": {{')
        for name, entry in entries.items():
            head = {key: entry[key] for key in ("class", "module", "aliases")}
            lines.append(f'   "{name}": {{{json.dumps(head)[1:-1]}, "arguments": {{')
            arguments = entry["arguments"].items()
            lines += [f"    {json.dumps(key)}: {json.dumps(spec)}," for key, spec in arguments]
            lines[-1] = lines[-1].removesuffix(",")
            lines.append("   }},")
        lines[-1] = lines[-1].removesuffix(",")
        lines.append("  },")
    lines[-1] = lines[-1].removesuffix(",")
    return "\n".join([*lines, " }", "}", ""])


def differences(committed: dict[str, Any], installed: dict[str, Any]) -> list[str]:
    """List, a line each, where the committed table and the installed Keras disagree."""
    lines = []
    if committed.get("keras") != installed["keras"]:
        lines.append(f"keras: {committed.get('keras')} -> {installed['keras']}")
    for kind, entries in installed["kinds"].items():
        before = committed.get("kinds", {}).get(kind, {})
        for name in sorted(before.keys() | entries.keys()):
            old, new = before.get(name), entries.get(name)
            if old is None or new is None:
                lines.append(f"{kind}.{name}: {'added' if old is None else 'gone'}")
            elif old != new:
                a, b = old["arguments"], new["arguments"]
                changed = sorted(key for key in a.keys() | b.keys() if a.get(key) != b.get(key))
                lines.append(f"{kind}.{name}: differs in {', '.join(changed) or 'its names'}")
    return lines


def main() -> int:
    """Write the table, or compare it with --check."""
    parser = argparse.ArgumentParser(description="Write dltrain/catalog/keras_table.json.")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 if it differs")
    options = parser.parse_args()
    table = make_table()
    if not options.check:
        TABLE_PATH.write_text(render(table), encoding="utf-8")
        print(f"{TABLE_PATH}: {sum(map(len, table['kinds'].values()))} components")
        applications = make_applications()
        APPLICATIONS_PATH.write_text(render_applications(applications), encoding="utf-8")
        print(f"{APPLICATIONS_PATH}: {len(applications['applications'])} applications")
        return 0
    committed = json.loads(TABLE_PATH.read_text(encoding="utf-8"))
    lines = differences(committed, table)
    if APPLICATIONS_PATH.read_text(encoding="utf-8") != render_applications(make_applications()):
        lines.append("keras.applications: differs")
    print("\n".join(lines) or "The table is what the installed Keras says.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
