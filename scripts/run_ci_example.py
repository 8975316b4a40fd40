"""Do the examples of docs/ci.md work? Their commands are run, as far as they can be here.

    python scripts/run_ci_example.py                 # both, in a fresh copy of the checkout
    python scripts/run_ci_example.py --only github   # or `shell`

Of the GitHub Actions example each `run:` step is executed in order, by bash as GitHub calls it,
with the job's environment. What is skipped is named with the reason. Exits with the code of the
first command that fails. `dltrain` must be installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "ci.md"

# How GitHub calls bash for a step that names no shell.
GITHUB_SHELL = ("bash", "-e")

# What a job finds set; a step that needs anything else of GitHub's fails here, and should.
GITHUB_ENVIRONMENT = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SHA": "0" * 40}

# A fresh checkout has none of these; `dltrain/runs` is another folder.
_NOT_COPIED = {"runs", "build", "result.json"}


@dataclass(frozen=True)
class Step:
    """One step: `script` to run, or None and the reason `why_skipped`."""

    name: str
    script: str | None
    why_skipped: str = ""


def read_block(text: str, heading: str) -> str:
    """Return the first fenced block below `## HEADING` of a Markdown text."""
    section = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.M | re.S)
    block = section and re.search(r"^```\w+\n(.*?)^```$", section[1], re.M | re.S)
    if not block:
        raise SystemExit(f"There is no fenced block below '## {heading}'.")
    return block[1]


def read_steps(workflow: str) -> tuple[Mapping[str, str], list[Step]]:
    """Return the environment and the steps of the only job of a GitHub Actions workflow."""
    (job,) = yaml.safe_load(workflow)["jobs"].values()
    return job.get("env", {}), [_read_step(step) for step in job["steps"]]


def _read_step(step: Mapping[str, Any]) -> Step:
    script = step.get("run")
    name = str(step.get("name") or step.get("uses") or script)
    if script is None:
        return Step(name, None, f"{step['uses']} is GitHub's own, and exists there only")
    if "${{" in script:
        raise SystemExit(f"Step '{name}': an expression in a script can't be run here.")
    if re.match(r"\s*pip install\b", script):
        return Step(name, None, "it needs a package registry, and dltrain is installed here")
    return Step(name, script)


def run_github_example(text: str, folder: Path) -> Iterator[int]:
    """Run the steps in `folder`; yield each exit code."""
    job_environment, steps = read_steps(read_block(text, "GitHub Actions"))
    summary = folder.parent / "summary.md"
    summary.touch()
    environment = {**os.environ, **GITHUB_ENVIRONMENT, **job_environment}
    environment["GITHUB_STEP_SUMMARY"] = str(summary)
    for step in steps:
        if step.script is None:
            print(f"-- skipped: {step.name}: {step.why_skipped}", flush=True)
            continue
        print(f"-- {step.name}", flush=True)
        yield _run([*GITHUB_SHELL], step.script, folder, environment)
    print(f"-- the summary\n{summary.read_text()}", flush=True)


def run_shell_example(text: str, folder: Path) -> Iterator[int]:
    """Run the plain shell's example in `folder`; yield its exit code."""
    print("-- the plain shell's example", flush=True)
    yield _run(["sh"], read_block(text, "Plain shell"), folder, dict(os.environ))


def _ignore(folder: str, names: list[str]) -> set[str]:
    """Return what isn't copied of a folder: what is hidden, and at the top what runs leave."""
    hidden = {name for name in names if name.startswith(".") or name == "__pycache__"}
    return hidden | (_NOT_COPIED if Path(folder) == ROOT else set())


def _run(shell: list[str], script: str, folder: Path, environment: Mapping[str, str]) -> int:
    path = folder.parent / "step.sh"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [*shell, str(path)], cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode


EXAMPLES = {"github": run_github_example, "shell": run_shell_example}


def main() -> int:
    """Run the examples, each in a copy of its own; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    parser.add_argument("--only", choices=EXAMPLES)
    arguments = parser.parse_args()
    if shutil.which("dltrain") is None:
        raise SystemExit("`dltrain` is not on the PATH: pip install . first.")
    text = arguments.document.read_text(encoding="utf-8")
    for name, run in EXAMPLES.items():
        if arguments.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory(prefix="ci-example-") as temporary:
            folder = Path(temporary) / "checkout"
            shutil.copytree(ROOT, folder, ignore=_ignore)
            for code in run(text, folder):
                if code != 0:
                    print(f"The {name} example failed with exit code {code}.", file=sys.stderr)
                    return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
