"""How does a config file become a RunConfig? Read, merged, checked, its defaults resolved."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dltrain.catalog.datasets import DATASETS, DatasetInfo
from dltrain.catalog.suggest import nearest
from dltrain.config.balance import check_balance, check_balance_fits, check_keep
from dltrain.config.components import check_spec
from dltrain.config.document import Document, Problems
from dltrain.config.extending import apply_overrides, read_with_bases
from dltrain.config.layers import Layer, unfold_layers
from dltrain.config.losses import check_loss, check_metric
from dltrain.config.monitors import check_monitors
from dltrain.config.own_keys import OWN_TYPES, check_own_keys
from dltrain.config.paths import Path
from dltrain.config.placement import check_augmentation, check_model_layers
from dltrain.config.rules import (
    check_batch_size,
    check_callback_paths,
    check_metrics,
    check_targets,
    check_training,
    check_vocabulary,
    complete_dataset,
)
from dltrain.config.schema import RunConfig
from dltrain.config.targets import Targets
from dltrain.config.validation import add_validation_errors, wrong_paths
from dltrain.errors import ConfigError, DataError

if TYPE_CHECKING:
    from dltrain.config.sweep import Sweep

_DEFAULT_METRICS = {"classification": ["accuracy"], "regression": ["mae"]}
_DEFAULT_LOSS = {"classification": "cross_entropy", "regression": "mse"}


@dataclass(frozen=True)
class LoadedConfig:
    """A config that passed every check, with what the builders need of it.

    `targets` is provisional where the units of the last layer show only when the model is built.
    """

    config: RunConfig
    info: DatasetInfo
    layers: tuple[Layer, ...]
    targets: Targets
    document: Document
    sweep: Sweep | None = None
    """What `sweep:` says; `config` itself is without it."""

    def problem(self, path: Path, message: str, *, hint: str = "") -> ConfigError:
        """Return a ConfigError that points at `path` in the file."""
        problems = Problems(self.document)
        problems.add(path, message, hint=hint)
        return ConfigError(problems.found())


def load_config(
    path: FilePath,
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    epochs: int | None = None,
) -> LoadedConfig:
    """Read and check a config file; `overrides` are `--set` flags.

    Raises UsageError if there is no such file, ConfigError with every problem otherwise; DataError
    if nothing is wrong with the file, but with the data of one's own that it names.
    """
    document = read_with_bases(path)
    given = [(f"--set {override}", override) for override in overrides]
    if seed is not None:
        given.append((f"--seed {seed}", f"seed={seed}"))
    if epochs is not None:
        given.append((f"--epochs {epochs}", f"training.epochs={epochs}"))
    apply_overrides(document, given)
    if document.data.get("name") is None and ("name",) not in document.unread:
        document.data["name"] = path.stem
    return check_document(document)


def check_document(document: Document) -> LoadedConfig:
    """Check the data of a document and resolve its defaults. Raises ConfigError and DataError."""
    problems = Problems(document)
    data = copy.deepcopy(document.data)
    info, damage = None, None
    try:
        info = _find_dataset(data, problems)
    except DataError as error:
        damage = error
    if info is not None:
        info = _choose_classes(data["dataset"], info, problems)
    _check_components(data, info, problems)
    layers = unfold_layers(data["model"], problems) if isinstance(data.get("model"), dict) else []
    check_model_layers(layers, problems)
    config, targets = _validate(data, problems), None
    if config is not None:
        config = _complete(config, info, problems)
        targets = _check_together(config, info, layers, problems)
    sweep = None
    if config is not None and config.sweep is not None:
        from dltrain.config.sweep import read_sweep  # most configs have none

        sweep = read_sweep(config, problems)
        config = config.model_copy(update={"sweep": None})
    problems.raise_any()
    if damage is not None:
        raise damage
    assert config is not None
    assert info is not None
    assert targets is not None
    return LoadedConfig(config, info, tuple(layers), targets, document, sweep)


def _complete(config: RunConfig, info: DatasetInfo | None, problems: Problems) -> RunConfig:
    """Return the config with the defaults that follow from the dataset and from other keys."""
    resolved = config.model_dump(mode="python")
    if info is not None and resolved["model"]["pretrained"]:
        from dltrain.config.pretrained import check_pretrained_fits

        check_pretrained_fits(resolved["model"], resolved["dataset"], info, problems)
    if info is not None:
        complete_dataset(resolved["dataset"], info, problems)
        check_keep(resolved["dataset"], info, problems)
    _complete_training(resolved)
    return RunConfig.model_validate(resolved)


def _check_together(
    config: RunConfig, info: DatasetInfo | None, layers: list[Layer], problems: Problems
) -> Targets | None:
    """Check the sections against each other, those whose own mistakes don't stand in the way."""
    wrong = {name for name in RunConfig.model_fields if problems.touches((name,))}
    if "metrics" not in wrong:
        if info is not None:
            check_metrics(config, info, problems)
        check_monitors(config, problems)
    check_training(config, problems)
    if "model" not in wrong:
        _check_transfer(config, layers, problems)
    check_callback_paths(config, problems)
    if info is None:
        return None
    if "loss" not in wrong:
        check_balance_fits(config, info, problems)
    if "dataset" not in wrong:
        check_batch_size(config, info, problems)
    if not wrong & {"dataset", "model"}:
        check_vocabulary(config, info, layers, problems)
    if "loss" in wrong or ("model" in wrong and not _is_output_known(layers, problems)):
        return None
    return check_targets(config, info, layers, problems)


