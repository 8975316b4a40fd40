"""What does the TAB key propose? Asked of real processes, the way the shells ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """
dataset: digits
model:
  blocks: {part: {parameters: {size: 3}, layers: [{type: dense, units: $size}]}}
  layers: [flatten, {block: part, size: 4}, {type: dense, units: 10}]
optimizer: {type: sgd, learning_rate: 0.5}
metrics: [{type: f1}]
"""
PROGRAM = "import sys; from dltrain.cli import main; sys.argv[0] = 'dltrain'; main()"


def ask(line: str, folder: Path, shell: str = "bash") -> subprocess.CompletedProcess[str]:
    """Return what `dltrain` answers to a shell in which `line` stands before the cursor."""
    words = line.split(" ")
    asked = {
        "_DLTRAIN_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def proposals(line: str, folder: Path) -> list[str]:
    done = ask(line, folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(CONFIG)
    (tmp_path / "top.yaml").write_text("extends: a.yaml\noptimizer: {momentum: 0.25}\n")
    (tmp_path / "wrong.yaml").write_text("dataset: [digits\n")
    (tmp_path / "empty.yaml").write_text("")
    for run in ("cnn/0001", "cnn/0002", "mlp/0001"):
        (tmp_path / "runs" / run).mkdir(parents=True)
    (tmp_path / "runs" / "cnn" / "0001" / "status.json").write_text("{")  # damaged, and yet a run
    (tmp_path / "others" / "old" / "0001").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dltrain sc", ["schema"]),
        ("dltrain data ", ["list", "fetch", "add", "path"]),
        ("dltrain check --res", ["--resolved"]),
        ("dltrain init t", ["text", "transformer"]),
        ("dltrain data fetch ", ["mnist", "fashion_mnist", "cifar10", "imdb"]),
        ("dltrain data add m", ["mnist"]),
        ("dltrain eval ", ["cnn", "mlp"]),
        ("dltrain eval cnn/", ["cnn/0001", "cnn/0002"]),
        ("dltrain eval --runs-dir others ", ["old"]),
        ("dltrain fit --resume m", ["mlp"]),
        ("dltrain fit --device g", ["gpu"]),
        # A second proposal, with the value of now, so that bash puts no space behind `=`.
        (
            "dltrain check a.yaml --set optimizer.lea",
            ["optimizer.learning_rate=", "optimizer.learning_rate=0.5"],
        ),
        ("dltrain check top.yaml --set optimizer.mom", ["optimizer.momentum=0.25"]),
        ("dltrain fit a.yaml --seed 3 --set model.layers[2].uni", ["model.layers[2].units=10"]),
        ("dltrain fit a.yaml --set model.layers[1].s", ["model.layers[1].size=4"]),
        ("dltrain fit a.yaml --set metrics[0].thr", ["metrics[0].threshold="]),
        (
            "dltrain check a.yaml --set model.blocks.part.layers[0].uni",
            ["model.blocks.part.layers[0].units=", "model.blocks.part.layers[0].units=$size"],
        ),
        ("dltrain check --set training.early_stopping.pat", ["training.early_stopping.patience=5"]),
        ("dltrain check --set optimizer.beta", ["optimizer.beta_1=", "optimizer.beta_2="]),
        ("dltrain check --set training.precision=mixed_f", ["training.precision=mixed_float16"]),
        ("dltrain check --set dataset.name=d", ["dataset.name=digits", "dataset.name=diabetes"]),
    ],
)
def test_tab_proposes(folder: Path, line: str, expected: list[str]) -> None:
    found = proposals(line, folder)
    missing = [each for each in expected if each not in found]
    assert missing == []
    begun = line.rpartition(" ")[2]
    assert all(each.startswith(begun) for each in found)
    assert len(found) <= len(expected) + 2


def test_keys_are_proposed_a_level_at_a_time(folder: Path) -> None:
    found = proposals("dltrain check a.yaml --set ", folder)
    assert found == sorted(found)
    assert {"dataset.", "model.", "seed=", "optimizer.", "optimizer=", "training."} <= set(found)
    assert proposals("dltrain check a.yaml --set tr", folder) == ["trackers=", "training."]
    assert proposals("dltrain check a.yaml --set trai", folder)[:2] == [
        "training.batch_size=",
        "training.callbacks=",
    ]


@pytest.mark.parametrize("config", ["wrong.yaml", "empty.yaml", "absent.yaml", "runs"])
def test_an_unreadable_config_gives_nothing_and_no_traceback(folder: Path, config: str) -> None:
    assert proposals(f"dltrain check {config} --set opt", folder) == []


@pytest.mark.parametrize(("shell", "expected"), [("zsh", '"transformer"'), ("fish", "transformer")])
def test_other_shells_get_the_same(folder: Path, shell: str, expected: str) -> None:
    done = ask("dltrain init tra", folder, shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert expected in done.stdout


def test_completion_imports_nothing_heavy_and_is_quick(folder: Path) -> None:
    line = "dltrain fit a.yaml --set optimizer."
    program = PROGRAM.replace("main()", "").replace("import main", "import run") + (
        "code = run([]); heavy = ['tensorflow', 'keras', 'sklearn', 'matplotlib', 'numpy']\n"
        "print(code, [name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    asked = {"_DLTRAIN_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "4"}
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # 0.25 s on two idle cores; benchmarks/start.py holds the start to its goal.
    assert time.perf_counter() - begun < 5
    assert "optimizer.momentum=" in done.stdout
    assert done.stderr == "0 []\n"


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_for_bash_completes_in_bash(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "dltrain"
    command.write_text(f"#!{sys.executable}\nfrom dltrain.cli import main\nmain()\n")
    command.chmod(0o755)
    script = (
        'eval "$(_DLTRAIN_COMPLETE=source_bash dltrain)"\n'
        "COMP_WORDS=(dltrain init tra); COMP_CWORD=2\n"
        '_dltrain_completion dltrain tra init; echo "${COMPREPLY[@]}"\n'
        "complete -p dltrain"
    )
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "transformer",
        "complete -o default -F _dltrain_completion dltrain",
    ]
