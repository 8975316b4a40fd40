"""How does a dataset that someone already has on disk come in?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dltrain.catalog.datasets import DatasetInfo, SourceFile
from dltrain.data.idx import find_idx_file
from dltrain.data.members import digest_of
from dltrain.data.prepare import parse_dataset, store_dataset
from dltrain.data.progress import SILENT, Progress
from dltrain.errors import DataError, UsageError

# published: the files have the published checksums. contents: the archive differs (another gzip
# made it, say), what is inside has the published checksums. differs: neither. unknown: no checksum
# is published for this form of the dataset.
Checksum = Literal["published", "contents", "differs", "unknown"]

CHECKSUM_MEANINGS: Mapping[Checksum, str] = {
    "published": "the checksum is the published one",
    "contents": "the files inside have the published checksums; only their packing differs",
    "differs": "the checksum is NOT the published one: results may differ from other people's",
    "unknown": "no checksum is published for the dataset in this form, so it was not compared",
}


@dataclass(frozen=True)
class Added:
    """Say what came in, from which path, and what its checksums said."""

    path: Path
    checksum: Checksum
    digests: Mapping[str, str]


def add_dataset(
    info: DatasetInfo, path: Path, *, data_dir: Path, progress: Progress = SILENT
) -> Added:
    """Prepare `path`, the publisher's archive or the folder it unpacks to, into DATA_DIR/NAME.

    Replaces what is there. `path` itself is only read. Raises UsageError for a dataset that is
    built in, DataError if `path` is not the dataset, MachineError if it can't be written.
    """
    if info.embedded:
        raise UsageError(f"{info.name} is built in: there is nothing to add.")
    if not path.exists():
        raise DataError(f"{path} doesn't exist.", hint=f"Give {info.accepts}.")
    path = _find_archive(info, path)
    progress.note(f"reading {path}")
    files = _published_files(info, path)
    digests = {
        source.name: digest_of(file, source.digest.partition(":")[0]) for source, file in files
    }
    parsed = parse_dataset(path, info)
    archives_match = bool(files) and all(
        digests[source.name] == source.digest for source, _ in files
    )
    checksum = judge_checksum(
        info, archives_match=archives_match, has_archive=bool(files), contents=parsed.digests
    )
    added = Added(path=path, checksum=checksum, digests={**parsed.digests, **digests})
    progress.note(f"writing {data_dir / info.name}")
    store_dataset(parsed, info, data_dir=data_dir, source=describe_source(added), replace=True)
    return added


def judge_checksum(
    info: DatasetInfo, *, archives_match: bool, has_archive: bool, contents: Mapping[str, str]
) -> Checksum:
    """Say how the checksums found compare with the published ones."""
    if archives_match:
        return "published"
    if info.contents and all(contents.get(name) == md5 for name, md5 in info.contents.items()):
        return "contents"
    return "differs" if has_archive or (info.contents and contents) else "unknown"


def describe_source(added: Added) -> dict[str, object]:
    """Return what `dataset.json` records of where the data came from."""
    return {
        "from": str(added.path.absolute()),
        "checksum": added.checksum,
        "digests": dict(added.digests),
    }


def _find_archive(info: DatasetInfo, path: Path) -> Path:
    """Follow a folder to the archive or the unpacked folder in it, where there is just one way."""
    if path.is_file():
        known = [source.name for files in info.sources for source in files if len(files) == 1]
        if info.reader == "idx" and not (known and path.suffix == ".npz"):
            raise DataError(f"{path} is not {info.name}.", hint=f"Give {info.accepts}.")
        return path
    if info.reader == "idx":
        return path
    unpacked = path / {"cifar": "cifar-10-batches-py", "aclimdb": "aclImdb"}[info.reader]
    if unpacked.is_dir():
        return unpacked
    archives = [path / source.name for files in info.sources for source in files]
    return next((archive for archive in archives if archive.is_file()), path)


def _published_files(info: DatasetInfo, path: Path) -> list[tuple[SourceFile, Path]]:
    """Pair the published files with those that `path` gives; empty if it gives unpacked ones."""
    for sources in info.sources:
        if path.is_dir():
            pairs = [(source, path / source.name) for source in sources]
            if all(file.is_file() for _, file in pairs) and _will_be_read(path, sources):
                return pairs
        elif len(sources) == 1 and (info.reader != "idx" or path.suffix == ".npz"):
            return [(sources[0], path)]
    return []


def _will_be_read(folder: Path, sources: tuple[SourceFile, ...]) -> bool:
    """Tell whether the reader takes these: it prefers the IDX files to an .npz beside them."""
    is_npz = sources[0].name.endswith(".npz")
    return not is_npz or find_idx_file(folder, "train-images-idx3-ubyte") is None
