"""What does `dltrain predict` do? A run's best model, applied to inputs as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.targets import Targets
from dltrain.data.batches import Table
from dltrain.data.progress import SILENT, Progress
from dltrain.evaluation.predict import Predictor, to_probabilities
from dltrain.evaluation.saved_model import load_saved_model
from dltrain.prediction.batching import make_batches, make_batches_as_they_come
from dltrain.prediction.items import STDIN, Item, read_items
from dltrain.prediction.run_input import RunInput
from dltrain.training.engine import Device, start_engine, without_chatter

# The model is not trained here: nothing random is left in it.
_SEED = 0


@dataclass(frozen=True)
class PredictedRow:
    """Hold what is predicted for one input, or why nothing is.

    `value` is that of a regression. `top` are the most probable classes with their probabilities,
    the first of which is the class predicted.
    """

    name: str
    value: float | None = None
    top: tuple[tuple[str, float], ...] = ()
    error: str = ""


@dataclass(frozen=True)
class ModelOfRun:
    """Hold a run's model, ready to predict; `embedded` is how many ids its embedding knows."""

    run: RunInput
    predictor: Predictor
    targets: Targets
    row_shape: tuple[int, ...]
    tokenizer: Any
    embedded: int | None = None

    def predict(self, items: Sequence[Item]) -> npt.NDArray[np.float64]:
        """Return probabilities `(n, classes)`, or values `(n,)` of a regression.

        The items must fit (`find_misfit`). In batches of 256 rows these are the numbers of
        `dltrain eval`.
        """
        values = [item.value for item in items]
        if isinstance(values[0], str):
            with without_chatter():  # a preset's tokenizer runs in TensorFlow
                inputs = self.run.encode_texts(self.tokenizer, values)
        else:
            inputs = np.stack(values)
            if self.run.modality == "text":
                inputs = self.run.append_pairs(inputs.astype(np.int32))
            elif self.run.modality == "tabular":
                inputs = inputs.astype(np.float32)
        with without_chatter():
            outputs = self.predictor(Table(inputs, np.zeros(len(inputs))))
        if self.targets.task == "regression":
            return outputs[:, 0].astype(np.float64)
        return to_probabilities(outputs, self.targets)

    def find_misfit(self, item: Item) -> str:
        """Return why the model can't take an item, or an empty text."""
        if item.error or isinstance(item.value, str) or self.run.modality == "image":
            return item.error
        expected = self.row_shape
        is_ids = self.run.modality == "text"
        if is_ids and self.run.dataset.get("ngrams") == 2:
            expected = ((expected[0] + 1) // 2,)
        if item.value.shape != expected:
            return f"has the shape {item.value.shape}; the model takes {expected}"
        if not is_ids:
            return ""
        if item.value.dtype.kind == "f" or item.value.min() < 0:
            return "holds no ids: whole numbers from 0"
        largest, words = int(item.value.max()), self._count_words()
        if words is not None and largest >= words:
            return f"holds the id {largest}; the model knows those below {words}"
        return ""

    def _count_words(self) -> int | None:
        """Return how many ids of words the model knows, None where it doesn't tell."""
        if self.run.dataset.get("ngrams") == 2:
            return int(self.run.dataset["max_words"])
        return self.embedded


def load_model_of_run(run: RunInput, *, device: Device = "auto") -> ModelOfRun:
    """Load the model of a run, on a device. Raises RunError if it is missing or damaged."""
    tokenizer = None
    if run.modality == "text" and not run.takes_ids:
        tokenizer = run.load_tokenizer()
    start_engine(device=device, precision="float32", seed=_SEED)
    with without_chatter():
        model = load_saved_model(run.paths.model)
    targets = run.targets(units=int(model.output_shape[-1]))
    shape = tuple(int(size) for size in model.input_shape[1:])
    embedded = _count_embedded(model) if run.modality == "text" else None
    return ModelOfRun(run, Predictor(model), targets, shape, tokenizer, embedded)


def _count_embedded(model: Any) -> int | None:
    """Return how many ids the embeddings of the model's input know, the least of them."""
    import keras

    start = model.inputs[0]
    known = [
        int(layer.input_dim)
        for layer in model.layers
        if isinstance(layer, keras.layers.Embedding)
        and any(tensor is start for node in layer._inbound_nodes for tensor in node.input_tensors)
    ]
    return min(known, default=None)


def predict_inputs(
    run: RunInput,
    inputs: Sequence[str],
    *,
    texts: Sequence[str] = (),
    column: str | None = None,
    top: int = 1,
    stdin: Any = None,
    device: Device = "auto",
    progress: Progress = SILENT,
) -> Iterator[list[PredictedRow]]:
    """Yield what the run's model predicts, a batch at a time, in the order of the inputs.

    Memory is bounded whatever the number of inputs. With `-` among them, rows of `stdin` (a binary
    stream) are predicted as they come. `check_inputs` has let the inputs pass.
    """
    model = load_model_of_run(run, device=device)
    items = read_items(run, inputs, texts=texts, column=column, stdin=stdin, progress=progress)
    batches = make_batches_as_they_come if STDIN in inputs else make_batches
    for batch in batches(items):
        yield _predict_batch(model, batch, top)


def _predict_batch(model: ModelOfRun, items: Sequence[Item], top: int) -> list[PredictedRow]:
    errors = [model.find_misfit(item) for item in items]
    good = [item for item, error in zip(items, errors, strict=True) if not error]
    predicted = iter(model.predict(good) if good else ())
    return [
        PredictedRow(item.name, error=error)
        if error
        else _make_row(item.name, next(predicted), model.run.class_names, top)
        for item, error in zip(items, errors, strict=True)
    ]


def _make_row(name: str, predicted: Any, class_names: Sequence[str], top: int) -> PredictedRow:
    if not class_names:
        return PredictedRow(name, value=float(predicted))
    # Stable: of equal probabilities the first class comes first, as argmax has it in `eval`.
    order = np.argsort(-predicted, kind="stable")[:top]
    return PredictedRow(
        name, top=tuple((class_names[index], float(predicted[index])) for index in order)
    )
