"""Is a storage that doesn't answer, or can't be joined, told before anything is trained?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from postgresql import Server
from processes import run_dltrain
from tiny_runs import REGRESSION, Result, change

from dltrain.config.load import load_config
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.folder import describe_shared
from dltrain.sweep.study import SweepStudy

Cli = Callable[..., Result]

SWEEP: dict[str, Any] = {
    "method": "random",
    "trials": 3,
    "space": {"optimizer.learning_rate": {"log_uniform": [1e-3, 0.1]}},
}
ANSWERS = "Is the database running, and the URL right? Nothing was trained.\n"


@pytest.fixture
def config(workplace: Path) -> Path:
    path = workplace / "config.yaml"
    path.write_text(yaml.safe_dump(change(REGRESSION, sweep=SWEEP)))
    return path


def share(config: Path, url: str, study: str, **changes: Any) -> None:
    """Begin a sweep in a database, as far as others can see it."""
    sweep = change(SWEEP, **changes)
    config.write_text(yaml.safe_dump(change(REGRESSION, sweep=sweep)))
    loaded = load_config(config)
    assert loaded.sweep is not None
    folder = config.parent / study
    folder.mkdir()
    SweepStudy(
        SweepPaths(folder), loaded.sweep, loaded.document, epochs=3, name=study, url=url
    ).share(describe_shared(loaded), version="0.1.0")


def test_a_server_that_does_not_answer_is_told_without_the_password(
    dltrain: Cli, config: Path, postgresql: Server
) -> None:
    right = postgresql.url("absent")
    _, _, rest = right.partition("@")
    no_port = f"postgresql://searcher:secret@127.0.0.1:1/{rest.partition('/')[2]}"
    wrong = f"postgresql://searcher:secret@{rest}"
    cases = {
        no_port: 'connection failed: connection to server at "127.0.0.1", port 1 failed: '
        "Connection refused",
        wrong: f'connection failed: connection to server at "127.0.0.1", port {postgresql.port} '
        'failed: FATAL:  password authentication failed for user "searcher"',
        right: f'connection failed: connection to server at "127.0.0.1", port {postgresql.port} '
        'failed: FATAL:  database "absent" does not exist',
        "postgresql://u:secret@no-such-host.invalid/d?password=secret": "failed to resolve host "
        "'no-such-host.invalid': [Errno -2] Name or service not known",
    }
    for url, said in cases.items():
        shown = url.replace("geheim%7B7%7D%25", "***").replace("secret", "***")
        begun = dltrain("sweep", config, "--storage", url)
        assert begun.code == 6
        message = f"{shown} doesn't answer: {said}\n{ANSWERS}"
        assert begun.err.endswith(f"error: --storage {message}")
        joined = dltrain("sweep", "--join", url)
        assert (joined.code, joined.err) == (6, f"error: --join {message}")
    assert list(config.parent.glob("runs/*/*")) == []


def test_what_is_no_url_or_lacks_its_driver_is_told(dltrain: Cli, config: Path) -> None:
    junk = dltrain("sweep", config, "--storage", "nonsense")
    assert junk.code == 6
    assert junk.err.endswith(
        "error: --storage is no database URL.\n"
        "For example sqlite:///study.db or postgresql://user@host/database.\n"
    )
    absent = run_dltrain(
        *("sweep", config, "--storage", "postgresql://u:secret@h/d"),
        folder=config.parent,
        program="import sys\nsys.modules['psycopg'] = None\nfrom dltrain.cli import main\nmain()",
    )
    assert absent.code == 6
    assert absent.err.endswith(
        "error: --storage postgresql://u:***@h/d needs a package that isn't installed: import of "
        "psycopg halted; None in sys.modules.\npip install 'dltrain[postgresql]'\n"
    )
    empty = dltrain("sweep", config, "--storage", "")
    assert (empty.code, empty.err) == (
        2,
        "error: --storage is empty.\nIt takes the URL of a database.\n",
    )
    assert list(config.parent.glob("runs/*/*")) == []


def test_joining_says_what_there_is_to_join(dltrain: Cli, config: Path) -> None:
    url = f"sqlite:///{config.parent}/study.db"
    nothing = dltrain("sweep", "--join", url)
    none = (
        f"error: {url} holds no sweep that isn't finished.\n"
        "Begin one with `dltrain sweep CONFIG --storage URL`.\n"
    )
    assert (nothing.code, nothing.err) == (2, none)
    assert not (config.parent / "study.db").exists()
    share(config, url, "one")
    share(config, url, "two", trials=7)
    several = dltrain("sweep", "--join", url)
    assert (several.code, several.err) == (
        2,
        f"error: {url} holds 2 sweeps that aren't finished.\n"
        "Say which with --study: one (0 of 3 done), two (0 of 7 done).\n",
    )
    other = dltrain("sweep", "--join", url, "--study", "three")
    assert (other.code, other.err) == (
        2,
        f"error: {url} holds no sweep 'three'.\nIt holds: one, two.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--join", "runs/line/sweep-0001/study.journal"),
            "--join takes the URL of a database, and 'runs/line/sweep-0001/study.journal' is "
            "none.\nA sweep that others can join is begun with `dltrain sweep CONFIG --storage "
            "URL`; study.journal serves a single process.",
        ),
        (
            ("config.yaml", "--join", "sqlite:///study.db"),
            "config.yaml can't go with --join: the study has its config.\nLeave CONFIG out to "
            "join, or take --storage to begin a sweep in that database.",
        ),
        (
            ("--join", "sqlite:///a.db", "--storage", "sqlite:///b.db"),
            "--storage can't go with --join.\n--join URL is all: it names the database, and goes "
            "on with what is left.",
        ),
        (
            ("--join", "sqlite:///a.db", "--resume"),
            "--resume can't go with --join.\n--join URL is all: it names the database, and goes "
            "on with what is left.",
        ),
        (
            ("config.yaml", "--study", "line"),
            "--study goes with --join.\nIt names a sweep in its database.",
        ),
        (
            ("--workers", "2"),
            "dltrain sweep needs a CONFIG, or --join URL.\n`dltrain sweep run --help`.",
        ),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(
    dltrain: Cli, config: Path, arguments: tuple[str, ...], message: str
) -> None:
    refused = dltrain("sweep", *arguments)
    assert (refused.code, refused.err) == (2, f"error: {message}\n")


def test_a_shared_config_is_checked_and_keeps_its_values(dltrain: Cli, config: Path) -> None:
    url = f"sqlite:///{config.parent}/study.db"
    share(config, url, "one")
    changed = dltrain("sweep", "--join", url, "--set", "optimizer.learning_rate=0.1")
    assert (changed.code, changed.err) == (
        2,
        "error: --set optimizer.learning_rate=0.1 can't go with --join: the study has its config.\n"
        "Only where the data lies may differ here: dataset.path, dataset.validation_path, "
        "dataset.test_path.\n",
    )
    table = config.parent / "rows.csv"
    table.write_text("a,b\n" + "".join(f"{row},{row % 7}\n" for row in range(40)))
    own = change(REGRESSION, sweep=SWEEP)
    own["dataset"] = {"type": "csv", "path": "rows.csv", "target": "b", "task": "regression"}
    config.write_text(yaml.safe_dump(own))
    loaded = load_config(config)
    assert loaded.sweep is not None
    study = SweepStudy(
        *(SweepPaths(config.parent), loaded.sweep, loaded.document),
        epochs=3,
        name="own",
        url=url,
    )
    study.share(describe_shared(loaded), version="0.1.0")
    moved = table.rename(config.parent / "moved.csv")
    refused = dltrain("sweep", "--join", url, "--study", "own")
    assert refused.code == 2
    assert refused.err == (
        f"study own:2:9  dataset.path\n  there is no {table}. Say where it lies here: --set "
        "dataset.path=PATH.\n1 problem in the config.\n"
    )
    told = dltrain(
        *("sweep", "--join", url, "--study", "own", "--set", f"dataset.path={moved}"),
        *("--set", "dataset.test_path=/absent.csv"),
    )
    assert told.code == 2
    assert "there is no /absent.csv." in told.err
    assert str(table) not in told.err
