"""Where does Optuna keep a study? In a journal beside the trials, or in a database by its URL."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.errors import MachineError, RunError
from dltrain.runs.sweeps import SweepPaths

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage
    from sqlalchemy import URL

OPENING = "Is the database running, and the URL right? Nothing was trained."
"""What to do about a database that doesn't answer before anything was trained."""

# Two processes that make the tables of an empty database at once: one of them is refused.
_TRIES = 4

# What libpq is told, unless the URL says otherwise: to give up on a host that doesn't answer, and
# to notice within a minute that one is gone.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_POSTGRESQL = {
    "application_name": "dltrain",
    "connect_timeout": "10",
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "50000",
}
_SQLITE = {"timeout": 60}  # seconds that a writer waits for another


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


def open_database(url: str) -> RDBStorage:
    """Open a database, and make Optuna's tables if they aren't there.

    Raises SQLAlchemyError, ImportError or RuntimeError; use it inside `explaining_storage`.
    """
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

    text = _read_url(url).render_as_string(hide_password=False)
    for attempt in range(1, _TRIES + 1):
        try:
            return RDBStorage(
                # Optuna formats the URL, in which braces mean nothing to us.
                text.replace("{", "{{").replace("}", "}}"),
                engine_kwargs=_choose_arguments(url),
            )
        except (IntegrityError, OperationalError, ProgrammingError) as error:
            there = "already exists" in str(error) or isinstance(error, IntegrityError)
            if attempt == _TRIES or not there:
                raise
            time.sleep(random.uniform(0.1, 0.5))
    raise AssertionError


def holds_studies(url: str) -> bool:
    """Tell whether a database has Optuna's tables; makes none. Raises as `open_database` does."""
    from sqlalchemy import create_engine, inspect

    made = _read_url(url)
    if made.get_backend_name() == "sqlite" and not Path(made.database or "").is_file():
        return False  # to connect would make the file
    engine = create_engine(made, **_choose_arguments(url))
    try:
        return inspect(engine).has_table("studies")
    finally:
        engine.dispose()


def _choose_arguments(url: str) -> dict[str, Any]:
    """Return what SQLAlchemy is to tell the driver."""
    made = _read_url(url)
    given: dict[str, Any] = {}
    if made.drivername == "postgresql+psycopg":
        given = {key: value for key, value in _POSTGRESQL.items() if key not in made.query}
    elif made.get_backend_name() == "sqlite":
        given = {key: value for key, value in _SQLITE.items() if key not in made.query}
    return {"pool_pre_ping": True, "connect_args": given}


def hide_password(url: str) -> str:
    """Return a database's URL as it may be shown and written down."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        made = make_url(url)
    except ArgumentError:
        return "a URL that can't be read"  # which opening the study refuses
    secret = {key: "***" for key in made.query if "password" in key}
    shown = made.update_query_dict(secret).render_as_string(hide_password=True)
    return shown.replace("%2A%2A%2A", "***")


@contextlib.contextmanager
def explaining_storage(
    url: str | None, *, flag: str = "--storage", hint: str = OPENING
) -> Iterator[None]:
    """Turn what a database says into a MachineError, without the password that a URL may hold.

    `flag` is where the URL came from.
    """
    if url is None:
        yield
        return
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    shown = hide_password(url)
    try:
        yield
    except ArgumentError:
        raise MachineError(
            f"{flag} is no database URL.",
            hint="For example sqlite:///study.db or postgresql://user@host/database.",
        ) from None
    except ImportError as error:
        postgresql = shown.startswith(("postgresql:", "postgresql+psycopg:", "postgres:"))
        said = str(error.__cause__ or error).rstrip(".")  # Optuna's own names no module
        raise MachineError(
            f"{flag} {shown} needs a package that isn't installed: {said}.",
            hint="pip install 'dltrain[postgresql]'"
            if postgresql
            else "Install the database's driver.",
        ) from None
    except (SQLAlchemyError, StorageInternalError) as error:
        raise MachineError(
            f"{flag} {shown} doesn't answer: {_find_said(error)}", hint=hint
        ) from None
    except RuntimeError as error:
        if "compatible with the table schema" not in str(error):
            raise
        raise MachineError(
            f"{flag} {shown} was set up by another version of Optuna.",
            hint=f"It says: {error}",
        ) from None


def _find_said(error: BaseException) -> str:
    """Return the first line of what the driver said; Optuna wraps what SQLAlchemy wraps."""
    cause: BaseException = error
    while getattr(cause, "orig", None) is None and cause.__cause__ is not None:
        cause = cause.__cause__
    said: Any = getattr(cause, "orig", None) or cause
    lines = str(said).strip().splitlines() or [type(said).__name__]
    # Of a host with several addresses each has its line.
    return " ".join(line.strip() for line in lines[:3]) if lines[0].endswith(":") else lines[0]


def _read_url(url: str) -> URL:
    """Return the parts of a URL; PostgreSQL's driver is psycopg unless another is named."""
    from sqlalchemy.engine import make_url

    made = make_url(url)
    if made.drivername in ("postgresql", "postgres"):
        made = made.set(drivername="postgresql+psycopg")
    return made
