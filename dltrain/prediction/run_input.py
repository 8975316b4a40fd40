"""What does a run's model take, and what do its outputs mean? Without its training data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.catalog.datasets import DATASETS, Modality, Task
from dltrain.config.document import Problems
from dltrain.config.extending import read_with_bases
from dltrain.config.layers import unfold_layers
from dltrain.config.losses import check_loss
from dltrain.config.targets import Targets, TargetsError, last_layer, resolve_targets
from dltrain.data.preprocessing import Preprocessing
from dltrain.data.tokenize import append_bigrams, encode_texts, load_tokenizer
from dltrain.errors import RunError
from dltrain.runs.layout import RunPaths
from dltrain.training.recorded_data import read_preprocessing

# Pixels of scikit-learn's digits are counts of dark points in blocks of 4 by 4.
_DIGITS_LARGEST = 16

# What the labels' column is called where the config names none.
_TARGETS = {"tabular": "target"}


@dataclass(frozen=True)
class RunInput:
    """Describe what a run's model takes, from the run's own files.

    `dataset` is that section of the resolved config. `largest_pixel` is what 255 of an image file
    stands for.
    """

    paths: RunPaths
    dataset: Mapping[str, Any]
    preprocessing: Preprocessing
    loss: Mapping[str, Any]
    activation: str | None
    largest_pixel: int = 255

    @property
    def modality(self) -> Modality:
        """Return the kind of its input."""
        return self.preprocessing.modality

    @property
    def task(self) -> Task:
        """Return the kind of its answer."""
        return self.preprocessing.task

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the classes in the order of the model's outputs; none of a regression."""
        return self.preprocessing.class_names

    @property
    def shape(self) -> tuple[int, ...]:
        """Return an image's `(height, width, channels)` or a table's `(features,)`."""
        return self.preprocessing.shape

    @property
    def takes_ids(self) -> bool:
        """Tell whether the run was trained on ids of words, whose words it doesn't know."""
        return self.modality == "text" and self.dataset.get("type") == "npz"

    @property
    def text_key(self) -> str | None:
        """Return the column that holds the texts, where the config names one."""
        return self.dataset.get("text")

    @property
    def target(self) -> str:
        """Return the column, or the key, of the labels."""
        return str(self.dataset.get("target") or _TARGETS.get(self.modality, "label"))

    def targets(self, *, units: int) -> Targets:
        """Return what the outputs of a model of so many units mean. Raises RunError."""
        try:
            return resolve_targets(
                task=self.task,
                classes=len(self.class_names),
                loss=dict(self.loss),
                units=units,
                activation=self.activation,
            )
        except TargetsError as error:
            raise RunError(
                f"{self.paths.config} doesn't fit {self.paths.model}: {error.message}"
            ) from error

    def load_tokenizer(self) -> Any:
        """Return the run's tokenizer. Raises RunError if it is missing or damaged."""
        try:
            return load_tokenizer(self.paths.tokenizer.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{self.paths.tokenizer} is missing or damaged: {error}.") from error

    def encode_texts(self, tokenizer: Any, texts: list[str]) -> Any:
        """Return texts as the model takes them: `(n, length)` int32 ids, with pairs if it has."""
        ids = encode_texts(tokenizer, texts)
        return self.append_pairs(ids)

    def append_pairs(self, ids: Any) -> Any:
        """Return ids `(n, words)` with those of their pairs, where the run has pairs."""
        if self.dataset.get("ngrams") != 2:
            return ids
        return append_bigrams(
            ids,
            vocabulary=self.dataset.get("max_words") or 0,
            buckets=self.dataset.get("ngram_buckets") or 0,
        )


def read_run_input(paths: RunPaths) -> RunInput:
    """Read what the model of a run takes. Raises RunError if the run doesn't tell."""
    if not paths.config.is_file():
        raise RunError(f"{paths.config} doesn't exist: the run is damaged, or never began.")
    document = read_with_bases(paths.config)
    problems, data = Problems(document), document.data
    dataset, model = data.get("dataset"), data.get("model")
    if not isinstance(dataset, dict) or not isinstance(model, dict):
        raise RunError(f"{paths.config} is damaged: it has no dataset and model.")
    layers = unfold_layers(model, problems)
    loss = check_loss(data.get("loss"), problems)
    problems.raise_any()
    preprocessing = _describe(paths, dataset)
    return RunInput(
        paths=paths,
        dataset=dataset,
        preprocessing=preprocessing,
        loss=loss or {},
        activation=last_layer(layers)[1],
        largest_pixel=_DIGITS_LARGEST if dataset.get("name") == "digits" else 255,
    )


def _describe(paths: RunPaths, dataset: Mapping[str, Any]) -> Preprocessing:
    """Return what the run kept of its input, or, of an older run, what its config tells."""
    recorded = read_preprocessing(paths)
    if recorded is not None:
        return recorded
    kind = dataset.get("type")
    if kind is None:
        info = DATASETS.get(str(dataset.get("name")))
        if info is None:
            raise RunError(f"{paths.config} names no dataset that this dltrain knows.")
        shape = (int(dataset["features"]),) if dataset.get("features") else info.shape
        return Preprocessing(info.modality, info.task, info.class_names, shape)
    if kind == "image_folder":
        shape = (*dataset["image_size"], 1 if dataset.get("color") == "grey" else 3)
        return Preprocessing("image", "classification", _read_class_names(paths), shape)
    if kind == "text_folder":
        return Preprocessing("text", "classification", _read_class_names(paths), ())
    raise RunError(
        f"{paths.root} holds no record of how its columns became numbers: {paths.preprocessing} "
        "is missing.",
        hint="Train again: a run keeps it now.",
    )


def _read_class_names(paths: RunPaths) -> tuple[str, ...]:
    """Return the classes in the order of the model's outputs. Raises RunError."""
    from dltrain.runs.predictions import read_predictions

    for each in read_predictions(paths.predictions, probabilities=False).values():
        return each.class_names
    raise RunError(f"{paths.predictions} is damaged: it has no rows.")
