"""Which run does `model.from_run` mean, and do its layers fit the model that begins with them?

By what the run says of its layers in model.json, so that no Keras is needed. Whether every array
has the same shape shows when the weights are taken (`dltrain.model.taken_weights`).
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.catalog.components import find
from dltrain.config.document import Problems
from dltrain.config.extending import read_with_bases
from dltrain.config.from_run import PATH, choose_taken
from dltrain.config.layers import Layer
from dltrain.config.load import LoadedConfig
from dltrain.errors import ConfigError, RunError, UsageError
from dltrain.runs.find import resolve_run
from dltrain.runs.layout import RunPaths
from dltrain.runs.model_table import read_model_table
from dltrain.runs.repeats import refuse_repeats
from dltrain.runs.status import read_status
from dltrain.shapes.infer import infer_shapes

# What decides the ids of a text beside its vocabulary.
_WORD_OPTIONS = ("max_words", "max_length", "truncate", "ngrams", "ngram_buckets")


@dataclass(frozen=True)
class SourceRun:
    """The run that a model starts from, and the names of the layers that are taken from it."""

    paths: RunPaths
    taken: tuple[str, ...]


def find_source(loaded: LoadedConfig) -> SourceRun | None:
    """Return the run that `model.from_run` names; None where it names none.

    Raises RunError if there is no such run, or it hasn't finished, and ConfigError if its layers
    are not those that the config takes.
    """
    asked = loaded.config.model.from_run
    if asked is None:
        return None
    try:
        paths = resolve_run(asked.run)
    except RunError as error:
        hint = f"{error.hint} model.from_run needs it: train it first.".strip()
        raise RunError(error.message, hint=hint) from error
    refuse_repeats(paths, doing="started from")
    status = read_status(paths.status)
    if status.state != "finished" or not paths.model.is_file():
        state = "holds no model.keras" if status.state == "finished" else "has not finished"
        raise RunError(
            f"{paths.root} {state}: a model can't start from it.",
            hint="Train it to its end, or name another run in model.from_run.",
        )
    if loaded.info.modality == "text" and loaded.info.reader != "npz":
        _check_words(loaded, paths)
    rows = _read_layers(paths)
    taken = choose_taken(asked, loaded.layers, rows.keys())
    _check_layers(loaded, paths, rows, taken)
    # Without weights there is nothing to take; None says that the count isn't known.
    return SourceRun(paths, tuple(name for name in taken if rows[name]["parameters"] != 0))


def settle_source(loaded: LoadedConfig, source: SourceRun | None) -> LoadedConfig:
    """Return the config with the absolute path of the run and the layers that are taken from it.

    So a later run of that name changes nothing, and the run may be gone when this one goes on.
    """
    asked = loaded.config.model.from_run
    if source is None or asked is None:
        return loaded
    root = str(Path(source.paths.root).resolve())
    model = loaded.config.model.model_copy(
        update={"from_run": asked.model_copy(update={"run": root, "layers": [*source.taken]})}
    )
    return dataclasses.replace(loaded, config=loaded.config.model_copy(update={"model": model}))


def _check_words(loaded: LoadedConfig, paths: RunPaths) -> None:
    """Refuse to make other ids of the texts than that run did: its embedding knows no others.

    Raises RunError if it has no vocabulary, or doesn't tell; ConfigError for options that differ.
    """
    if not paths.tokenizer.is_file():
        raise RunError(
            f"{paths.root} holds no vocabulary: {paths.tokenizer} is missing, or its data are no "
            "texts.",
            hint="Name a run on texts in model.from_run.",
        )
    try:
        there = read_with_bases(paths.config).data["dataset"]
        options = {key: there.get(key) for key in _WORD_OPTIONS}
    except (UsageError, ConfigError, KeyError, AttributeError) as error:
        raise RunError(
            f"{paths.config} is gone or damaged: it doesn't tell how {paths.root} made ids of "
            "texts.",
            hint="Train that run again, or name another one in model.from_run.",
        ) from error
    problems = Problems(loaded.document)
    for key, value in options.items():
        own = getattr(loaded.config.dataset, key)
        if own != value:
            shown = "none" if value is None else value
            problems.add(
                ("dataset", key),
                f"the texts get the vocabulary of {paths.root}, which has {key}: {shown}; this has "
                f"{'none' if own is None else own}.",
                hint=f"Write `{key}: {shown}` under dataset.",
                expected=str(shown),
                received=str(own),
            )
    problems.raise_any()


def _read_layers(paths: RunPaths) -> dict[str, dict[str, Any]]:
    """Return `type` (Keras's class) and `parameters` (None: unknown) of each layer, by its name.

    A run of an earlier dltrain has no model.json; Keras's file names the layers, too. Raises
    RunError if it is damaged.
    """
    if paths.model_table.is_file():
        return {row["name"]: row for row in read_model_table(paths.model_table)["layers"]}
    try:
        with zipfile.ZipFile(paths.model) as file:
            layers = json.loads(file.read("config.json"))["config"]["layers"]
            return {
                layer["config"]["name"]: {"type": layer["class_name"], "parameters": None}
                for layer in layers
            }
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{paths.model} can't be read: it is damaged, or no model of Keras ({error!r}).",
            hint="Train that run again, or name another one in model.from_run.",
        ) from error


def _check_layers(
    loaded: LoadedConfig, paths: RunPaths, rows: Mapping[str, Any], taken: tuple[str, ...]
) -> None:
    asked = loaded.config.model.from_run
    assert asked is not None
    problems = Problems(loaded.document)
    for index, name in enumerate(asked.layers or ()):
        if name not in rows:
            problems.add(
                (*PATH, "layers", index),
                f"the model of {paths.root} has no layer '{name}'.",
                hint=f"Its layers are {', '.join(rows)}.",
                expected="the name of a layer of that run",
                received=f"'{name}'",
            )
    counts = {layer.name: layer.parameters for layer in infer_shapes(loaded).layers}
    for layer in loaded.layers:
        if layer.name in taken and layer.name in rows:
            _check_layer(layer, counts[layer.name], rows[layer.name], paths, problems)
    if not any(rows[name]["parameters"] != 0 for name in taken if name in rows) and not len(
        problems
    ):
        problems.add(
            PATH,
            f"no layer with weights has the name of one of {paths.root}.",
            hint=f"Its layers are {', '.join(rows)}. Give layers of this model their names.",
            expected="a layer of the same name",
            received="none",
        )
    problems.raise_any()


def _check_layer(
    layer: Layer,
    parameters: int | None,
    row: Mapping[str, Any],
    paths: RunPaths,
    problems: Problems,
) -> None:
    component = find("layers", layer.type)
    known = component.class_name if component else layer.type
    here = there = ""
    if row["type"] != known:
        here, there = f"is a {known}", f"a {row['type']}"
    elif parameters is not None and parameters != row["parameters"]:
        here, there = f"has {parameters:,} parameters", f"{row['parameters']:,}"
    if here:
        problems.add(
            layer.path,
            f"{layer.name} {here} here and {there} in {paths.root}, whose weights it takes.",
            hint=f"Make them the same, or write `skip: [{layer.name}]` under model.from_run.",
            expected=there,
            received=here.partition(" ")[2],
        )
