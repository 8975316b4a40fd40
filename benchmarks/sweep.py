"""How many trials a minute does `dltrain sweep` make? `python benchmarks/sweep.py --help`

The same trials in several ways, one after the other: `dltrain sweep` with worker processes,
`dltrain fit` started for each, and KerasTuner where it is installed, as one process and as two with
a chief. Prints trials a minute, dltrain's rate divided by each other's, and what a trial takes
beyond its training.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(__file__).resolve().parent
CONFIG = FOLDER / "quickstart_sweep.yaml"
NAME = "quickstart-sweep"
SCRIPT = FOLDER / "keras_tuner_digits.py"
PATHS = {
    "units": "model.layers[1].units",
    "rate": "model.layers[2].rate",
    "learning_rate": "optimizer.learning_rate",
}

# What the rate of `dltrain sweep`, divided by that of another side, is to be at least.
GOALS = {"fit": 5.0, "keras_tuner": 1.5}
OVERHEAD_GOAL_SECONDS = 0.3

ENVIRONMENT = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}

# What a worker writes to its log after a trial.
_TRIAL_LINE = re.compile(r"^(\d{4}) finished after (\d+\.\d+) s$", re.MULTILINE)


def main() -> None:
    """Measure, print the table, write all numbers."""
    options = _parse_options()
    records: list[dict[str, Any]] = []
    for pair in range(options.pairs):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
            records += _measure_pair(Path(name), options, pair=pair)
        text = json.dumps({"options": vars(options), "measurements": records}, default=str)
        options.output.write_text(text + "\n", encoding="utf-8")
    print("\n" + make_table(records))
    print(f"\nall numbers: {options.output}")


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--fits",
        type=int,
        default=40,
        help="how many `dltrain fit` are started; fewer than the trials stand for all of them",
    )
    parser.add_argument("--pairs", type=int, default=1, help="repetitions of everything (1)")
    parser.add_argument("--output", type=Path, default=Path("sweep-benchmark-results.json"))
    return parser.parse_args()


def _measure_pair(folder: Path, options: argparse.Namespace, *, pair: int) -> list[dict[str, Any]]:
    """Run every side once; dltrain's sweep comes first, since it draws the others' values."""
    sides = {"sweep": _run_sweep, "fit": _run_fits}
    if find_spec("keras_tuner"):
        sides |= {"keras_tuner": _run_tuner, "keras_tuner_distributed": _run_tuner_distributed}
    else:
        print("without keras_tuner: the package keras-tuner is not installed")
    records = []
    for name, run in sides.items():
        record = {"side": name, "pair": pair, "load_before": round(os.getloadavg()[0], 2)}
        record |= run(folder, options)
        record["trials_per_minute"] = 60 * record["trials"] / record["seconds"]
        records.append(record)
        print(
            f"{pair + 1} {name}: {record['trials']} trials in {record['seconds']:.1f} s, "
            f"{record['trials_per_minute']:.1f} a minute",
            flush=True,
        )
    return records


def _run_sweep(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    command = ["sweep", str(CONFIG), "--workers", str(options.workers)]
    command += ["--set", f"sweep.trials={options.trials}"]
    begun = time.perf_counter()
    _run([sys.executable, "-m", "dltrain", *command], folder)
    seconds = time.perf_counter() - begun
    sweep = folder / "runs" / NAME / "sweep-0001"
    trials = json.loads((sweep / "sweep.json").read_text())["trials"]
    points = [{key: each["values"][path] for key, path in PATHS.items()} for each in trials]
    (folder / "points.json").write_text(json.dumps(points))
    logs = "".join(path.read_text() for path in sweep.glob("workers/*.log"))
    took = {number: float(text) for number, text in _TRIAL_LINE.findall(logs)}
    if len(took) != options.trials:
        raise RuntimeError(f"{len(took)} of {options.trials} trials finished:\n{logs}")
    trainings = {number: _read_epochs(sweep / number / "history.csv") for number in took}
    return {
        "trials": len(took),
        "seconds": seconds,
        "epochs": sum(map(len, trainings.values())),
        **measure_overhead(took, trainings),
    }


def measure_overhead(
    took: Mapping[str, float], trainings: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    """Return what trials take beyond their training, medians in seconds.

    `took` is from the order of a trial to the worker's report. Training is the seconds of its
    epochs, validation included. The first epoch traces and compiles its step: `steady` counts it
    as long as the median of the others, and so the tracing as overhead too.
    """
    beyond = [took[number] - sum(epochs) for number, epochs in trainings.items()]
    steady = [took[number] - len(epochs) * median(epochs) for number, epochs in trainings.items()]
    return {
        "trial_seconds": median(took.values()),
        "overhead_seconds": median(beyond),
        "steady_overhead_seconds": median(steady),
    }


def _read_epochs(path: Path) -> list[float]:
    with path.open(encoding="utf-8", newline="") as file:
        return [float(row["seconds"]) for row in csv.DictReader(file)]


def _run_fits(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train the sweep's own trials, each in a process of its own, without pictures."""
    sweep = folder / "runs" / NAME / "sweep-0001"
    configs = sorted((sweep / "configs").glob("*.yaml"))[: options.fits]
    begun = time.perf_counter()
    for config in configs:
        command = ["fit", str(config), "--no-report", "--quiet", "--runs-dir", str(folder / "fits")]
        _run([sys.executable, "-m", "dltrain", *command], folder)
    return {"trials": len(configs), "seconds": time.perf_counter() - begun}


