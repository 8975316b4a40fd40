"""Which folder is a sweep's? A new one, or with `--resume` the latest, if it is this config's."""

from __future__ import annotations

import copy
from pathlib import Path

from dltrain.config.document import join_sources
from dltrain.config.dump import dump_config, dump_data
from dltrain.config.load import LoadedConfig, load_config
from dltrain.config.sweep import Sweep
from dltrain.errors import RunError
from dltrain.runs.atomic import remove_leftovers, write_text
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import hold_run, release_run
from dltrain.runs.sweeps import SweepPaths, create_sweep, find_sweeps, make_folders
from dltrain.training.resume import list_differences

DATA_PATHS = ("path", "validation_path", "test_path")
"""The keys of `dataset:` that may lie elsewhere on another machine."""


def take_folder(loaded: LoadedConfig, root: Path, *, resume: bool) -> SweepPaths:
    """Return the sweep's folder, held by this process: a new one, or the latest of that name.

    Raises RunError if there is none to go on with, or it is another config's.
    """
    name = loaded.config.name
    if not resume:
        paths = create_sweep(name, root=root)
    else:
        found = find_sweeps(name, root=root)
        if not found:
            raise RunError(
                f"There is no sweep of '{name}' in {root} to go on with.",
                hint="Leave --resume out to begin one.",
            )
        paths = found[-1]
        hold_run(RunPaths(paths.root))
        make_folders(paths)
        for folder in (paths.root, paths.trial_config(1).parent):
            remove_leftovers(folder)
        if paths.config.is_file():
            try:
                _refuse_another(paths, loaded)
            except BaseException:
                release_run(RunPaths(paths.root))
                raise
    if not paths.source.is_file():  # of a new sweep, or of one that was killed before it had one
        write_text(paths.source, join_sources(loaded.document))
    text = dump_config(loaded.config, sweep=loaded.document.data["sweep"])
    write_text(paths.config, text)
    return paths


def _refuse_another(paths: SweepPaths, loaded: LoadedConfig) -> None:
    """Raise RunError if the sweep was begun with another config or space."""
    recorded = load_config(paths.config)
    differences = [key for key, _, _ in list_differences(recorded.config, loaded.config)]
    assert loaded.sweep is not None
    if recorded.sweep is None:
        differences.append("sweep")
    else:
        differences += _compare(recorded.sweep, loaded.sweep)
    if differences:
        raise RunError(
            f"{paths.root} belongs to another config; different are: {', '.join(differences)}.",
            hint="When a sweep goes on, sweep.trials, sweep.max_seconds and sweep.retrain may "
            "change. Leave --resume out to begin a new one.",
        )


def describe_shared(loaded: LoadedConfig) -> str:
    """Return the YAML text that another machine joins a sweep with, its `sweep:` included.

    It is the config as written, merged and with `--set`, not the resolved one: what follows from a
    value that varies must follow anew in each trial. Paths of data of one's own are absolute.
    """
    data = copy.deepcopy(loaded.document.data)
    for key in DATA_PATHS:
        if path := getattr(loaded.config.dataset, key):
            data["dataset"][key] = path
    return dump_data(data)


def _compare(one: Sweep, other: Sweep) -> list[str]:
    """Return the keys in which two sweeps differ, but for those that may change."""
    found = [
        f"sweep.{name}"
        for name in ("method", "pruner", "seed")
        if getattr(one, name) != getattr(other, name)
    ]
    if one.objectives != other.objectives:
        found.append("sweep.metric")
    if one.dimensions != other.dimensions:
        found.append("sweep.space")
    return found