def _is_output_known(layers: list[Layer], problems: Problems) -> bool:
    """Tell whether the last layer was read, and decides by itself what the model puts out."""
    written = problems.document.data.get("model")
    items = written.get("layers") if isinstance(written, dict) else None
    if not layers or not isinstance(items, list):
        return False
    last = layers[-1]
    return last.path == ("model", "layers", len(items) - 1) and last.type == "dense"


def _find_dataset(data: dict[str, Any], problems: Problems) -> DatasetInfo | None:
    section = data.get("dataset")
    if isinstance(section, str):
        data["dataset"] = section = {"name": section}
    if not isinstance(section, dict):
        return None
    complete = check_own_keys(section, problems)
    if section.get("type") is not None:
        known = section["type"] in OWN_TYPES
        return _find_own_dataset(section, problems) if known and complete else None
    if section.get("name") is None:
        problems.add(
            ("dataset", "name"),
            "dataset needs `name:`, or `type:` for data of your own.",
            hint="`dltrain data list` shows the datasets.",
            expected="name: or type:",
            received="none",
        )
    name = section.get("name")
    if not isinstance(name, str):
        return None
    info = DATASETS.get(name)
    if info is None:
        problems.add(
            ("dataset", "name"),
            f"there is no dataset '{name}'.",
            hint="`dltrain data list` shows all.",
            expected="the name of a dataset",
            received=f"'{name}'",
            suggestion=nearest(name, DATASETS),
        )
    return info


def _find_own_dataset(section: dict[str, Any], problems: Problems) -> DatasetInfo | None:
    """Look at data of one's own; its path is taken from the file that says it, or from the flag's.

    A flag's is the current folder.
    """
    from dltrain.config.own_data import describe_own_data  # most configs name a dataset

    place = problems.document.place(("dataset", "path"))
    base = FilePath(place.source).parent if place.line else FilePath()
    return describe_own_data(section, base, problems)


def _choose_classes(section: dict[str, Any], info: DatasetInfo, problems: Problems) -> DatasetInfo:
    if section.get("classes") is None and section.get("rows_per_class") is None:
        return info
    from dltrain.config.chosen_classes import choose_classes

    return choose_classes(section, info, problems)


