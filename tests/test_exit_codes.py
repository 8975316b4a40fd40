"""Does a process end with the code that README promises? One real process for each code."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from processes import run_dltrain, start_dltrain
from tiny_runs import CONFIG, REGRESSION, Result, change

import dltrain
from dltrain import errors
from dltrain.runs.status import read_status

ROOT = Path(__file__).resolve().parent.parent

# A library function that fails as only a defect of ours can.
DEFECT = """
import dltrain.commands.check
def fail(*arguments, **options):
    raise ZeroDivisionError("made by a test")
dltrain.commands.check.load_config = fail
from dltrain.cli import main
main()
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that writes config.yaml, and runs a command line beside it."""

    def call(
        *arguments: object, config: dict[str, object] = REGRESSION, program: str = ""
    ) -> Result:
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        return run_dltrain(*arguments, folder=tmp_path, program=program)

    return call


def test_0_the_work_is_done_and_what_was_required_is_met(run: Run, tmp_path: Path) -> None:
    result = run("fit", "config.yaml", "--json", "--require", "epochs<=3")
    assert result.code == 0, result.err
    assert result.json["requirements"] == [
        {"name": "epochs", "comparison": "<=", "wanted": 3, "got": 3, "met": True}
    ]
    assert read_status(tmp_path / "runs/line/0001/status.json").state == "finished"


def test_1_a_defect_of_ours_shows_its_traceback(run: Run) -> None:
    result = run("check", "config.yaml", program=DEFECT)
    assert (result.code, result.out) == (1, "")
    assert "Traceback (most recent call last):" in result.err
    assert result.err.endswith(
        "ZeroDivisionError: made by a test\n\n"
        f"This is a defect of dltrain {dltrain.__version__}, not of your config. Please report it "
        "with the lines above: https://github.com/dltrain/dltrain/issues\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "absent.yaml"], "absent.yaml"),
        (["fit", "config.yaml", "--epochs", "0"], "--epochs"),
        (["fit", "config.yaml", "--max-seconds", "-1"], "Invalid value for '--max-seconds'"),
        (["fit", "config.yaml", "--require", "test.r3>0"], "Did you mean 'test.r2'?"),
        (["fit", "--resume", "absent"], "There is no run 'absent': runs holds no runs."),
        (["eval", "absent"], "There is no run 'absent': runs holds no runs."),
        (["smoke", "absent"], "There is no file or folder absent."),
        (["nonsense"], "No such command 'nonsense'."),
    ],
)
def test_2_the_command_line_or_the_config_is_wrong(
    run: Run, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "Traceback" not in result.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("arguments", [["fit", "config.yaml"], ["data", "fetch", "mnist"]])
def test_3_the_data_is_missing(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    images = change(CONFIG, dataset__name="mnist")
    result = run(*arguments, "--offline", "--data-dir", "empty", config=images)
    assert (result.code, result.out) == (3, "")
    assert "mnist" in result.err
    assert "Traceback" not in result.err
    assert not (tmp_path / "runs").exists()


def test_4_the_training_failed(run: Run, tmp_path: Path) -> None:
    result = run("fit", "config.yaml", config=change(REGRESSION, optimizer__learning_rate=1e30))
    assert (result.code, result.out) == (4, "")
    assert re.search(
        r"^error: .* in epoch 1, step \d, at a learning rate of 1e\+30", result.err, re.M
    )
    assert "Traceback" not in result.err
    assert read_status(tmp_path / "runs/line/0001/status.json").state == "failed"


def test_5_a_requirement_is_not_met_and_the_run_is_kept(run: Run, tmp_path: Path) -> None:
    wanted = ("--require", "test.mse<=1e-9", "--require", "train.seconds<=600")
    result = run("fit", "config.yaml", "--quiet", *wanted)
    assert result.code == 5
    rows = [line.split() for line in result.out.splitlines()]
    (unmet,) = (row for row in rows if row[:1] == ["test.mse"])
    assert unmet[1:3] == ["<=", "1e-09"]
    assert unmet[-1] == "no"
    assert any(row[:3] == ["train.seconds", "<=", "600"] and row[-1] == "yes" for row in rows)
    assert result.err == (
        f"error: 1 of 2 requirements not met: test.mse<=1e-9 (got {unmet[3]}).\n"
        "The run itself is whole: runs/line/0001\n"
    )
    folder = tmp_path / "runs/line/0001"
    assert read_status(folder / "status.json").state == "finished"
    assert (folder / "model.keras").is_file()
    # The same of a run that is there, from its records.
    evaluated = run("eval", "line", "--require", "test.mse<=1e-9")
    assert evaluated.code == 5
    assert unmet in [line.split() for line in evaluated.out.splitlines()]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
def test_6_the_disk_is_full(run: Run, tmp_path: Path) -> None:
    program = (
        "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)\n"
        "from dltrain.cli import main; main()"
    )
    result = run("data", "list", program=program)
    assert (result.code, result.err) == (
        6,
        "error: The output can't be written: No space left on device.\n",
    )


def test_6_there_is_no_gpu(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(REGRESSION))
    nowhere = {"CUDA_VISIBLE_DEVICES": "-1"}
    result = run_dltrain("fit", "config.yaml", "--device", "gpu", folder=tmp_path, changes=nowhere)
    assert (result.code, result.out) == (6, "")
    assert result.err.startswith("error: ")
    assert "GPU" in result.err
    assert not (tmp_path / "runs").exists()


@pytest.fixture(scope="module")
def at_work(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[Path, subprocess.Popen[str]]]]:
    """Start a training of minutes for each signal, both at once; return them by its name."""
    processes = {}
    for name in ("SIGINT", "SIGTERM"):
        folder = tmp_path_factory.mktemp(name)
        config = change(REGRESSION, training__epochs=1_000_000)
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        processes[name] = (folder, start_dltrain("fit", "config.yaml", folder=folder))
    yield processes
    for _, process in processes.values():
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_130_and_143_say_how_to_go_on(
    at_work: dict[str, tuple[Path, subprocess.Popen[str]]], name: str, code: int
) -> None:
    folder, process = at_work[name]
    assert process.stderr is not None
    assert any(re.match(r"epoch +2/", line) for line in process.stderr)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    status = read_status(folder / "runs/line/0001/status.json")
    assert status.state == "interrupted"
    assert err.endswith(
        f"error: The run was {status.reason}.\nGo on with it: dltrain fit --resume runs/line/0001\n"
    )


def read_codes(document: Path) -> set[int]:
    """Return the codes in the first column of a document's table of exit codes."""
    (table,) = re.findall(r"^\| code \|.*\n\|[-|]+\n((?:\|.*\n)+)", document.read_text(), re.M)
    return {
        int(code) for row in table.splitlines() for code in re.findall(r"\d+", row.split("|")[1])
    }


@pytest.mark.parametrize("name", ["README.md", "docs/ci.md"])
def test_the_table_of_codes_has_those_of_every_error_and_of_the_signals(name: str) -> None:
    foreseen = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.DltrainError)
    }
    assert read_codes(ROOT / name) == {0, *foreseen, 128 + signal.SIGINT, 128 + signal.SIGTERM}


def test_each_code_is_shown_here() -> None:
    tests = " ".join(name for name in globals() if name.startswith("test_"))
    assert read_codes(ROOT / "README.md") == {
        int(code) for code in re.findall(r"_(\d+)(?=_)", tests)
    }
