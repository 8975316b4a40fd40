"""Where does Optuna keep a study? In a journal beside the trials, or in a database by its URL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dltrain.errors import MachineError, RunError
from dltrain.runs.atomic import explaining_disk
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.journal import open_journal

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


# What to do where a database doesn't answer: as a sweep begins, and when it was at work.
UNANSWERED = "Is the database running, and the URL right? Nothing was trained."
_LOST = "What was done is kept."


def open_storage(paths: SweepPaths, url: str | None) -> BaseStorage:
    """Return Optuna's storage; call it in `explaining_storage`."""
    if url is not None:
        from optuna.storages import RDBStorage

        return RDBStorage(url)
    return open_journal(paths.journal)


def find_study(storage: BaseStorage, paths: SweepPaths, name: str, url: str | None) -> None:
    """Raise RunError if the storage has no study of that name, of which sweep.json tells."""
    try:
        storage.get_study_id_from_name(name)
    except KeyError:
        if url is None:
            raise RunError(
                f"{paths.journal} holds no study '{name}', of which {paths.record.name} tells.",
                hint="Put the file back, or leave --resume out to begin a new sweep.",
            ) from None
        raise RunError(
            f"The database holds no study '{name}', of which {paths.record} tells.",
            hint="Give --storage the URL that the sweep was begun with.",
        ) from None


@contextlib.contextmanager
def explaining_storage(paths: SweepPaths, url: str | None, *, hint: str = _LOST) -> Iterator[None]:
    """Turn what a database, or the disk, says into a MachineError with `hint`.

    Without the password that a URL may hold.
    """
    if url is None:
        with explaining_disk(paths.journal):
            yield
        return
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        shown = make_url(url).render_as_string(hide_password=True)
        yield
    except ArgumentError:
        raise MachineError(
            "--storage is no database URL.",
            hint="For example sqlite:///study.db or postgresql+psycopg://user@host/database.",
        ) from None
    except ImportError as error:
        raise MachineError(
            f"--storage {shown} needs a package that isn't installed: {str(error).rstrip('.')}.",
            hint="Install the database's driver.",
        ) from None
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error if isinstance(error, SQLAlchemyError) else error.__cause__ or error
        said = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
        raise MachineError(f"--storage {shown} doesn't answer: {said}", hint=hint) from None


def hide_password(url: str) -> str:
    """Return a database's URL as it may be shown and written down."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "a URL that can't be read"  # which opening the study refuses
