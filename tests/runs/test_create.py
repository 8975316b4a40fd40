"""Does each new run get a directory of its own?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dltrain.errors import MachineError, RunError
from dltrain.runs.create import claim_run_directory, create_run_directory
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import hold_run, release_run

ROOT = Path(__file__).parents[2]


def run_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that runs `code`, with pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_runs_of_a_name_are_numbered_upwards(tmp_path: Path) -> None:
    first = create_run_directory("mnist", root=tmp_path / "runs")
    assert first.root == tmp_path / "runs" / "mnist" / "0001"
    (tmp_path / "runs" / "mnist" / "0007").mkdir()
    (tmp_path / "runs" / "mnist" / "notes").mkdir()
    assert create_run_directory("mnist", root=tmp_path / "runs").root.name == "0008"
    assert create_run_directory("other", root=tmp_path / "runs").root.name == "0001"


def test_numbers_go_on_past_9999(tmp_path: Path) -> None:
    (tmp_path / "mnist" / "9999").mkdir(parents=True)
    assert create_run_directory("mnist", root=tmp_path).root.name == "10000"
    assert create_run_directory("mnist", root=tmp_path).root.name == "10001"


def test_processes_that_start_at_once_get_different_numbers(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dltrain.runs.create import *\n"
        "input()\n"
        "for _ in range(20): print(create_run_directory('x', root=Path(sys.argv[1])).root.name)"
    )
    processes = [run_python(code, tmp_path) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    numbers = [name for process in processes for name in process.communicate()[0].split()]
    assert sorted(numbers) == [f"{number:04d}" for number in range(1, 61)]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-x", "a b", "x" * 101])
def test_a_name_that_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="can't name a run: expected letters, digits"):
        create_run_directory(name, root=tmp_path)


def test_an_explicit_directory_may_be_new_or_empty(tmp_path: Path) -> None:
    assert claim_run_directory(tmp_path / "a" / "b").root == tmp_path / "a" / "b"
    (tmp_path / "empty").mkdir()
    claim_run_directory(tmp_path / "empty")


def test_an_explicit_directory_that_holds_a_run_is_refused_with_the_ways_out(
    tmp_path: Path,
) -> None:
    (tmp_path / "status.json").write_text("{}")
    with pytest.raises(RunError, match="exists and is not empty: it holds a run") as caught:
        claim_run_directory(tmp_path)
    assert "another --run-dir" in caught.value.hint
    assert f"dltrain eval {tmp_path}" in caught.value.hint
    assert not (tmp_path / ".lock").exists()


def test_an_explicit_directory_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RunError, match="exists and is not empty") as caught:
        claim_run_directory(tmp_path)
    assert "dltrain eval" not in caught.value.hint


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RunError, match="it, or a folder above it, is a file"):
            claim_run_directory(path)


def test_an_unwritable_place_is_a_machine_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13))

    # Tests may run as root, whom no permission bits stop.
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(MachineError, match=r"mnist can't be written: Permission denied\."):
        create_run_directory("mnist", root=tmp_path)
    with pytest.raises(MachineError, match="Permission denied"):
        claim_run_directory(tmp_path / "mine")


def test_a_second_process_is_refused_until_the_first_lets_go_or_dies(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dltrain.runs.create import *\n"
        "claim_run_directory(Path(sys.argv[1])); print('held', flush=True); input()"
    )
    other = run_python(code, tmp_path / "run")
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(RunError, match=f"is in use by process {other.pid} on "):
        claim_run_directory(tmp_path / "run")
    other.kill()
    other.communicate()
    claim_run_directory(tmp_path / "run")  # the lock died with its process


def test_letting_go_removes_the_lock_and_lets_the_next_one_in(tmp_path: Path) -> None:
    paths = claim_run_directory(tmp_path / "run")
    with pytest.raises(RunError, match="is in use by this process"):
        hold_run(RunPaths(tmp_path / "run"))
    release_run(paths)
    assert not paths.lock.exists()
    release_run(paths)
    hold_run(paths)
    assert paths.lock.read_text().startswith(f"{os.getpid()} on ")
