"""How are recurrent layers computed in a program of PyTorch? By its own LSTM and GRU, or unrolled.

Keras 3.15 writes every time step of an LSTM and GRU into the program: of 200 steps in both
directions some thousand operations. PyTorch has one for all. Its loop for the others (a mask, other
activations, simple RNN, ConvLSTM) takes the number of rows for a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

States = Sequence[Any]

Step = Callable[[Any, tuple[Any, ...]], tuple[Any, States]]
"""Takes the inputs of a time step and the states, returns its output and the next states."""


def put_into_keras() -> None:
    """Have Keras's layers use what is here, for the rest of the process."""
    backend: Any = import_module("keras.src.backend")
    # An `import` would find the function of that name.
    rnn: Any = import_module("keras.src.backend.torch.rnn")
    rnn._fallback_lstm = _prefer(rnn._cudnn_lstm, rnn._fallback_lstm, states=2)
    rnn._fallback_gru = _prefer(rnn._cudnn_gru, rnn._fallback_gru, states=1)
    backend.rnn = run_steps


def _prefer(native: Any, unrolled: Any, *, states: int) -> Any:
    """Return what computes by one operation of PyTorch where that is the same, else `unrolled`.

    Keras calls `native` on a GPU only; it runs anywhere. Both take by place what Keras passes:
    so many `states`, kernel, recurrent kernel, bias, activations, and whether all steps are wanted.
    """
    import keras

    plain = (keras.activations.tanh, keras.activations.sigmoid)

    def run(inputs: Any, *rest: Any) -> Any:
        first, settings = rest[: states + 3], rest[states + 3 :]
        activation, recurrent_activation, return_sequences, *batch_first = settings
        has_bias = first[-1] is not None
        if (activation, recurrent_activation) != plain or not has_bias or False in batch_first:
            return unrolled(inputs, *rest)
        options = {"return_sequences": return_sequences, "device": inputs.device}
        return native(inputs, *first, **options)

    return run


def run_steps(
    step_function: Step,
    inputs: Any,
    initial_states: States,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, States]:
    """Do what `keras.backend.rnn` does, a time step behind the other, for any number of rows.

    `inputs` `(batch, steps, …)`; returns the last output, all of them `(batch, steps, …)`, or only
    the last `(batch, 1, …)`, and the last states. Where `mask` `(batch, steps)` is 0 the states
    stay, and the output is the one before, or 0. `unroll` changes nothing.
    """
    import torch

    # Layers give the number of steps, which `inputs` has anyway; a tensor would be one a row.
    if isinstance(input_length, torch.Tensor) or not isinstance(inputs, torch.Tensor):
        raise NotImplementedError("a recurrent layer of several inputs, or of rows' lengths")
    axis = 0 if time_major else 1
    steps = list(torch.unbind(inputs, dim=axis))
    masks = [None] * len(steps) if mask is None else list(torch.unbind(mask, dim=axis))
    if go_backwards:
        steps, masks = steps[::-1], masks[::-1]
    states, outputs = tuple(initial_states), []
    last: Any = None
    for step, is_there in zip(steps, masks, strict=True):
        output, new_states = step_function(step, (*states, *(constants or ())))
        if is_there is None:
            states, last = tuple(new_states), output
            outputs.append(output)
            continue
        before = torch.zeros_like(output) if last is None else last
        last = _choose(is_there, output, before)
        states = tuple(
            _choose(is_there, new, old) for new, old in zip(new_states, states, strict=True)
        )
        shown = _choose(is_there, output, torch.zeros_like(output))
        outputs.append(shown if zero_output_for_mask else last)
    kept = outputs if return_all_outputs else outputs[-1:]
    return outputs[-1], torch.stack(kept, dim=axis), states


def _choose(is_there: Any, new: Any, old: Any) -> Any:
    """Return `new` in the rows where `is_there` `(batch[, 1])`, else `old`; both `(batch, …)`."""
    import torch

    return torch.where(is_there.reshape(-1, *[1] * (new.dim() - 1)).bool(), new, old)
