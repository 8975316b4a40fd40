"""Is the data that is here what a run was trained on? Its words, its columns, its checksums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.load import LoadedData
from dltrain.data.preprocessing import FORMAT, Preprocessing, from_record
from dltrain.data.sources import OpenedSources
from dltrain.data.tokenize import load_tokenizer
from dltrain.errors import DataError, RunError
from dltrain.runs.layout import RunPaths
from dltrain.runs.records import read_record


def read_tokenizer(paths: RunPaths, info: DatasetInfo) -> Any:
    """Return the run's tokenizer, or None for data that isn't text, or is the ids of it.

    Raises RunError if it is missing or damaged.
    """
    if info.modality != "text" or info.reader == "npz":
        return None
    try:
        return load_tokenizer(paths.tokenizer.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{paths.tokenizer} is missing or damaged: {error}.") from error


def read_preprocessing(paths: RunPaths) -> Preprocessing | None:
    """Return what the run learned of its columns; None for a run from before this was kept.

    Raises RunError if it is damaged.
    """
    if not paths.preprocessing.exists():
        return None
    record = read_record(paths.preprocessing, format_number=FORMAT)
    try:
        return from_record(record)
    except ValueError as error:
        raise RunError(f"{paths.preprocessing} is damaged: {error}.") from error


def check_same_data(
    paths: RunPaths, environment: Mapping[str, Any], data: LoadedData | OpenedSources
) -> None:
    """Raise DataError if `data` isn't what environment.json of the run says."""
    recorded = environment.get("dataset", {})
    for key in ("arrays", "options", "stand_in", "subset"):
        if recorded.get(key) != data.fingerprint.get(key):
            own = data.fingerprint.get("path")
            raise DataError(
                f"{own or data.info.name} is not the data that {paths.root} was trained on: "
                "its checksums differ.",
                hint="Put back what was there, or train again."
                if own
                else "Give the data of the run with --data-dir, or train again.",
            )
