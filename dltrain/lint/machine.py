"""Does the config suit the machine that it is checked on?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from dltrain.config.load import LoadedConfig
from dltrain.lint.finding import Note

# What NVIDIA's driver puts there; the last is Windows's, inside of WSL.
_DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidia0", "/dev/dxg")


# Measured with TensorFlow 2.21 on two CPU cores, one epoch of benchmarks/mnist_cnn.yaml: 219 s in
# mixed_float16, 32 s in float32. benchmarks/mnist_dense.yaml: 18 and 21 s.
def find_half_precision_on_cpu(loaded: LoadedConfig) -> Iterator[Note]:
    """Find mixed_float16 where no GPU is seen."""
    if loaded.config.training.precision == "mixed_float16" and not sees_gpu():
        yield Note(
            ("training", "precision"),
            "no NVIDIA GPU is seen here: on a CPU float16 gains nothing, and convolutions take "
            "several times as long; on a GPU this is fine.",
            "Write `precision: float32` for this machine.",
        )


def sees_gpu() -> bool:
    """Say whether an NVIDIA driver is here and not hidden; TensorFlow isn't asked: it takes 5 s."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return False
    return shutil.which("nvidia-smi") is not None or any(
        Path(name).exists() for name in _DRIVER_FILES
    )
