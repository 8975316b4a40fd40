"""How is an exported model run, by the runtime that its users will have?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.errors import MachineError
from dltrain.export.convert import last_line, run_torch
from dltrain.export.formats import ExportFormat
from dltrain.export.graph import INPUT, Interface
from dltrain.export.quiet import silenced

Run = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
"""Takes raw rows `(n, …)`, returns `(n, classes)` probabilities or `(n, 1)` values."""

_BATCH_ROWS = 256


def open_runtime(form: ExportFormat, path: Path, interface: Interface) -> Run:
    """Return what runs the exported model in `path`, some rows at a time. Raises MachineError."""
    openers = {
        "savedmodel": _open_saved_model,
        "onnx": _open_onnx,
        "litert": _open_litert,
        "torch": _open_torch,
    }
    try:
        with silenced():
            run = openers[form](path, interface)
    except Exception as error:
        raise _broken(form, error) from error

    def run_all(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        try:
            with silenced():
                starts = range(0, len(rows), _BATCH_ROWS)
                parts = [run(rows[start : start + _BATCH_ROWS]) for start in starts]
        except Exception as error:
            raise _broken(form, error) from error
        return np.concatenate(parts)

    return run_all


def _open_saved_model(path: Path, interface: Interface) -> Run:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]

    def run(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        outputs = signature(**{INPUT: tf.constant(rows)})
        # The signature lives as long as what it was loaded with.
        assert loaded is not None
        return np.asarray(outputs[interface.output])

    return run


def _open_onnx(path: Path, interface: Interface) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda rows: np.asarray(session.run([interface.output], {INPUT: rows})[0])


def _open_litert(path: Path, interface: Interface) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def run(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        interpreter.resize_tensor_input(taken["index"], rows.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken["index"], rows)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(given["index"]))

    return run


def _open_torch(path: Path, interface: Interface) -> Run:
    """Return what runs a .pt2 in a process of its own, which has neither Keras nor TensorFlow.

    PyTorch and TensorFlow each bring their own OpenMP: in one process they can stop each other.
    """

    def run(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        with tempfile.TemporaryDirectory() as folder:
            given, found = Path(folder, "rows.npy"), Path(folder, "outputs.npy")
            np.save(given, rows)
            done = run_torch("dltrain.export.torch_run", path, given, found, interface.output)
            if done.returncode:
                raise RuntimeError(last_line(done.stderr))
            return np.asarray(np.load(found))

    return run


def _broken(form: ExportFormat, error: Exception) -> MachineError:
    said = (str(error).splitlines() or [type(error).__name__])[0][:300]
    return MachineError(
        f"--format {form}: the exported model doesn't run: {said}",
        hint="Nothing was kept of it. Take another format.",
    )
