"""Do the files round the code agree with each other: README, pyproject, Dockerfile, licence, CI?"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
README_COMMANDS = [
    "pip install . && dltrain fit configs/quickstart.yaml",
    "pip install '.[test]' && pytest",
]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


@pytest.fixture(scope="module")
def list_requirements() -> ModuleType:
    path = ROOT / "scripts" / "list_requirements.py"
    spec = importlib.util.spec_from_file_location("list_requirements", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copied_paths() -> list[str]:
    """Return what the Dockerfile copies from the checkout, not from another stage."""
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", read("Dockerfile"), flags=re.MULTILINE)
    return [path for line in copies for path in line.split()]


def test_readme_prints_the_two_commands_that_ci_runs() -> None:
    blocks = re.findall(r"^```.*?\n(.*?)^```", read("README.md"), flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert [line for line in lines if line.startswith("pip install")] == README_COMMANDS


def test_every_relative_link_leads_to_a_file() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]:
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        missing = [link for link in links if not (page.parent / link).exists()]
        assert missing == [], page.name


def test_every_file_that_contributing_names_exists() -> None:
    named = re.findall(
        r"`((?:dltrain|configs|docs|scripts|tests)/[^`\s]*)`", read("CONTRIBUTING.md")
    )
    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_config_that_ships_has_a_row_in_readme() -> None:
    rows = re.findall(r"\(configs/([\w.]+)\)", read("README.md"))
    assert sorted(rows) == sorted(path.name for path in (ROOT / "configs").glob("*.yaml"))


def test_the_oldest_python_is_the_same_for_pip_ruff_mypy_readme_and_ci(
    pyproject: dict[str, Any],
) -> None:
    assert pyproject["project"]["requires-python"] == ">=3.11,<3.14"
    assert pyproject["tool"]["ruff"]["target-version"] == "py311"
    assert pyproject["tool"]["mypy"]["python_version"] == "3.11"
    assert "Python 3.11 to 3.13" in read("README.md")
    assert "Python 3.11 to 3.13" in read("CONTRIBUTING.md")
    assert "(3, 11) <= sys.version_info[:2] < (3, 14)" in read(".ci/run")


def test_the_image_has_a_python_that_pip_accepts() -> None:
    version = re.search(r"^FROM python:3\.(\d+)-slim", read("Dockerfile"), flags=re.MULTILINE)
    assert version is not None
    assert 11 <= int(version[1]) < 14


def test_the_licence_is_apache_and_goes_into_the_wheel(pyproject: dict[str, Any]) -> None:
    assert "Apache License\n                           Version 2.0" in read("LICENSE")
    assert pyproject["project"]["license"] == "Apache-2.0"
    assert pyproject["project"]["license-files"] == ["LICENSE"]


def test_every_file_of_the_package_that_is_not_code_goes_into_the_wheel(
    pyproject: dict[str, Any],
) -> None:
    patterns = pyproject["tool"]["setuptools"]["package-data"]["dltrain"]
    package = ROOT / "dltrain"
    named = {path for pattern in patterns for path in package.glob(pattern)}
    present = {path for path in package.rglob("*") if path.is_file()}
    assert named == {path for path in present if path.suffix not in {".py", ".pyc"}}


def test_every_folder_of_the_package_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "dltrain").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_requirements_of_the_images_are_those_of_the_package(
    pyproject: dict[str, Any], list_requirements: ModuleType
) -> None:
    project = pyproject["project"]
    assert list_requirements.list_requirements("cpu") == project["dependencies"]
    gpu = list_requirements.list_requirements("gpu")
    assert gpu == project["dependencies"] + project["optional-dependencies"]["gpu"]
    assert any(requirement.startswith("tensorflow[and-cuda]") for requirement in gpu)


def test_an_image_variant_that_does_not_exist_stops_the_build(
    list_requirements: ModuleType,
) -> None:
    with pytest.raises(SystemExit, match="VARIANT is 'tpu': expected one of cpu, gpu"):
        list_requirements.list_requirements("tpu")


def test_requirements_are_listed_with_the_standard_library_alone() -> None:
    script = ROOT / "scripts" / "list_requirements.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), "cpu"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("tensorflow>=")


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    paths = copied_paths()
    assert {"pyproject.toml", "dltrain", "configs"} <= set(paths)
    allowed = [line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")]
    assert [path for path in paths if path not in allowed] == []
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_image_runs_dltrain_not_as_root_with_data_and_runs_on_volumes() -> None:
    lines = read("Dockerfile").splitlines()
    assert 'ENTRYPOINT ["dltrain"]' in lines
    assert 'VOLUME ["/data", "/runs"]' in lines
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001"]


def test_changing_code_does_not_reinstall_tensorflow() -> None:
    final_stage = read("Dockerfile").rpartition("\nFROM ")[2]
    before, _, after = final_stage.partition("pip install --no-cache-dir --requirement")
    assert "COPY" not in before.replace("COPY --from=requirements", "")
    assert "--no-deps" in after


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint comes with '.[dev]'")
def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = subprocess.run(
        ["hadolint", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_ci_script_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    done = subprocess.run(
        ["bash", "-n", ".ci/run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