def _check_transfer(config: RunConfig, layers: list[Layer], problems: Problems) -> None:
    """Check what names layers of the model: where they come from, and when they are trained."""
    if config.model.from_run is not None:
        from dltrain.config.from_run import check_from_run_fits

        check_from_run_fits(config, layers, problems)
    if config.training.phases:
        from dltrain.config.phases import check_phases_fit

        check_phases_fit(config, layers, problems)


def _check_components(data: dict[str, Any], info: DatasetInfo | None, problems: Problems) -> None:
    """Check everything that names a Keras component, and put the canonical form in its place."""
    task = info.task if info else "classification"
    if data.get("loss") is None:
        data["loss"] = _DEFAULT_LOSS[task]
    data["loss"] = check_loss(data["loss"], problems)
    if data.get("optimizer") is None:
        data["optimizer"] = "adam"
    data["optimizer"] = check_spec("optimizers", data["optimizer"], ("optimizer",), problems)
    if data.get("metrics") is None:
        data["metrics"] = _DEFAULT_METRICS[task]
    if isinstance(data["metrics"], list):
        data["metrics"] = [
            check_metric(raw, ("metrics", index), problems)
            for index, raw in enumerate(data["metrics"])
        ]
    training = data.get("training")
    if isinstance(training, dict) and training.get("phases") is not None:
        from dltrain.config.phases import check_phases

        check_phases(training, data["optimizer"], problems)
    if isinstance(data.get("model"), dict) and data["model"].get("from_run") is not None:
        from dltrain.config.from_run import check_from_run

        check_from_run(data["model"], problems)
    if isinstance(data.get("model"), dict) and data["model"].get("pretrained") is not None:
        from dltrain.config.pretrained import check_pretrained

        check_pretrained(data["model"], problems)
    if isinstance(training, dict) and isinstance(training.get("callbacks"), list):
        training["callbacks"] = [
            check_spec("callbacks", raw, ("training", "callbacks", index), problems)
            for index, raw in enumerate(training["callbacks"])
        ]
    if isinstance(training, dict) and training.get("balance") is not None:
        training["balance"] = check_balance(training["balance"], problems)
    dataset = data.get("dataset")
    if isinstance(dataset, dict) and isinstance(dataset.get("augment"), list):
        for index, raw in enumerate(dataset["augment"]):
            path: Path = ("dataset", "augment", index)
            spec = check_spec("layers", raw, path, problems)
            if spec is not None:
                check_augmentation(spec, path, problems)
            dataset["augment"][index] = spec
    if isinstance(data.get("trackers"), list) and data["trackers"]:
        from dltrain.config.trackers import check_trackers  # most configs name none

        data["trackers"] = check_trackers(data["trackers"], problems)


def _validate(data: dict[str, Any], problems: Problems) -> RunConfig | None:
    """Return the config; values that are wrong are told, and left out so that the rest is checked.

    Placeholders stand for what a config must have. None if what is wrong can't be left out.
    """
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        add_validation_errors(error, RunConfig, problems)
        wrong = [*wrong_paths(error, RunConfig)]
    for path in wrong:
        holder: Any = data
        for part in path[:-1]:
            holder = holder.get(part) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(path[-1], None)
    data = {"name": "unnamed", "dataset": {}, "model": {}, **data}
    data["model"] = {"layers": [None], **data["model"]}
    try:
        return RunConfig.model_validate(data)
    except ValidationError:
        return None


def _complete_training(data: dict[str, Any]) -> None:
    """Resolve the monitors: they follow each other, and then the validation loss."""
    training = data["training"]
    stopping, plateau = training["early_stopping"], training["reduce_lr_on_plateau"]
    if training["monitor"] is None:
        default = "val_loss" if data["dataset"]["validation_split"] else "loss"
        training["monitor"] = (stopping or {}).get("monitor") or default
    for section in (stopping, plateau):
        if section and section["monitor"] is None:
            section["monitor"] = training["monitor"]
