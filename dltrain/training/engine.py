"""How is TensorFlow started? Quietly, on the device asked for, with its randomness fixed.

What is written for TensorFlow alone lives here and in `dltrain.data.batches`.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import io
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

from dltrain.config.tfds_rows import ENGINE_IMPORT
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


# Keras imports these by itself where they are installed, for wrappers and plots that nothing here
# uses: 1 to 2 s.
_KEPT_FROM_KERAS = {"sklearn", "matplotlib", "pandas"}

_importing: threading.Thread | None = None


def begin_import(*, device: Device) -> None:
    """Import TensorFlow and Keras in a thread, while data is opened in this one.

    What goes wrong there goes wrong again, and is told, in `start_engine`. Raises MachineError if
    KERAS_BACKEND asks for another engine.
    """
    global _importing
    _set_environment(device)
    if _importing is None and "keras" not in sys.modules:
        _importing = threading.Thread(target=_import_engine, name=ENGINE_IMPORT, daemon=True)
        _importing.start()


def start_engine(*, device: Device, precision: str, seed: int) -> StartedDevice:
    """Import TensorFlow and Keras, choose the device, fix the seeds.

    GPU memory is taken as it is needed. Writes nothing to the terminal but TensorFlow's real
    errors. Raises MachineError if a GPU is asked for and there is none.
    """
    global _importing
    _set_environment(device)
    is_first = _importing is not None or "keras" not in sys.modules
    if _importing is not None:
        _importing.join()
        _importing = None
    with without_chatter(), _keeping_from_keras(_KEPT_FROM_KERAS), _collecting_no_garbage():
        import keras
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    if is_first:
        # What the import made stays: no later collection need look at it, 0.15 s each time.
        gc.freeze()
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


def forget_models() -> None:
    """Free what Keras keeps of the models before, and go back to its own number format.

    Without it each model of a process makes the next one's names longer, and memory grows.
    """
    import keras

    keras.backend.clear_session()  # collects garbage, too
    keras.config.set_dtype_policy("float32")


def _set_environment(device: Device) -> None:
    """Set what TensorFlow and Keras read when they are imported."""
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


def _import_engine() -> None:
    with without_chatter(), _keeping_from_keras(_KEPT_FROM_KERAS), _collecting_no_garbage():
        try:
            import keras  # noqa: F401
            import tensorflow  # noqa: F401
        except Exception:  # told by the import in start_engine
            return


class _Refusing(importlib.abc.MetaPathFinder):
    """Say that packages aren't installed, to one thread: another may need them meanwhile."""

    def __init__(self, packages: set[str]) -> None:
        self._packages = packages
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        is_asked_here = threading.get_ident() == self._thread
        if is_asked_here and fullname.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(f"{fullname} is kept from Keras", name=fullname)
        return None


@contextmanager
def _keeping_from_keras(packages: set[str]) -> Iterator[None]:
    finder = _Refusing(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def _collecting_no_garbage() -> Iterator[None]:
    """Leave garbage alone: looking for it is a quarter of the import's time, and finds none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _keras_home() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("dltrain") / "keras"


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back what libraries write to the process's stderr, and pass on what is no chatter.

    TensorFlow's libraries write from C++, past Python's sys.stderr. What Python writes there, in
    whichever thread, arrives at once.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # stderr is closed: nothing reaches the terminal
        yield
        return
    python_stderr = _open_for_python(stderr)
    before = sys.stderr
    with tempfile.TemporaryFile() as held:
        if python_stderr is not None:
            sys.stderr = python_stderr
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            sys.stderr = before
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            text = held.read().decode("utf-8", "replace")
            for line in _without_chatter_lines(text.splitlines()):
                print(line, file=sys.stderr)


def _open_for_python(descriptor: int) -> io.TextIOWrapper | None:
    """Return a stream like sys.stderr on `descriptor`; None if sys.stderr isn't the process's."""
    try:
        if sys.stderr.fileno() != 2:
            return None
    except (AttributeError, OSError, ValueError):
        return None
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    stream = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(stream), encoding=encoding, errors=errors, line_buffering=True
    )


def _without_chatter_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines that are no chatter; an indented line belongs to the one before it."""
    dropped = False
    for line in lines:
        if not line.strip():
            continue
        dropped = bool(_CHATTER.search(line)) or (dropped and line[0].isspace())
        if not dropped:
            yield line
