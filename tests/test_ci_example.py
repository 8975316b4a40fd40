"""Are the examples of docs/ci.md whole, and does the script run their steps as a CI would?

`.ci/run` executes them for real; here it is seen that it could not miss a failure.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "run_ci_example", ROOT / "scripts" / "run_ci_example.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def write_workflow(*steps: dict[str, Any]) -> str:
    jobs = {"only": {"env": {"GREETING": "hello"}, "steps": list(steps)}}
    return f"# A page\n\n## GitHub Actions\n\n```yaml\n{yaml.safe_dump({'jobs': jobs})}```\n"


def parse_shell(script: str, shell: str = "bash") -> str:
    """Return what a shell says of a script that it only reads."""
    done = subprocess.run(
        [shell, "-n"], input=script, capture_output=True, text=True, timeout=30, check=False
    )
    return done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


def test_steps_run_in_order_with_the_job_s_environment_until_one_fails(
    example: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / "checkout"
    folder.mkdir()
    text = write_workflow(
        {"uses": "actions/checkout@v4"},
        {"run": "pip install nothing-that-exists"},
        {"name": "first", "run": 'echo "$GREETING" > said\necho "- $CI" >> "$GITHUB_STEP_SUMMARY"'},
        {"name": "second", "run": "false\ntouch never"},
        {"name": "third", "run": "touch later"},
    )
    codes = example.run_github_example(text, folder)
    assert next(codes) == 0
    assert (folder / "said").read_text() == "hello\n"
    assert (tmp_path / "summary.md").read_text() == "- true\n"
    assert next(codes) == 1
    assert not (folder / "never").exists(), "bash -e ends a step at its first failure"
    assert not (folder / "later").exists()


def test_what_is_skipped_is_named_with_its_reason(
    example: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "checkout"
    folder.mkdir()
    install = {"name": "Install", "run": "pip install ."}
    list(example.run_github_example(write_workflow({"uses": "a/b@v1"}, install), folder))
    assert capfd.readouterr().out.splitlines()[:2] == [
        "-- skipped: a/b@v1: a/b@v1 is GitHub's own, and exists there only",
        "-- skipped: Install: it needs a package registry, and dltrain is installed here",
    ]


def test_an_expression_in_a_script_is_not_run_as_something_else(example: ModuleType) -> None:
    block = example.read_block(write_workflow({"run": "echo ${{ github.sha }}"}), "GitHub Actions")
    with pytest.raises(SystemExit, match="an expression in a script can't be run here"):
        example.read_steps(block)


def test_of_the_github_example_only_what_needs_github_or_a_registry_is_skipped(
    example: ModuleType,
) -> None:
    environment, steps = example.read_steps(example.read_block(DOCUMENT, "GitHub Actions"))
    assert environment == {"DLTRAIN_DATA_DIR": ".data"}
    scripts = {step.name: step.script for step in steps if step.script}
    assert list(scripts) == ["Check the config", "Try it on a few rows", "Train", "Show the result"]
    assert [
        step.name for step in steps if not step.script and "GitHub's" not in step.why_skipped
    ] == ["Install"]
    for script in scripts.values():
        assert parse_shell(script) == ""
    commands = " ".join(scripts.values())
    for part in ("dltrain check", "dltrain smoke", "dltrain fit", "--require", "--max-seconds"):
        assert part in commands
    assert "--resume" in commands


def test_the_gitlab_example_does_the_same(example: ModuleType) -> None:
    job = yaml.safe_load(example.read_block(DOCUMENT, "GitLab CI"))["train"]
    script = "\n".join(job["script"])
    assert parse_shell(script) == ""
    for part in ("dltrain check", "dltrain smoke", "dltrain fit", "--require", "--max-seconds"):
        assert part in script
    assert job["retry"]["exit_codes"] == [130, 143]


def test_the_plain_shell_s_example_is_plain_shell(example: ModuleType) -> None:
    script = example.read_block(DOCUMENT, "Plain shell")
    assert script.startswith("#!/bin/sh\n")
    assert parse_shell(script, "sh") == ""


def test_ci_runs_the_examples() -> None:
    assert "\npython scripts/run_ci_example.py\n" in (ROOT / ".ci" / "run").read_text()
