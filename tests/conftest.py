"""Give the tests that train an empty workplace, the command line, a trained run, a database."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from postgresql import Server, find_binaries, running_server
from tiny_runs import CONFIG, Result, change


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a config, changed, and returns its path."""

    def write(config: Mapping[str, Any] = CONFIG, **changes: Any) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(change(config, **changes), sort_keys=False))
        return path

    return write


@pytest.fixture(scope="session")
def chart_scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for what `report.vega_script` keeps: made once, not once a test."""
    return tmp_path_factory.mktemp("scripts")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chart_scripts: Path) -> Path:
    """Work in an empty directory, with no setting from outside; return it."""
    monkeypatch.chdir(tmp_path)
    for name in ("DLTRAIN_DATA_DIR", "DLTRAIN_OFFLINE", "COLUMNS", "FORCE_COLOR", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    # They take seconds; tests/commands/test_run_pages.py looks at them.
    monkeypatch.setenv("DLTRAIN_NO_REPORT", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache" / "dltrain").mkdir(parents=True)
    (tmp_path / "cache" / "dltrain" / "scripts").symlink_to(chart_scripts)
    return tmp_path


@pytest.fixture
def dltrain(workplace: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    """Return a function that runs the command line in this process, in `workplace`."""
    from dltrain.cli import run

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        # A training that was refused may have left a thread that imports TensorFlow, and that puts
        # the stderr of this test back when it is done.
        importing = getattr(sys.modules.get("dltrain.training.engine"), "_importing", None)
        if importing is not None:
            importing.join()
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    yield call
    if "keras" in sys.modules:  # the policy is the process's, and outlives a run of mixed precision
        sys.modules["keras"].config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train CONFIG once for all tests; return the run directory. Copy it to change it."""
    from dltrain.cli import run

    folder = tmp_path_factory.mktemp("trained")
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    arguments = ["fit", str(path), "--runs-dir", str(folder / "runs"), "--quiet"]
    arguments.append("--no-report")
    assert run(arguments) == 0
    return folder / "runs" / "tiny" / "0001"


@pytest.fixture
def copied_run(trained_run: Path, workplace: Path) -> Path:
    """Return a copy of `trained_run` at runs/tiny/0001 of the workplace."""
    copy = workplace / "runs" / "tiny" / "0001"
    shutil.copytree(trained_run, copy)
    return copy


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Run a PostgreSQL server for all tests; without one they skip, or fail in CI."""
    binaries = find_binaries()
    if binaries is None:
        reason = "needs PostgreSQL's server: apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with running_server(binaries) as server:
        yield server
