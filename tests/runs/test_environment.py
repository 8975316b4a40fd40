"""Does environment.json say on what the run ran?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dltrain
from dltrain.runs.environment import describe_environment, describe_git


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", *identity, *arguments]
    return subprocess.run(
        command, cwd=directory, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_environment_names_versions_and_the_command_line(tmp_path: Path) -> None:
    found = describe_environment(command_line=["dltrain", "fit", "a b.yaml"], directory=tmp_path)
    assert found["command_line"] == "dltrain fit 'a b.yaml'"
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["packages"]["dltrain"] == dltrain.__version__
    assert found["packages"]["keras"][0] == "3"
    assert set(found["packages"]) >= {"tensorflow", "numpy", "scikit-learn", "tokenizers"}
    assert found["cpu_count"] >= found["usable_cpu_count"] >= 1
    assert found["git"] is None
    json.dumps(found)


def test_variables_that_change_results_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    variables = describe_environment(command_line=[])["variables"]
    assert variables["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert "SECRET_TOKEN" not in variables


def test_a_repository_gives_its_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    git(tmp_path, "init")
    assert describe_git(tmp_path) == {"commit": None, "dirty": False}
    (tmp_path / "a.yaml").write_text("a: 1\n")
    git(tmp_path, "add", "a.yaml")
    git(tmp_path, "commit", "-m", "Begin")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "status.json").touch()
    assert describe_git(tmp_path) == {"commit": commit, "dirty": False}
    (tmp_path / "a.yaml").write_text("a: 2\n")
    assert describe_git(tmp_path / "runs") == {"commit": commit, "dirty": True}


def test_a_machine_without_git_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe_git(tmp_path) is None
