"""How long do the commands take that don't train? Beside the import of the libraries they stand on.

`dltrain --help` and `dltrain check configs/mnist_cnn.yaml` are whole processes, and so is what they
are measured against: Python importing yaml, pydantic, typer and rich. They run in turn, so
that a busy machine slows all alike; the ratio is that of the medians.

    python benchmarks/start.py [--processes 10] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The command beside this Python: what a user starts. `python -m dltrain` finds its module twice.
DLTRAIN = str(Path(sys.executable).with_name("dltrain"))
YARDSTICK = "import yaml, pydantic, typer, rich"
COMMANDS: dict[str, list[str]] = {
    "imports": [sys.executable, "-c", YARDSTICK],
    "dltrain --help": [DLTRAIN, "--help"],
    "dltrain check configs/mnist_cnn.yaml": [DLTRAIN, "check", "configs/mnist_cnn.yaml"],
}
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
GOAL_RATIO = 1.8
GOAL_SECONDS = 0.35


def measure_once(command: list[str]) -> float:
    """Return the seconds that one process takes, from its start to its end."""
    # With its bytecode on disk, as installed.
    environment = {key: value for key, value in os.environ.items() if key != _NO_BYTECODE}
    begun = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def measure(processes: int) -> dict[str, list[float]]:
    """Return the seconds of `processes` runs of each command, in turn, after one to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for command in COMMANDS.values():
        measure_once(command)
    for _ in range(processes):
        for name, command in COMMANDS.items():
            seconds[name].append(measure_once(command))
    return seconds


def summarize(seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Return the median of each command, and its ratio to that of the imports."""
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    yardstick = medians["imports"]
    return {
        name: {"median_seconds": round(median, 3), "ratio": round(median / yardstick, 2)}
        for name, median in medians.items()
    }


def main() -> None:
    """Measure, print a line a command, and exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=10, help="of each command")
    parser.add_argument("--json", type=Path, help="write all measurements there")
    options = parser.parse_args()
    seconds = measure(options.processes)
    summary = summarize(seconds)
    for name, numbers in summary.items():
        print(f"{numbers['median_seconds']:.3f} s  ×{numbers['ratio']:.2f}  {name}")
    if options.json:
        options.json.write_text(json.dumps({"summary": summary, "seconds": seconds}, indent=1))
    missed = [
        name
        for name, numbers in summary.items()
        if numbers["ratio"] > GOAL_RATIO or numbers["median_seconds"] > GOAL_SECONDS
    ]
    if missed:
        print(f"over the goal (×{GOAL_RATIO}, {GOAL_SECONDS} s): {', '.join(missed)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
