"""Which sweep does `dltrain sweep --join URL` join, and what is its config?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dltrain import __version__
from dltrain.config.extending import apply_overrides
from dltrain.config.load import LoadedConfig, check_document
from dltrain.config.reading import read_text
from dltrain.errors import ConfigError, RunError, UsageError
from dltrain.sweep.folder import DATA_PATHS
from dltrain.sweep.storage import explaining_storage, hide_password, holds_studies, open_database
from dltrain.sweep.study import CONFIG, GOAL, VERSION, count_done


@dataclass(frozen=True)
class SharedSweep:
    """A sweep that lies in a database; `config` is YAML text, `version` that of its dltrain."""

    study: str
    goal: int
    done: int
    config: str
    version: str

    def load(self, overrides: Sequence[str]) -> LoadedConfig:
        """Return its config, checked on this machine; `overrides` say where the data lies here.

        Raises UsageError if they say anything else, ConfigError with every problem.
        """
        mine = [f"dataset.{key}" for key in DATA_PATHS]
        for override in overrides:
            if override.partition("=")[0].strip() not in mine:
                raise UsageError(
                    f"--set {override} can't go with --join: the study has its config.",
                    hint=f"Only where the data lies may differ here: {', '.join(mine)}.",
                )
        source = f"study {self.study}"
        document = read_text(self.config, source=source)
        apply_overrides(document, [(f"--set {each}", each) for each in overrides])
        try:
            return check_document(document)
        except ConfigError as error:
            raise ConfigError(
                [
                    replace(each, hint=f"Say where it lies here: --set {each.key}=PATH.")
                    if each.key in mine and each.source == source
                    else each
                    for each in error.problems
                ]
            ) from None

    def describe_version(self) -> str:
        """Return a sentence if another version of dltrain began the sweep; else nothing."""
        if self.version == __version__:
            return ""
        return (
            f"The study was begun by dltrain {self.version}, and this is {__version__}: the same "
            "values may give other results here."
        )


def find_shared(url: str, study: str | None) -> SharedSweep:
    """Return the sweep called `study` in a database, or the only one that isn't finished.

    Raises UsageError if the URL is none, or several are unfinished; RunError if there is none;
    MachineError if the database doesn't answer.
    """
    if "://" not in url:
        raise UsageError(
            f"--join takes the URL of a database, and '{url}' is none.",
            hint="A sweep that others can join is begun with `dltrain sweep CONFIG --storage URL`; "
            "study.journal serves a single process.",
        )
    with explaining_storage(url, flag="--join"):
        found = _list_shared(url)
    shown = hide_password(url)
    if study is not None:
        for each in found:
            if each.study == study:
                return each
        names = ", ".join(each.study for each in found)
        raise RunError(
            f"{shown} holds no sweep '{study}'.",
            hint=f"It holds: {names}." if names else "It holds none that can be joined.",
        )
    open_ones = [each for each in found if each.done < each.goal]
    if not open_ones:
        raise RunError(
            f"{shown} holds no sweep that isn't finished.",
            hint="Begin one with `dltrain sweep CONFIG --storage URL`.",
        )
    if len(open_ones) > 1:
        raise UsageError(
            f"{shown} holds {len(open_ones)} sweeps that aren't finished.",
            hint="Say which with --study: "
            + ", ".join(f"{each.study} ({each.done} of {each.goal} done)" for each in open_ones)
            + ".",
        )
    return open_ones[0]


def _list_shared(url: str) -> list[SharedSweep]:
    if not holds_studies(url):
        return []
    storage = open_database(url)
    found = []
    for each in storage.get_all_studies():
        attributes: dict[str, Any] = each.user_attrs
        if CONFIG not in attributes:
            continue
        done = count_done(storage.get_all_trials(each._study_id, deepcopy=False))
        shared = SharedSweep(
            study=each.study_name,
            goal=attributes[GOAL],
            done=done,
            config=attributes[CONFIG],
            version=attributes[VERSION],
        )
        found.append(shared)
    return found
