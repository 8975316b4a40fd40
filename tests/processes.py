"""How is `dltrain` run as a user's shell or a CI job runs it: in a process, with nobody there?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tiny_runs import Result

# What a setting of the machine that runs the tests would change.
_SETTINGS = (
    *("CI", "GITHUB_ACTIONS", "PY_COLORS", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"),
    *("DLTRAIN_DATA_DIR", "DLTRAIN_OFFLINE"),
)


def make_environment(folder: Path, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process that works in `folder`, with no setting from outside."""
    kept = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
    fixed = {
        "DLTRAIN_NO_REPORT": "1",
        "PYTHONUNBUFFERED": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "TERM": "xterm",
    }
    return {**kept, **fixed, **(changes or {})}


def start_dltrain(
    *arguments: object, folder: Path, changes: Mapping[str, str] | None = None, program: str = ""
) -> subprocess.Popen[str]:
    """Start `dltrain ARGUMENTS` in `folder`, with stdin closed: a question would be a crash.

    `program` is Python code that runs instead of `python -m dltrain`, with the same arguments.
    """

    def be_unattended() -> None:
        os.close(0)
        # A shell's background job ignores Ctrl-C, and so would its children.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    return subprocess.Popen(
        [
            sys.executable,
            *(["-c", program] if program else ["-m", "dltrain"]),
            *map(str, arguments),
        ],
        cwd=folder,
        env=make_environment(folder, changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=be_unattended,
    )


def run_dltrain(
    *arguments: object,
    folder: Path,
    changes: Mapping[str, str] | None = None,
    program: str = "",
    timeout: float = 120,
) -> Result:
    """Run a command line as `start_dltrain` does, to its end."""
    process = start_dltrain(*arguments, folder=folder, changes=changes, program=program)
    try:
        out, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return Result(process.returncode, out, err)
