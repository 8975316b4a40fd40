"""Do `check` and `fit` show what trains badly, and does --strict make it fail?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lint_cases import digits
from tiny_runs import REGRESSION, Result

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]

BAD = digits(rest="optimizer: {type: adam, learning_rate: 0.1}\ntraining: {shuffle: false}\n")
SHOWN = (
    "warning: bad.yaml:7:40  DL201  optimizer.learning_rate\n"
    "  a learning rate of 0.1 is far from what adam is used with, 1e-06 to 0.03: the loss will "
    "jump or overflow.\n"
    "  Write `learning_rate: 0.001` and go on from there.\n"
    "warning: bad.yaml:8:21  DL204  training.shuffle\n"
    "  without shuffling every epoch has the same batches in the same order, and their gradients "
    "the same bias.\n"
    "  Write `shuffle: true`.\n"
)


def test_check_shows_warnings_and_still_says_that_the_config_is_right(
    dltrain: Cli, workplace: Path
) -> None:
    Path("bad.yaml").write_text(BAD)
    result = dltrain("check", "bad.yaml")
    assert (result.code, result.err) == (0, SHOWN)
    assert result.out.startswith("bad.yaml is right: ")


def test_strict_exits_with_2_where_there_is_a_warning(dltrain: Cli, workplace: Path) -> None:
    Path("bad.yaml").write_text(BAD)
    result = dltrain("check", "bad.yaml", "--strict")
    assert (result.code, result.out) == (2, "")
    assert result.err == f"{SHOWN}2 warnings, and --strict allows none.\n"
    one = dltrain("check", "bad.yaml", "--strict", "--set", "training.shuffle=true")
    assert one.code == 2
    assert one.err.endswith("\n1 warning, and --strict allows none.\n")
    Path("good.yaml").write_text(digits())
    good = dltrain("check", "good.yaml", "--strict")
    assert (good.code, good.err) == (0, "")


def test_ignored_warning_is_allowed_by_strict(dltrain: Cli, workplace: Path) -> None:
    Path("bad.yaml").write_text(f"# dltrain: ignore[DL201, DL204]\n{BAD}")
    result = dltrain("check", "bad.yaml", "--strict")
    assert (result.code, result.err) == (0, "")


def test_json_has_the_warnings_as_objects(dltrain: Cli, workplace: Path) -> None:
    Path("bad.yaml").write_text(BAD)
    result = dltrain("check", "bad.yaml", "--json", "--set", "training.shuffle=false")
    assert (result.code, result.err) == (0, "")
    assert result.json["valid"] is True
    assert result.json["warnings"] == [
        {
            "file": "bad.yaml",
            "line": 7,
            "column": 40,
            "key": "optimizer.learning_rate",
            "code": "DL201",
            "title": "learning rate far from the usual",
            "why": "a learning rate of 0.1 is far from what adam is used with, 1e-06 to 0.03: the "
            "loss will jump or overflow.",
            "fix": "Write `learning_rate: 0.001` and go on from there.",
        },
        {
            "file": "--set training.shuffle=false",
            "line": None,
            "column": None,
            "key": "training.shuffle",
            "code": "DL204",
            "title": "no shuffling",
            "why": "without shuffling every epoch has the same batches in the same order, and "
            "their gradients the same bias.",
            "fix": "Write `shuffle: true`.",
        },
    ]
    strict = dltrain("check", "bad.yaml", "--json", "--strict")
    assert strict.code == 2
    assert strict.json["valid"] is True


def test_strict_and_a_wrong_config_end_alike(dltrain: Cli, workplace: Path) -> None:
    Path("wrong.yaml").write_text("name: wrong\n")
    plain, strict = (
        dltrain("check", "wrong.yaml", "--json", *more) for more in ((), ("--strict",))
    )
    assert (plain.code, plain.json) == (strict.code, strict.json)
    assert (strict.code, strict.json["valid"], strict.json["warnings"]) == (2, False, [])


def test_fit_shows_warnings_once_and_not_again_when_it_resumes(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    config = write_config(REGRESSION, training__shuffle=False)
    fitted = dltrain("fit", config)
    assert fitted.code == 0, fitted.err
    assert fitted.err.count("DL204  training.shuffle") == 1
    resumed = dltrain("fit", "--resume", "line", "--epochs", 4)
    assert resumed.code == 0, resumed.err
    assert "DL204" not in resumed.err


def test_quiet_leaves_warnings_out(dltrain: Cli, write_config: WriteConfig) -> None:
    fitted = dltrain("fit", write_config(REGRESSION, training__shuffle=False), "--quiet")
    assert (fitted.code, fitted.err) == (0, "")


def test_checking_imports_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(BAD.replace("    - flatten\n", "    - flatten\n    - flatten\n"))
    program = (
        "import json, sys\nfrom dltrain.cli import run\n"
        f"code = run(['check', {str(path)!r}])\n"
        "heavy = ['tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib', 'numpy']\n"
        "print(json.dumps([code, [name for name in heavy if name in sys.modules]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]
    assert "DL201" in done.stderr