def _run_tuner(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    command = _tuner_command(folder, folder / "tuner")
    begun = time.perf_counter()
    output = _run(command, folder / "tuner")
    return {
        "trials": options.trials,
        "seconds": time.perf_counter() - begun,
        "epochs": _count_epochs(output),
    }


def _run_tuner_distributed(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run a chief, that only hands out values, and as many searching processes as workers."""
    place = folder / "distributed"
    command = _tuner_command(folder, place)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(port)}
    begun = time.perf_counter()
    processes = [
        subprocess.Popen(
            command,
            cwd=place,
            env={**os.environ, **ENVIRONMENT, **shared, "KERASTUNER_TUNER_ID": name},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("chief", *(f"tuner{number}" for number in range(options.workers)))
    ]
    chief, *tuners = processes
    try:
        outputs = [tuner.communicate()[0] for tuner in tuners]
    finally:
        chief.kill()
        chief.communicate()
    seconds = time.perf_counter() - begun
    for tuner, output in zip(tuners, outputs, strict=True):
        if tuner.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} exited with {tuner.returncode}:\n{output}")
    epochs = sum(map(_count_epochs, outputs))
    return {"trials": options.trials, "seconds": seconds, "epochs": epochs}


def _tuner_command(folder: Path, place: Path) -> list[str]:
    # Needs dltrain's data code, which the measuring itself doesn't.
    from inputs import write_inputs

    inputs = write_inputs(CONFIG, folder, data_dir=folder, seed=42, text="raw")
    place.mkdir()
    return [sys.executable, str(SCRIPT), str(inputs), str(folder / "points.json")]


def _count_epochs(output: str) -> int:
    found = re.search(r"^epochs (\d+)$", output, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"no count of epochs in:\n{output}")
    return int(found[1])


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}")
    return done.stdout


def make_table(records: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table of the sides, and a line on what a trial takes beyond its training.

    A ratio is the median over the pairs, with its range.
    """
    by_side: dict[str, dict[int, Mapping[str, Any]]] = {}
    for record in records:
        by_side.setdefault(record["side"], {})[record["pair"]] = record
    own = by_side["sweep"]
    lines = ["| side | trials a minute | dltrain sweep's rate / its own |", "|---|---|---|"]
    for side, pairs in by_side.items():
        rate = median(each["trials_per_minute"] for each in pairs.values())
        ratios = [
            own[pair]["trials_per_minute"] / each["trials_per_minute"]
            for pair, each in pairs.items()
        ]
        cell = f"{median(ratios):.2f}"
        if len(ratios) > 1:
            cell += f" ({min(ratios):.2f} to {max(ratios):.2f})"
        if goal := GOALS.get(side):
            cell += f" (≥ {goal:g}: {'yes' if median(ratios) >= goal else 'NO'})"
        lines.append(f"| {side} | {rate:.1f} | {'' if side == 'sweep' else cell} |")
    overhead, steady, trial = (
        median(each[name] for each in own.values())
        for name in ("overhead_seconds", "steady_overhead_seconds", "trial_seconds")
    )
    met = "yes" if overhead < OVERHEAD_GOAL_SECONDS else "NO"
    lines += [
        "",
        f"a trial: {trial:.2f} s, of which {overhead:.2f} s beyond its epochs "
        f"(< {OVERHEAD_GOAL_SECONDS:g}: {met}), {steady:.2f} s with the tracing of its first",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
