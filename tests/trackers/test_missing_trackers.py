"""Is a tracker that can't work here refused before anything is trained?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from processes import run_dltrain
from tiny_runs import REGRESSION, change
from tracked_runs import clean_environment

from dltrain.errors import MachineError
from dltrain.trackers.choose import check_trackers


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_package_that_is_not_installed_is_named_with_its_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    specs = [{"type": "tensorboard"}, {"type": name}][name == "tensorboard" :]
    with pytest.raises(MachineError) as caught:
        check_trackers(specs, offline=False)
    index = len(specs) - 1
    assert caught.value.message == (
        f"trackers[{index}]: {name} needs the package {name}, which isn't installed."
    )
    assert caught.value.hint == (
        f"pip install 'dltrain[{name}]', or take the tracker out of the config."
    )


def test_a_folder_of_that_name_is_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "wandb"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "wandb").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(MachineError, match="wandb needs the package wandb"):
        check_trackers([{"type": "wandb"}], offline=True)


def test_wandb_without_a_key_is_refused_before_a_run_is_made(tmp_path: Path) -> None:
    config = change(REGRESSION, trackers=["wandb"])
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    result = run_dltrain(
        *("fit", "c.yaml", "--quiet"), folder=tmp_path, changes={"NETRC": str(tmp_path / "none")}
    )
    assert result.code == 6
    assert result.err == (
        "error: trackers[0]: wandb can't log in: there is no key.\n"
        "Set WANDB_API_KEY, or `wandb login` once, or give the tracker mode: offline.\n"
    )
    assert not (tmp_path / "runs").exists()


def test_the_tests_see_no_account_of_this_machine(tmp_path: Path) -> None:
    kept = clean_environment(
        {"WANDB_API_KEY": "x", "MLFLOW_TRACKING_URI": "y", "PATH": "z"}, tmp_path
    )
    assert kept["PATH"] == "z"
    assert {"WANDB_API_KEY", "MLFLOW_TRACKING_URI"} & set(kept) == set()
