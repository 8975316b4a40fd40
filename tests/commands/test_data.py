"""Do the `data` commands print results to stdout, and everything else to stderr?"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from dltrain.catalog.datasets import DATASETS
from dltrain.commands.data import app
from dltrain.errors import DataError, UsageError


def run(*arguments: object) -> Result:
    """Run `dltrain data ARGUMENTS`."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write_black_mnist(folder: Path) -> Path:
    """Write MNIST's four files, all zeros but of the full size, in milliseconds."""
    folder.mkdir()
    for prefix, rows in (("train", 60_000), ("t10k", 10_000)):
        for kind, shape in (("images-idx3", (rows, 28, 28)), ("labels-idx1", (rows,))):
            header = bytes((0, 0, 8, len(shape))) + np.array(shape, dtype=">u4").tobytes()
            content = gzip.compress(header + bytes(int(np.prod(shape))), 1)
            (folder / f"{prefix}-{kind}-ubyte.gz").write_bytes(content)
    return folder


def test_list_fits_80_columns_and_names_every_dataset(tmp_path: Path) -> None:
    result = run("list", "--data-dir", tmp_path)
    assert result.exit_code == 0
    assert all(name in result.stdout for name in DATASETS)
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert "built in" in result.stdout
    assert "not here" in result.stdout


def test_list_as_json_says_what_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    document = json.loads(run("list", "--json", "--data-dir", tmp_path).stdout)
    states = {entry["name"]: entry["state"] for entry in document["datasets"]}
    assert states["digits"] == "built in"
    assert states["mnist"] == "damaged"
    assert states["imdb"] == "not here"


def test_add_says_that_the_checksum_is_not_the_published_one(tmp_path: Path) -> None:
    folder = write_black_mnist(tmp_path / "mnist-files")
    result = run("add", "mnist", folder, "--data-dir", tmp_path / "data")
    assert result.exit_code == 0, result.exception
    assert f"mnist is in {tmp_path / 'data' / 'mnist'}" in result.stdout
    assert "checksum: differs" in result.stdout
    assert "NOT the published one" in result.stdout
    assert "reading" in result.stderr
    assert "reading" not in result.stdout

    listed = run("list", "--data-dir", tmp_path / "data").stdout
    assert "differs" in next(line for line in listed.splitlines() if " mnist " in line)

    again = run("add", "mnist", folder, "--json", "--data-dir", tmp_path / "data")
    assert json.loads(again.stdout)["checksum"] == "differs"
    here = run("fetch", "mnist", "--offline", "--data-dir", tmp_path / "data")
    assert here.stdout.strip() == "mnist is here already"


def test_fetch_of_what_is_built_in_does_nothing(tmp_path: Path) -> None:
    result = run("fetch", "digits", "--data-dir", tmp_path)
    assert result.stdout.strip() == "digits is built in: nothing to fetch"


def test_fetch_offline_names_the_two_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras-home"))
    error = run("fetch", "imdb", "--offline", "--data-dir", tmp_path).exception
    assert isinstance(error, DataError)
    assert "the network is forbidden" in error.message
    assert f"dltrain data fetch imdb --data-dir {tmp_path}" in error.hint
    assert f"dltrain data add imdb PATH --data-dir {tmp_path}" in error.hint


@pytest.mark.parametrize("arguments", [["fetch", "mnits"], ["add", "mnits", "."]])
def test_unknown_dataset_suggests_the_nearest(arguments: list[str]) -> None:
    error = run(*arguments).exception
    assert isinstance(error, UsageError)
    assert error.message == "There is no dataset 'mnits'."
    assert error.hint == "Did you mean 'mnist'?"


def test_path_prints_the_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path))
    assert run("path").stdout == f"{tmp_path}\n"


def test_listing_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom dltrain.commands.data import list_datasets\n"
        "from pathlib import Path\nlist_datasets(Path(sys.argv[1]))\n"
        "heavy = {'numpy', 'tensorflow', 'keras', 'sklearn', 'pooch', 'requests'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True)
