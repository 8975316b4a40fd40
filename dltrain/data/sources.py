"""Which rows, as they were opened, stand behind the splits? Without what a model makes of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.schema import DatasetConfig
from dltrain.data.class_choice import choose_rows
from dltrain.data.load import Source, split_dataset
from dltrain.data.open import open_configured_dataset
from dltrain.data.progress import SILENT, Progress


@dataclass(frozen=True)
class OpenedSources:
    """Hold the rows behind each split that has any, and which data they are."""

    info: DatasetInfo
    sources: dict[str, Source]
    fingerprint: dict[str, Any]


def open_sources(
    config: DatasetConfig,
    *,
    seed: int,
    data_dir: Path,
    splits: Collection[str],
    offline: bool = False,
    progress: Progress = SILENT,
) -> OpenedSources:
    """Open the dataset and split it as `load_data` does; nothing is encoded. Raises DataError."""
    dataset = open_configured_dataset(config, data_dir=data_dir, offline=offline, progress=progress)
    dataset = choose_rows(dataset, config.classes)
    parts = split_dataset(dataset, config, seed=seed)
    sources = {
        split: Source(
            part="test" if rows is dataset.test else "train",
            rows=rows,
            indices=indices,
            modality=dataset.info.modality,
        )
        for split, (rows, indices) in parts.items()
        if split in splits and len(indices)
    }
    return OpenedSources(dataset.info, sources, dict(dataset.fingerprint))
