"""How is TensorFlow started? Quietly, on the device asked for, with its randomness fixed.

What is written for TensorFlow alone lives here and in `dltrain.data.batches`.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dltrain.errors import MachineError

Device = Literal["auto", "cpu", "gpu"]

# What TensorFlow 2.21 prints on every healthy start, warnings and "errors" of absent CUDA among it.
_CHATTER = re.compile(
    r"All log messages before absl::InitializeLog"
    r"|^[IW]\d{4} |^\d{4}-\d\d-\d\d .*: [IW] "
    r"|cuda_platform\.cc.*failed call to cuInit"
    r"|Unable to register cu(DNN|FFT|BLAS) factory"
    r"|computation_placer\.cc|cpu_feature_guard|To enable the following instructions"
    r"|oneDNN supports DT_\w+ only on platforms with"
    r"|gpu_device\.cc.*Cannot dlopen|Skipping registering GPU devices"
)


@dataclass(frozen=True)
class StartedDevice:
    """The device that really runs: `cpu` or `gpu`, and its name."""

    kind: Literal["cpu", "gpu"]
    name: str


def start_engine(*, device: Device, precision: str, seed: int) -> StartedDevice:
    """Import TensorFlow and Keras, choose the device, fix the seeds.

    GPU memory is taken as it is needed. Writes nothing to the terminal but TensorFlow's real
    errors. Raises MachineError if a GPU is asked for and there is none.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        raise MachineError(
            f"KERAS_BACKEND is {os.environ['KERAS_BACKEND']!r}; dltrain trains on tensorflow.",
            hint="Unset KERAS_BACKEND.",
        )
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Keras reads and writes keras.json in its home: a run must not depend on what stands there.
    os.environ.setdefault("KERAS_HOME", str(_keras_home()))
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    with without_chatter():
        import keras
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    tf.get_logger().setLevel("ERROR")
    if device == "gpu" and not gpus:
        raise MachineError(
            "--device gpu: TensorFlow sees no GPU on this machine.",
            hint="Install `dltrain[gpu]` and look at `nvidia-smi`, or use --device cpu.",
        )
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)
    if gpus:
        tf.config.experimental.enable_op_determinism()
        details = tf.config.experimental.get_device_details(gpus[0])
        return StartedDevice("gpu", str(details.get("device_name", gpus[0].name)))
    return StartedDevice("cpu", "cpu")


def _keras_home() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("dltrain") / "keras"


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back what is written to the process's stderr, and pass on what is no chatter.

    TensorFlow's libraries write from C++, past Python's sys.stderr.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # stderr is closed: nothing reaches the terminal
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            text = held.read().decode("utf-8", "replace")
            for line in _without_chatter_lines(text.splitlines()):
                print(line, file=sys.stderr)


def _without_chatter_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines that are no chatter; an indented line belongs to the one before it."""
    dropped = False
    for line in lines:
        if not line.strip():
            continue
        dropped = bool(_CHATTER.search(line)) or (dropped and line[0].isspace())
        if not dropped:
            yield line
