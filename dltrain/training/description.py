"""What is written down of a run before its first step?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dltrain.config.document import join_sources
from dltrain.config.dump import dump_config
from dltrain.data.preprocessing import to_record
from dltrain.runs.atomic import explaining_disk, write_json, write_text
from dltrain.runs.environment import describe_environment
from dltrain.runs.layout import RunPaths
from dltrain.training.engine import StartedDevice
from dltrain.training.resume import Resumption, note_other_machine

if TYPE_CHECKING:
    from dltrain.training.assemble import Prepared


def write_description(
    paths: RunPaths,
    prepared: Prepared,
    started: StartedDevice,
    resumption: Resumption | None,
    command_line: Sequence[str],
) -> list[str]:
    """Write what is known before the first step: the config, the environment, the vocabulary.

    When a run goes on, environment.json stays as it was but for a line under `resumed`; returned
    are notes on what is another machine's.
    """
    loaded, data = prepared.loaded, prepared.data
    write_text(paths.config, dump_config(loaded.config))
    if not resumption or not paths.source.is_file():  # killed before it was written
        write_text(paths.source, join_sources(loaded.document))
    scaling = data.scaling
    environment: dict[str, Any] = {
        **describe_environment(command_line=command_line),
        "device": {"kind": started.kind, "name": started.name},
        "seed": loaded.config.seed,
        "dataset": data.fingerprint,
        "rows": {split: len(table) for split, table in data.tables.items()},
        "normalization": {"mean": scaling.mean, "scale": scaling.scale} if scaling else None,
        "balance": prepared.balanced.counts_by_class(data.info.class_names),
    }
    notes: list[str] = []
    if resumption and resumption.checkpoint and resumption.environment:
        recorded = resumption.environment
        notes = note_other_machine(recorded, environment)
        keys = ("command_line", "host", "cpu", "usable_cpu_count", "packages", "variables", "git")
        entry = {key: environment[key] for key in keys}
        entry |= {"at": datetime.now(UTC).isoformat(timespec="seconds")}
        entry |= {"epoch": resumption.checkpoint.epoch, "step": resumption.checkpoint.step}
        environment = {**recorded, "resumed": [*recorded.get("resumed", []), entry]}
    write_json(paths.environment, environment)
    write_json(paths.preprocessing, to_record(data.preprocessing))
    if data.tokenizer is not None:
        write_text(paths.tokenizer, data.tokenizer.to_str())
    for name, content in prepared.preset.items():
        with explaining_disk(paths.preset):
            paths.preset.mkdir(exist_ok=True)
        write_json(paths.preset / name, content)
    return notes
