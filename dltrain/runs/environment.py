"""On what machine, with what software, did a run happen?"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dltrain

FORMAT = 1

PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "tokenizers")

# What changes results or speed without standing in any config.
VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)

# A repository on a sleeping network disk must not hold up the run.
_GIT_TIMEOUT_SECONDS = 5


def describe_environment(
    *, command_line: Sequence[str], directory: Path | None = None
) -> dict[str, Any]:
    """Return the JSON-able part of environment.json that is known without TensorFlow.

    The caller adds the device, the seed and the dataset's fingerprint. `git` describes the
    repository round `directory` (default: the current one), or is None outside of one.
    """
    return {
        "format": FORMAT,
        "command_line": shlex.join(command_line),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "host": platform.node(),
        # oneDNN repeats its sums to the bit only on the same CPU with as many threads.
        "cpu": _cpu_model(),
        "cpu_count": os.cpu_count(),
        "usable_cpu_count": _usable_cpu_count(),
        "memory_bytes": _memory_bytes(),
        "packages": {"dltrain": dltrain.__version__, **{name: _version(name) for name in PACKAGES}},
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "git": describe_git(directory or Path()),
    }


def describe_git(directory: Path) -> dict[str, Any] | None:
    """Return {"commit", "dirty"} of the repository round `directory`; None without one, or git.

    `dirty` means that a tracked file was changed; files that git doesn't know, such as the runs
    themselves, don't count. `commit` is None before the first one.
    """
    # One command for both. No lock taken: a commit may be under way beside us.
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "status"]
    command += ["--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        output = subprocess.run(
            command,
            cwd=directory,
            capture_output=True,
            check=True,
            timeout=_GIT_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.SubprocessError):
        return None
    lines = output.splitlines()
    commits = [line.split()[-1] for line in lines if line.startswith("# branch.oid ")]
    return {
        "commit": None if commits in ([], ["(initial)"]) else commits[0],
        "dirty": any(not line.startswith("#") for line in lines),
    }


@functools.cache  # a sweep asks for each trial, and nothing is installed meanwhile
def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()


def _usable_cpu_count() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
