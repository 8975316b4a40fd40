"""How do ImageNet's weights of a model come here? From Keras's caches, or over the network, whole.

Keras's own fetching writes straight to the final name, prints, and can't be told to stay offline.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

from dltrain.catalog.applications import Application
from dltrain.data.download import DownloadError, Patience, download_file
from dltrain.data.members import matches_digest
from dltrain.data.progress import SILENT, Progress
from dltrain.data.store import explain_disk_errors, is_offline
from dltrain.errors import DataError


def find_imagenet_weights(
    application: Application,
    *,
    offline: bool,
    progress: Progress = SILENT,
    patience: Patience | None = None,
) -> Path:
    """Return the file with ImageNet's weights of `application`, fetched unless it is here.

    Looks into `$KERAS_HOME/models` and `~/.keras/models`; then fetches it into the first, from
    `$DLTRAIN_MIRROR/models/FILE` if that is set, or the address that Keras knows. The file appears
    there whole and with the checksum that Keras knows, or not at all. Raises DataError with all
    that was tried and what to do, and MachineError if it can't be written.
    """
    weights, tried = application.weights, []
    for path in _places(weights.file):
        try:
            if weights.digest is None and path.is_file():
                return path  # whether it is whole shows when it is read
            if weights.digest is not None and matches_digest(path, weights.digest):
                return path
        except FileNotFoundError:
            continue
        except OSError as error:
            tried.append(f"  {path}: {error.strerror or error}")
            continue
        if path.exists():
            kind, _, digest = str(weights.digest).partition(":")
            tried.append(f"  {path}: wrong content: its checksum is not {kind} {digest}")
    if is_offline(offline):
        tried.append("  the network is forbidden (--offline or DLTRAIN_OFFLINE)")
        raise _failure(application, tried)
    target = next(_places(weights.file))
    with explain_disk_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    mirror = os.environ.get("DLTRAIN_MIRROR", "").rstrip("/")
    first = (f"{mirror}/models/{weights.file}",) if mirror else ()
    for url in (*first, weights.url):
        progress.note(f"fetching {url}")
        try:
            with explain_disk_errors(target.parent):
                download_file(
                    url,
                    target,
                    digest=weights.digest,
                    patience=patience or Patience(),
                    report=functools.partial(_report, progress, weights.file),
                )
        except DownloadError as error:
            tried.append(f"  {url}: {error}")
            progress.note(f"  failed: {error}")
        else:
            return target
    raise _failure(application, tried)


def _places(file_name: str) -> Iterator[Path]:
    """Yield where the file may lie, first where it is fetched to."""
    homes = [Path(os.environ["KERAS_HOME"])] if os.environ.get("KERAS_HOME") else []
    for home in dict.fromkeys((*homes, Path.home() / ".keras")):
        yield home / "models" / file_name


def _failure(application: Application, tried: list[str]) -> DataError:
    weights = application.weights
    target = next(_places(weights.file))
    return DataError(
        f"the ImageNet weights of {application.name} can't be had. Tried:\n" + "\n".join(tried),
        hint=f"Fetch {weights.url} where there is a network, and put it into {target.parent} as "
        f"{weights.file}; or set model.pretrained.weights to the path of a file, or to none.",
    )


def _report(progress: Progress, label: str, done_bytes: int, total_bytes: int | None) -> None:
    progress.advance(label, done_bytes=done_bytes, total_bytes=total_bytes)
