"""In which formats can a model be exported, and what does each need that may not be installed?"""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from typing import Literal

from dltrain.errors import MachineError, UsageError

ExportFormat = Literal["savedmodel", "onnx", "litert", "torch"]

FILES = {
    "savedmodel": "model",
    "onnx": "model.onnx",
    "litert": "model.tflite",
    "torch": "model.pt2",
}
"""What the exported model is called; a SavedModel is a folder."""

# Package → the distribution that holds it.
_NEEDED = {
    "savedmodel": {},
    "onnx": {"tf2onnx": "tf2onnx", "onnx": "onnx", "onnxruntime": "onnxruntime"},
    "litert": {"ai_edge_litert": "ai-edge-litert"},
    "torch": {"torch": "torch"},
}
_RUNTIMES = {
    "savedmodel": "tensorflow",
    "onnx": "onnxruntime",
    "litert": "ai-edge-litert",
    "torch": "torch",
}


def check_format(form: ExportFormat, *, quantize: str | None) -> None:
    """Refuse what can't be had, before anything is loaded.

    Raises UsageError for what no machine can do, MachineError for what isn't installed.
    """
    if quantize is not None and form != "litert":
        raise UsageError(f"--quantize goes with --format litert, not with {form}.")
    missing = [name for package, name in _NEEDED[form].items() if find_spec(package) is None]
    if missing:
        raise MachineError(
            f"--format {form} needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed.",
            hint=f"pip install 'dltrain[{form}]'",
        )


def describe_runtime(form: ExportFormat) -> str:
    """Return the name and version of what runs the format."""
    return f"{_RUNTIMES[form]} {version(_RUNTIMES[form])}"
