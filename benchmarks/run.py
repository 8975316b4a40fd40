"""Is `dltrain fit` faster than the script that it replaces? `python benchmarks/run.py --help`

Runs dltrain and the scripts beside this file on the same rows, one after the other in processes of
their own, and prints ratios: dltrain divided by the script, the median over the pairs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from process import measure_process
from summary import make_table, summarize
from works import SIDES, WORKS, Job, Side, Work

from dltrain.data.store import resolve_data_dir
from dltrain.data.token_cache import FOLDER as TOKEN_IDS

FIRST_SEED = 42

# One backend for all, whatever ~/.keras/keras.json says; TensorFlow's chatter costs no one time.
ENVIRONMENT = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}


def main() -> None:
    """Measure the works asked for, print the table and write all numbers."""
    options = _parse_options()
    works = [WORKS[name] for name in options.work]
    sides = _choose_sides(options.sides)
    _warm_file_cache(sides)
    records: list[dict[str, Any]] = []
    report = {"machine": _describe_machine(), "options": _describe_options(options)}
    for work in works:
        taking = [side for side in sides if work.dataset in side.datasets]
        for pair in range(options.seeds or options.pairs):
            seed = options.first_seed + (pair if options.seeds else 0)
            records += _measure_pair(work, taking, options, pair=pair, seed=seed)
            summaries = summarize(records)
            document = {**report, "summary": summaries, "measurements": records}
            options.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print("\n" + make_table([item for item in summaries if item["work"] == work.name]))
    print(f"\nall numbers: {options.output}")


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", nargs="+", choices=WORKS, default=list(WORKS), metavar="WORK")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), metavar="SIDE")
    parser.add_argument("--pairs", type=int, default=5, help="repetitions with one seed (5)")
    parser.add_argument(
        "--seeds", type=int, help="instead of --pairs: one repetition for each of this many seeds"
    )
    parser.add_argument(
        "--first-seed", type=int, default=FIRST_SEED, help=f"the seed of the first ({FIRST_SEED})"
    )
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data-dir", type=Path, help="dltrain's prepared data")
    parser.add_argument(
        "--text",
        choices=("raw", "ids"),
        default="raw",
        help="raw (default): the script makes ids of texts by itself, by TextVectorization; "
        "ids: it loads those that dltrain makes, and has no such work",
    )
    parser.add_argument(
        "--first-start",
        action="store_true",
        help="have dltrain make the ids of texts each time, as at its first start on a dataset",
    )
    parser.add_argument("--output", type=Path, default=Path("benchmark-results.json"))
    return parser.parse_args()


def _choose_sides(names: list[str]) -> list[Side]:
    sides = []
    for name in names:
        if SIDES[name].is_installed():
            sides.append(SIDES[name])
        else:
            print(f"without {name}: the package {SIDES[name].package} is not installed")
    return sides


def _warm_file_cache(sides: list[Side]) -> None:
    """Import what each side imports, unmeasured: the first process would read it from disk."""
    packages = {"dltrain": "keras, sklearn, tokenizers"}
    for side in sides:
        code = f"import {packages.get(side.package, side.package)}"
        command = [sys.executable, "-c", code]
        subprocess.run(command, env={**os.environ, **ENVIRONMENT}, check=True, capture_output=True)


def _measure_pair(
    work: Work, sides: list[Side], options: argparse.Namespace, *, pair: int, seed: int
) -> list[dict[str, Any]]:
    """Run every side once, in turned order each second time: a machine that slows hits both."""
    # Imported here, as it needs dltrain's data code, which the measuring itself doesn't.
    from inputs import write_inputs

    records = []
    data_dir = resolve_data_dir(options.data_dir).absolute()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        inputs = write_inputs(
            work.config, Path(folder), data_dir=data_dir, seed=seed, text=options.text
        )
        for side in sides if pair % 2 == 0 else sides[::-1]:
            directory = Path(folder, side.name)
            directory.mkdir()
            if options.first_start:
                shutil.rmtree(data_dir / TOKEN_IDS, ignore_errors=True)
            job = Job(work, inputs, data_dir, directory, options.epochs, seed)
            took = measure_process(side.command(job), cwd=directory, environment=ENVIRONMENT)
            if len(took.epoch_ends) != options.epochs:
                raise RuntimeError(
                    f"{side.name} ended {len(took.epoch_ends)} epochs of {options.epochs}:\n"
                    f"{took.output}"
                )
            record = {
                "work": work.name,
                "side": side.name,
                "pair": pair,
                "seed": seed,
                "steady_epoch_seconds": round(took.steady_epoch_seconds, 4),
                "epoch_ends": [round(end, 4) for end in took.epoch_ends],
                "seconds": round(took.seconds, 3),
                "peak_memory_bytes": took.peak_memory_bytes,
                "test_accuracy": side.accuracy(job, took.output),
                "load_before": round(os.getloadavg()[0], 2),
            }
            records.append(record)
            print(
                f"{work.name} {pair + 1} seed {seed} {side.name}: "
                f"epoch {took.steady_epoch_seconds:.2f} s, process {took.seconds:.1f} s, "
                f"{took.peak_memory_bytes / 2**20:.0f} MiB, "
                f"accuracy {record['test_accuracy']:.4f}",
                flush=True,
            )
    return records


def _describe_machine() -> dict[str, Any]:
    packages = [side.package for side in SIDES.values() if side.is_installed()]
    return {
        "platform": platform.platform(),
        "processor": _read_processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ["tensorflow", *packages]},
    }


def _read_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _describe_options(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "epochs": options.epochs,
        "text": options.text,
        "seeds": options.seeds,
        "first_start": options.first_start,
    }


if __name__ == "__main__":
    main()
