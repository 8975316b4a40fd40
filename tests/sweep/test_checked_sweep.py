"""Does `check` check a sweep, without Optuna, and `fit` say that it leaves it aside?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml
from tiny_runs import REGRESSION, Result, change

from dltrain.config.load import load_config

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]

SWEEP = {"space": {"optimizer.momentum": {"uniform": [0, 0.9]}}, "trials": 5}


def test_check_says_what_a_sweep_holds_and_resolves_it(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    config = write_config(REGRESSION, sweep=SWEEP)
    line = "Sweep: 1 value varies, 5 trials by bayesian; all 2 corners build.\n"
    assert line in dltrain("check", config).out
    resolved = Path("resolved.yaml")
    resolved.write_text(dltrain("check", config, "--resolved").out)
    assert load_config(resolved).sweep == load_config(config).sweep
    wrong = change(REGRESSION, sweep={"space": {"optimizer.momentun": {"uniform": [0, 0.9]}}})
    config.write_text(yaml.safe_dump(wrong))
    refused = dltrain("check", config, "--json")
    assert refused.code == 2
    document = refused.json
    assert (document["valid"], document["layers"]) == (False, None)
    assert [each["suggestion"] for each in document["problems"]] == ["momentum"]


def test_check_of_a_sweep_imports_nothing_heavy(workplace: Path, write_config: WriteConfig) -> None:
    heavy = ("optuna", "sqlalchemy", "numpy", "tensorflow", "keras", "scipy")
    program = (
        "import sys\n"
        "from dltrain.cli import run\n"
        "code = run(sys.argv[1:])\n"
        f"print(code, [name for name in {heavy!r} if name in sys.modules])"
    )
    config = str(write_config(REGRESSION, sweep=SWEEP))
    done = subprocess.run(
        [sys.executable, "-c", program, "check", config],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"


def test_fit_trains_the_values_as_they_stand_and_says_so(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    config = write_config(REGRESSION, sweep=SWEEP)
    result = dltrain("fit", config, "--epochs", 1)
    assert result.code == 0, result.err
    note = "`sweep:` is left aside: this trains the values as they stand; `dltrain sweep "
    assert f"{note}{config}` searches.\n" in result.err
    assert "sweep" not in yaml.safe_load(Path("runs/line/0001/config.yaml").read_text())
