"""How does a model of Keras become a program of PyTorch? Run as a process, on the torch backend.

python -m dltrain.export.torch_program REQUEST.json

`dltrain.export.convert.convert_to_torch` writes the request, and reads the answer if there is one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from dltrain.config.targets import Targets
from dltrain.export.graph import INPUT, Interface, Pairs, compute_outputs
from dltrain.export.torch_recurrent import put_into_keras


def main() -> None:
    """Write the program that the request asks for; if that can't be, an answer that says why."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    described = request["interface"]
    pairs = Pairs(**described["pairs"]) if described["pairs"] else None
    interface = Interface(tuple(described["shape"]), described["dtype"], described["output"], pairs)
    try:
        _write_program(
            request["model"], Targets(**request["targets"]), interface, request["target"]
        )
    except Exception as error:  # torch, and each layer of Keras, raise their own
        answer = json.dumps({"error": _explain(error)})
        Path(request["answer"]).write_text(answer, encoding="utf-8")


def _write_program(model_path: str, targets: Targets, interface: Interface, target: str) -> None:
    import keras
    import torch

    put_into_keras()
    # Its frames say which layer it was.
    keras.config.disable_traceback_filtering()
    model = keras.saving.load_model(model_path, compile=False, safe_mode=True)
    # What is computed of parameters that could be trained has no `.numpy()`.
    for parameter in model.parameters():
        parameter.requires_grad_(False)

    class Exported(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input: Any) -> Any:
            return {interface.output: compute_outputs(self.model, targets, interface, input)}

    # Of a single row torch would take the number of rows for a constant.
    example = torch.zeros((2, *interface.shape), dtype=getattr(torch, interface.dtype))
    rows = {INPUT: {0: torch.export.Dim("batch", min=1)}}
    program = torch.export.export(Exported().eval(), (example,), dynamic_shapes=rows, strict=False)
    torch.export.save(program, target)


def _explain(error: BaseException) -> str:
    """Return the layer at which it ended, if there was one, and what was said."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    said = f"{type(error).__name__}: {said[:300]}" if said else type(error).__name__
    layer = _find_layer(error)
    return f"{layer}: {said}" if layer else said


def _find_layer(error: BaseException) -> str:
    """Return the innermost layer that was being called, or made, when it was raised."""
    import keras

    found = ""
    for frame in _list_frames(error):
        own = frame.f_locals.get("self")
        if isinstance(own, keras.Layer) and not isinstance(own, keras.Model):
            found = f"the layer '{own.name}' ({type(own).__name__})"
        elif frame.f_code.co_name == "deserialize_keras_object":
            config = frame.f_locals.get("inner_config")
            if isinstance(config, dict) and "name" in config:
                found = f"the layer '{config['name']}' ({frame.f_locals.get('class_name')})"
    return found


def _list_frames(error: BaseException | None) -> Iterator[FrameType]:
    """Yield the frames through which it, and then what caused it, came, the outermost first."""
    while error is not None:
        traceback = error.__traceback__
        while traceback is not None:
            yield traceback.tb_frame
            traceback = traceback.tb_next
        error = error.__cause__ or error.__context__


if __name__ == "__main__":
    main()
