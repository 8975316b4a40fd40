"""Where does a training step's time go, and what does each choice of dltrain change? Made-up rows.

`python benchmarks/steps.py` prints milliseconds a step of each work and each way to train it, taken
in turns: the median of the repetitions, and the fastest.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}

import keras  # noqa: TID253  (a script of its own; what it reads is set above)
import numpy as np

from dltrain.config.load import LoadedConfig, load_config
from dltrain.data.batches import Table, encode_labels
from dltrain.data.feeding import DeviceFeed
from dltrain.model.compile import compile_model
from dltrain.model.components import Steps
from dltrain.model.fused import fuse
from dltrain.model.network import InputSpec, Normalization, build_network
from dltrain.training.steps import TrainingSteps

FOLDER = Path(__file__).resolve().parent
BATCH = 128
# Steps that are timed together: fewer of slow models.
STEPS = {"mnist_dense": 100, "mnist_cnn": 20, "imdb_pooling": 40, "imdb_lstm": 5}

WAYS: dict[str, dict[str, Any]] = {
    "Keras fit": {},
    "loop": {"fused": False, "xla": "nothing"},
    "loop, XLA for the whole step": {"fused": False, "xla": "step"},
    "loop, fused": {"fused": True, "xla": "nothing"},
    "loop, fused, XLA for the update (dltrain's choice)": {"fused": True, "xla": "update"},
}


def main() -> None:
    """Measure the works asked for, and print a table for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", nargs="+", choices=STEPS, default=list(STEPS), metavar="WORK")
    parser.add_argument("--repetitions", type=int, default=15)
    options = parser.parse_args()
    for work in options.work:
        measure(work, options.repetitions)


def measure(work: str, repetitions: int) -> None:
    """Print one work's table."""
    loaded = load_config(FOLDER / f"{work}.yaml")
    steps = STEPS[work]
    table = make_rows(loaded, BATCH * steps)
    runs = {}
    for name, way in WAYS.items():
        begun = time.perf_counter()
        runs[name] = make_run(loaded, table, steps, **way)
        runs[name]()
        print(f"{work}: {name}: ready after {time.perf_counter() - begun:.1f} s", flush=True)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, run in runs.items():
            begun = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - begun) / steps * 1e3)
    print(f"\n| {work}: a step of {BATCH} rows | median ms | fastest ms |\n|---|---|---|")
    for name, values in times.items():
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} |")
    print(flush=True)


def make_rows(loaded: LoadedConfig, count: int) -> Table:
    """Return `count` rows like the dataset's: pixels, or words of which some are frequent."""
    generator = np.random.default_rng(0)
    dataset = loaded.config.dataset
    if loaded.info.modality != "text":
        images = generator.integers(0, 256, (count, *loaded.info.shape), dtype=np.uint8)
        return Table(images, generator.integers(0, 10, count))
    assert dataset.max_length is not None
    assert dataset.max_words is not None
    ids = generator.zipf(1.2, (count, dataset.max_length)) % (dataset.max_words - 2) + 2
    for row, end in enumerate(generator.integers(50, 2 * dataset.max_length, count)):
        ids[row, end:] = 0
    return Table(ids.astype(np.int32), generator.integers(0, 2, count))


def make_run(
    loaded: LoadedConfig,
    table: Table,
    steps: int,
    *,
    fused: bool | None = None,
    xla: Any = None,
) -> Callable[[], Any]:
    """Return a function that takes `steps` steps."""
    is_text = loaded.info.modality == "text"
    spec = InputSpec(
        table.inputs.shape[1:],
        "int32" if is_text else "float32",
        None if is_text else Normalization(scale=(255.0,)),
    )
    model = build_network(loaded.layers, spec, name="steps")
    labels = encode_labels(table.labels, loaded.targets.encoding, loaded.targets.classes)
    trained = compile_model(
        fuse(model) if fused else model,
        optimizer=loaded.config.optimizer,
        metrics=loaded.config.metrics or [],
        targets=loaded.targets,
        steps=Steps(per_epoch=steps, total=steps),
    )
    if fused is None:
        inputs = table.inputs if is_text else table.inputs.astype(np.float32)
        return lambda: trained.fit(inputs, labels, batch_size=BATCH, verbose=0)
    feed = DeviceFeed(table, labels, batch_size=BATCH)
    training = TrainingSteps(trained, feed, augment=None, xla=xla)
    order = np.random.default_rng(1).permutation(len(table))
    return lambda: training.run(feed.begin(order, step=0), epoch=0, start=0, count=steps)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    main()
