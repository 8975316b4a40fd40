"""Where does Optuna keep a study? In a journal beside the trials, or in a database by its URL."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from dltrain.errors import MachineError
from dltrain.runs.sweeps import SweepPaths

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


def open_storage(paths: SweepPaths, url: str | None) -> BaseStorage:
    if url is not None:
        from optuna.storages import RDBStorage

        return RDBStorage(url)
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    _drop_torn_line(paths)
    return JournalStorage(JournalFileBackend(str(paths.journal), lock_obj=cast(Any, _Held())))


class _Held:
    """Lock nothing: this process holds the whole sweep, by a lock that dies with it.

    Optuna's own locks stay behind when a process is killed, and hold up the next for 30 s.
    """

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return


def _drop_torn_line(paths: SweepPaths) -> None:
    """Cut off a last line that a killed process left half written."""
    if not paths.journal.is_file():
        return
    content = paths.journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(paths.journal, whole)


@contextlib.contextmanager
def explaining_storage(url: str | None) -> Iterator[None]:
    """Turn what a database says into a MachineError, without the password that a URL may hold."""
    if url is None:
        yield
        return
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
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise MachineError(
            f"--storage {shown} doesn't answer: {said}",
            hint="Is the database running, and the URL right? Nothing was trained.",
        ) from None


def hide_password(url: str) -> str:
    """Return a database's URL as it may be shown and written down."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "a URL that can't be read"  # which opening the study refuses
