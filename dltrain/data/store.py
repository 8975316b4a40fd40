"""Where do prepared datasets lie on disk, and how can one tell that one is whole?

    DATA_DIR/mnist/dataset.json         what it is, the size and SHA-256 of each array, the source
    DATA_DIR/mnist/train_inputs.npy ... the arrays
    DATA_DIR/.preparing-mnist-*/        being written, or left behind by a kill: never read
    DATA_DIR/.downloads/mnist/          whole, checked downloads until they are prepared

A dataset's directory appears by one rename, so that it is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dltrain.errors import DataError, MachineError

# Raise this when the layout of the arrays changes: older directories are then made anew.
FORMAT = 1
RECORD_NAME = "dataset.json"


def resolve_data_dir(option: Path | None) -> Path:
    """Return `option`, else DLTRAIN_DATA_DIR, else `dltrain/data` in the user's cache folder."""
    if option is not None:
        return option.expanduser()
    if from_environment := os.environ.get("DLTRAIN_DATA_DIR"):
        return Path(from_environment).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("dltrain", appauthor=False)) / "data"


def is_offline(option: bool) -> bool:
    """Tell whether `--offline` was given or DLTRAIN_OFFLINE set to anything but 0 or nothing."""
    return option or os.environ.get("DLTRAIN_OFFLINE", "0").lower() not in ("", "0", "false", "no")


def explain_remedies(name: str, data_dir: Path, accepts: str) -> str:
    """Return the two commands that bring a dataset here, for the end of an error."""
    usual = data_dir == resolve_data_dir(None)
    where = "" if usual else f" --data-dir {data_dir}"
    return (
        f"On a machine with a network:  dltrain data fetch {name}{where}\n"
        f"With the files at hand:       dltrain data add {name} PATH{where}\n"
        f"  PATH is {accepts}."
    )


def read_record(name: str, data_dir: Path) -> dict[str, Any] | None:
    """Return what `dataset.json` says of a prepared dataset, or None if it isn't here.

    Costs a few file-system calls. Raises DataError if the directory is there but not whole.
    """
    directory = data_dir / name
    try:
        text = (directory / RECORD_NAME).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.lexists(directory):
            return None
        raise DataError(f"{directory} is not a prepared dataset: no {RECORD_NAME}.") from None
    except OSError as error:
        raise DataError(f"{directory} can't be read: {error.strerror}.") from error
    try:
        record = json.loads(text)
        sizes = {file: int(entry["bytes"]) for file, entry in record["arrays"].items()}
        whole = record["format"] == FORMAT and record["name"] == name
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{directory / RECORD_NAME} is damaged: {error}.") from error
    if not whole:
        raise DataError(f"{directory} was prepared by another version of dltrain.")
    for file, size in sizes.items():
        _check_array_file(directory / file, size)
    return dict(record)


def _check_array_file(path: Path, size: int) -> None:
    try:
        found = path.stat().st_size
    except OSError:
        raise DataError(f"{path} is missing.") from None
    if found != size:
        raise DataError(f"{path} is damaged: expected {size:,} bytes, found {found:,}.")


def is_prepared(name: str, data_dir: Path) -> bool:
    """Tell whether the dataset is here, and whole."""
    try:
        return read_record(name, data_dir) is not None
    except DataError:
        return False


@contextlib.contextmanager
def new_directory(name: str, data_dir: Path) -> Iterator[Path]:
    """Yield a fresh directory beside the final one; remove it on the way out if still there.

    First removes those that killed processes of this machine left behind.
    """
    with explain_disk_errors(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(name, data_dir)
        directory = Path(tempfile.mkdtemp(prefix=_prefix("preparing", name), dir=data_dir))
    try:
        directory.chmod(0o755)  # mkdtemp's 0700 would keep other users of a shared folder out
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _prefix(purpose: str, name: str) -> str:
    """Name a temporary directory after its owner, so that those of dead owners can be told."""
    return f".{purpose}-{name}-{platform.node()}-{os.getpid()}-"


def _remove_abandoned(name: str, data_dir: Path) -> None:
    for purpose in ("preparing", "replaced"):
        shared = _prefix(purpose, name).rsplit("-", 2)[0] + "-"
        for path in data_dir.glob(f"{glob.escape(shared)}*"):
            owner = path.name.removeprefix(shared).split("-")[0]
            if owner.isdigit() and not _is_running(int(owner)):
                shutil.rmtree(path, ignore_errors=True)


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def publish(directory: Path, name: str, record: Mapping[str, Any], *, replace: bool) -> bool:
    """Write `dataset.json` into `directory` and rename the whole into place.

    Return False, leaving what is there, if another process was first and `replace` is False. What
    is there but damaged is replaced in any case. Readers that have the old arrays open keep them.
    """
    data_dir = directory.parent
    target = data_dir / name
    with explain_disk_errors(target):
        with (directory / RECORD_NAME).open("w", encoding="utf-8") as file:
            json.dump(record, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        for _ in range(10):
            try:
                directory.rename(target)  # fails if the target is there, unless it is empty
                return True
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise
            if not replace and is_prepared(name, data_dir):
                return False
            with (
                tempfile.TemporaryDirectory(prefix=_prefix("replaced", name), dir=data_dir) as old,
                contextlib.suppress(FileNotFoundError),
            ):
                target.rename(Path(old) / name)
    raise MachineError(f"{target} can't be replaced: other processes keep writing it.")


@contextlib.contextmanager
def explain_disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission into MachineError that names `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MachineError(
                f"The disk is full: {path} can't be written.",
                hint="Free some space, or choose another place: --data-dir or DLTRAIN_DATA_DIR.",
            ) from error
        raise MachineError(
            f"{path} can't be written: {error.strerror or error}.",
            hint="Choose another place with --data-dir or DLTRAIN_DATA_DIR.",
        ) from error
