"""How does a dataset come over the network: from which addresses, and what if none will do?"""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dltrain.catalog.datasets import DatasetInfo, SourceFile
from dltrain.data.add import Added, describe_source
from dltrain.data.download import DownloadError, Patience, download_file
from dltrain.data.members import matches_digest
from dltrain.data.prepare import parse_dataset, store_dataset
from dltrain.data.progress import SILENT, Progress
from dltrain.data.store import (
    explain_disk_errors,
    explain_remedies,
    is_offline,
    is_prepared,
    read_record,
)
from dltrain.errors import DataError, MachineError


@dataclass
class _Attempts:
    """Collect every address or file tried, with the reason why it would not do."""

    lines: list[str] = field(default_factory=list)

    def add(self, where: object, why: str) -> None:
        line = f"  {where}: {why}"
        if line not in self.lines:
            self.lines.append(line)


def fetch_dataset(
    info: DatasetInfo,
    *,
    data_dir: Path,
    offline: bool = False,
    progress: Progress = SILENT,
    patience: Patience | None = None,
) -> bool:
    """Bring the dataset into DATA_DIR/NAME unless it is there; return whether that took a fetch.

    Looks into DLTRAIN_MIRROR (`$DLTRAIN_MIRROR/NAME/FILE`) first, then at the publisher's address
    and at known mirrors; what Keras left in `~/.keras/datasets` is used if its checksum is the
    published one. A directory that is damaged is replaced. Raises DataError with every address
    tried, why it failed, and what to do.
    """
    attempts = _Attempts()
    try:
        if info.embedded or read_record(info.name, data_dir) is not None:
            return False
    except DataError as error:
        attempts.add("what is there already", error.message)
        progress.note(f"{error.message} Fetching it anew.")
    try:
        for sources in info.sources:
            if is_prepared(info.name, data_dir):  # another process was faster
                return False
            if _fetch_one_of(
                info,
                sources,
                data_dir=data_dir,
                offline=is_offline(offline),
                progress=progress,
                patience=patience or Patience(),
                attempts=attempts,
            ):
                return True
    except MachineError as error:
        attempts.add(data_dir, f"{error.message} {error.hint}")
    if is_prepared(info.name, data_dir):
        return False
    raise _failure(info, attempts, data_dir=data_dir, offline=is_offline(offline))


def _failure(info: DatasetInfo, attempts: _Attempts, *, data_dir: Path, offline: bool) -> DataError:
    head = f"The dataset {info.name} is not in {data_dir} and could not be fetched"
    if offline:
        head += ": the network is forbidden (--offline or DLTRAIN_OFFLINE)"
    tried = ". Tried:\n" + "\n".join(attempts.lines) if attempts.lines else "."
    return DataError(head + tried, hint=explain_remedies(info.name, data_dir, info.accepts))


def _fetch_one_of(
    info: DatasetInfo,
    sources: Sequence[SourceFile],
    *,
    data_dir: Path,
    offline: bool,
    progress: Progress,
    patience: Patience,
    attempts: _Attempts,
) -> bool:
    """Gather all of `sources` in one folder and prepare them; False if one can't be had."""
    folder = data_dir / ".downloads" / info.name
    with explain_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        found = _use_keras_cache(source, folder) or _is_whole(folder / source.name, source)
        if not found and (
            offline
            or not _download(
                info, source, folder, progress=progress, patience=patience, attempts=attempts
            )
        ):
            return False
    progress.note(f"preparing {info.name} in {data_dir / info.name}")
    path = folder / sources[0].name if len(sources) == 1 else folder
    try:
        parsed = parse_dataset(path, info)
    except DataError as error:
        attempts.add(path, error.message)
        return False
    origin = Added(
        path=Path(sources[0].urls[0]),
        checksum="published",
        digests={**parsed.digests, **{source.name: source.digest for source in sources}},
    )
    record = {**describe_source(origin), "from": [source.urls[0] for source in sources]}
    store_dataset(parsed, info, data_dir=data_dir, source=record)
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _is_whole(path: Path, source: SourceFile) -> bool:
    try:
        return matches_digest(path, source.digest)
    except OSError:
        return False


def _use_keras_cache(source: SourceFile, folder: Path) -> bool:
    """Link what Keras downloaded earlier into `folder`, if its checksum is the published one."""
    keras_home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    for name in source.keras_cache:
        path = keras_home / "datasets" / name
        if _is_whole(path, source):
            with explain_disk_errors(folder):
                _link(path, folder / source.name)
            return True
    return False


def _link(path: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        link = Path(temporary) / target.name
        link.symlink_to(path)
        link.replace(target)


def _download(
    info: DatasetInfo,
    source: SourceFile,
    folder: Path,
    *,
    progress: Progress,
    patience: Patience,
    attempts: _Attempts,
) -> bool:
    """Try one address after the other; True once the file is there, whole and checked.

    Raises MachineError if it can't be written: another address would not help.
    """
    mirror = os.environ.get("DLTRAIN_MIRROR", "").rstrip("/")
    first = (f"{mirror}/{info.name}/{source.name}",) if mirror else ()
    for url in (*first, *source.urls):
        progress.note(f"fetching {url}")
        try:
            with explain_disk_errors(folder):
                download_file(
                    url,
                    folder / source.name,
                    digest=source.digest,
                    patience=patience,
                    report=functools.partial(_report, progress, source.name),
                )
        except DownloadError as error:
            attempts.add(url, str(error))
            progress.note(f"  failed: {error}")
        else:
            return True
    return False


def _report(progress: Progress, label: str, done_bytes: int, total_bytes: int | None) -> None:
    progress.advance(label, done_bytes=done_bytes, total_bytes=total_bytes)
