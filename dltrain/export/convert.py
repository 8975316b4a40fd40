"""How does a model become ONNX, LiteRT or a program of PyTorch?"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dltrain.config.targets import Targets
from dltrain.errors import MachineError
from dltrain.export.graph import Interface
from dltrain.export.quiet import silenced

# How the converter names operations that LiteRT lacks, and where one stands that it refuses.
_LACKING = re.compile(r"^TF Select ops: (.+)$", re.MULTILINE)
_REFUSED = re.compile(r'error: loc\(callsite\(fused\["(\w+):"')
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}

# The newest that tf2onnx 1.17 knows.
_OPSET = "18"


def convert_to_onnx(saved_model: Path, target: Path) -> None:
    """Write an ONNX file, by tf2onnx. Raises MachineError if it can't convert the model.

    In a process of its own: its function for use from Python makes inputs of the constants of
    Keras's Normalization.
    """
    command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(saved_model)]
    command += ["--signature_def", "serving_default", "--output", str(target), "--opset", _OPSET]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode or not target.is_file():
        raise MachineError(
            f"--format onnx: tf2onnx can't convert the model: {last_line(done.stderr)}",
            hint="Export a SavedModel: --format savedmodel.",
        )


def convert_to_litert(
    saved_model: Path, target: Path, *, calibration: Iterable[Any] | None = None
) -> None:
    """Write a LiteRT file of the operations that every LiteRT runtime has.

    With `calibration`, raw rows one by one, weights and what is computed of them become int8; input
    and output stay as they are. Raises MachineError if the model can't be converted.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    loaded = tf.saved_model.load(str(saved_model))
    # With variables in it, the file converts well, and gives NaN.
    frozen = convert_variables_to_constants_v2(loaded.signatures["serving_default"])
    with silenced():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], loaded)
    if calibration is not None:
        rows = list(calibration)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([row[None]] for row in rows)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    try:
        with silenced():
            content = converter.convert()
    except Exception as error:  # the converter raises its own, RuntimeError and ValueError
        raise MachineError(
            f"--format litert: the model can't be converted: {_shorten(error)}.",
            hint="LSTM and GRU convert with `unroll: true`. Or take --format onnx or savedmodel.",
        ) from error
    target.write_bytes(content)


def convert_to_torch(model: Path, targets: Targets, interface: Interface, target: Path) -> None:
    """Write the model of Keras in the file `model` as an ExportedProgram of PyTorch (.pt2).

    By `dltrain.export.torch_program`, in a process of its own: Keras takes its backend when it is
    imported, and here that is TensorFlow. Raises MachineError if the model can't be converted.
    """
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder, "request.json"), Path(folder, "answer.json")
        asked = {
            "model": str(model),
            "targets": dataclasses.asdict(targets),
            "interface": dataclasses.asdict(interface),
            "target": str(target),
            "answer": str(answer),
        }
        request.write_text(json.dumps(asked), encoding="utf-8")
        done = run_torch("dltrain.export.torch_program", request)
        if answer.is_file():
            why = json.loads(answer.read_text(encoding="utf-8"))["error"]
        elif done.returncode or not target.is_file():
            why = last_line(done.stderr)
        else:
            return
    raise MachineError(
        f"--format torch: the model can't be converted: {why.rstrip('.')}.",
        hint="Take --format onnx: onnxruntime runs it beside PyTorch.",
    )


def run_torch(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a module of dltrain in a process in which Keras, if imported, stands on torch."""
    # -P: a file torch.py of the folder that one works in would be taken for PyTorch.
    command = [sys.executable, "-P", "-m", module, *map(str, arguments)]
    environment = {
        **os.environ,
        "KERAS_BACKEND": "torch",
        "KERAS_TORCH_DEVICE": "cpu",
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def last_line(text: str) -> str:
    """Return the last line that holds something, at most 300 characters of it."""
    said = [line.strip() for line in text.splitlines() if line.strip()] or ["it said nothing"]
    return said[-1][:300]


def _shorten(error: Exception) -> str:
    """Return which operations LiteRT lacks, where the converter says so, else its first line."""
    text = str(error)
    lacking = {name for line in _LACKING.findall(text) for name in line.split(", ")}
    lacking |= set(_REFUSED.findall(text)) - _CALLS
    if lacking:
        return f"LiteRT lacks {', '.join(sorted(lacking))}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:300]
