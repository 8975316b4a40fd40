"""How are the files of an archive, or of the folder it unpacks to, read without extracting it?"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from dltrain.errors import DataError


def digest_of(path: Path, algorithm: str) -> str:
    """Return `ALGORITHM:HEX` of the file's bytes; `algorithm` is md5 or sha256."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    return f"{algorithm}:{found.hexdigest()}"


def matches_digest(path: Path, digest: str) -> bool:
    """Tell whether the file has `digest`, written `ALGORITHM:HEX`."""
    return digest_of(path, digest.partition(":")[0]) == digest


def md5_of(content: bytes) -> str:
    """Return `md5:HEX`: for recognising published content, not for security."""
    return f"md5:{hashlib.md5(content, usedforsecurity=False).hexdigest()}"


def read_members(
    path: Path, *, wanted: Callable[[str], bool], largest_bytes: int
) -> Iterator[tuple[str, bytes]]:
    """Yield `(name, bytes)` of the wanted files of a tar archive or a folder.

    Names are relative and use `/`; the order is the archive's, so sort afterwards. Links, devices,
    and every name that `wanted` refuses are passed over; nothing is written to disk. Raises
    DataError if the archive is cut short or damaged, or a wanted file exceeds `largest_bytes`.
    """
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            name = file.relative_to(path).as_posix()
            if wanted(name) and file.is_file():
                _check_size(path, name, file.stat().st_size, largest_bytes)
                yield name, file.read_bytes()
        return
    try:
        yield from _tar_members(path, wanted=wanted, largest_bytes=largest_bytes)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is not a whole tar archive: {error}.",
            hint="Download it again: a part of a file is of no use.",
        ) from error


def _tar_members(
    path: Path, *, wanted: Callable[[str], bool], largest_bytes: int
) -> Iterator[tuple[str, bytes]]:
    # tarfile's own "r|gz" checks neither the gzip checksum nor the end; the gzip module does both.
    with (
        gzip.open(path) if _is_gzip(path) else path.open("rb") as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            name = member.name.removeprefix("./")
            content = archive.extractfile(member) if wanted(name) and member.isreg() else None
            if content is not None:
                _check_size(path, name, member.size, largest_bytes)
                yield name, content.read()
        while stream.read(1024 * 1024):
            pass


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _check_size(path: Path, name: str, size: int, largest_bytes: int) -> None:
    if size > largest_bytes:
        raise DataError(
            f"{path}: {name} has {size:,} bytes; expected at most {largest_bytes:,}.",
            hint="This is not the published file.",
        )
