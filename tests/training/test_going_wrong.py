"""What is left, and said, when the loss explodes, memory runs out, or the disk is full?

Each happens for real: a learning rate, a limit on the process's memory or on the size of its files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compared_runs import compare_runs
from killing import Nursery
from resumable import COSINE
from tiny_runs import CONFIG, REGRESSION, change

from dltrain.runs.checkpoint import list_checkpoints, read_last_checkpoint
from dltrain.runs.status import read_status

RUN = "run"

# Three steps an epoch. After the seventh the learning rate is such that it breaks the weights.
EXPLODING: dict[str, Any] = change(
    REGRESSION,
    dataset__rows=80,
    model__layers=[
        {"type": "dense", "name": "calm", "units": 4, "activation": "tanh"},
        {"type": "dense", "name": "wild", "units": 4, "activation": "exponential"},
        {"type": "dense", "name": "last", "units": 1},
    ],
    optimizer={
        "type": "sgd",
        "learning_rate": {
            "type": "piecewise_constant_decay",
            "boundaries": [6],
            "values": [0.001, 1e7],
        },
    },
    training={"batch_size": 16, "epochs": 5, "checkpoint": {"every_steps": 1}},
)


def constant(value: float) -> dict[str, Any]:
    """Return the initializer that gives every weight `value`."""
    return {"type": "constant", "value": value}


def write(folder: Path, config: dict[str, Any]) -> None:
    """Write config.yaml."""
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def test_an_exploding_loss_is_told_with_its_step_and_layer_and_the_last_checkpoint_stays(
    nursery: Nursery, tmp_path: Path
) -> None:
    write(tmp_path, EXPLODING)
    ended = nursery.run("fit", "config.yaml", "--run-dir", RUN, "--quiet", folder=tmp_path)
    assert ended.code == 4, ended.err
    message, hint = ended.err.splitlines()
    found = re.fullmatch(
        r"error: The loss became (?:inf|nan) in epoch 3, step (\d), at a learning rate of 1e\+07; "
        r"the last finite loss was (\S+)\. It began in the output of the layer wild \(Dense\)\.",
        message,
    )
    assert found, message
    step, last = int(found[1]), float(found[2])
    assert 2 <= step <= 3
    assert 0 < last < float("inf")
    assert hint.startswith("Lower optimizer.learning_rate, ")
    status = read_status(tmp_path / RUN / "status.json")
    assert (status.state, status.epochs_done) == ("failed", 2)
    assert status.reason == message.removeprefix("error: ")
    checkpoint, notes = read_last_checkpoint(tmp_path / RUN / "checkpoints")
    assert checkpoint is not None
    assert not notes
    assert (checkpoint.epoch, checkpoint.step) == (2, step - 1)
    assert not list((tmp_path / RUN).rglob(".*"))
    again = nursery.run("fit", "--resume", RUN, "--quiet", folder=tmp_path)
    assert again.code == 4
    assert again.err.splitlines()[0] == message, "a resumed run meets the same step"


def test_a_gradient_that_is_not_finite_is_told_though_the_loss_is(
    nursery: Nursery, tmp_path: Path
) -> None:
    # The outputs are near 1e18 * 1e-24 * 1e14 = 1e8, the loss near 1e16. The gradient of the first
    # kernel is 1e8 * 1e14 * 1e18 = 1e40, more than a float32 can hold.
    layers = [
        {"type": "rescaling", "scale": 1e18},
        {"type": "dense", "name": "first", "units": 2, "kernel_initializer": constant(1e-24)},
        {"type": "dense", "name": "last", "units": 1, "kernel_initializer": constant(1e14)},
    ]
    write(tmp_path, change(EXPLODING, model__layers=layers))
    ended = nursery.run("fit", "config.yaml", "--run-dir", RUN, "--quiet", folder=tmp_path)
    assert ended.code == 4, ended.err
    message = ended.err.splitlines()[0]
    assert re.match(
        r"error: A gradient became infinite or NaN in epoch 1, step 1, at a learning rate of "
        r"0\.001; the loss was \S+e\+1\d\. It began in the gradient "
        r"of the layer first \(Dense\)\.$",
        message,
    ), message


@pytest.mark.parametrize("compiled", [False, True])
def test_a_broken_step_does_not_touch_the_weights(
    nursery: Nursery, tmp_path: Path, compiled: bool
) -> None:
    write(tmp_path, change(EXPLODING, training__jit_compile=compiled))
    ended = nursery.run("fit", "config.yaml", "--run-dir", RUN, "--quiet", folder=tmp_path)
    assert ended.code == 4, ended.err
    checkpoint, _ = read_last_checkpoint(tmp_path / RUN / "checkpoints")
    assert checkpoint is not None
    for array in checkpoint.arrays.values():
        if array.dtype.kind == "f":
            assert abs(array[abs(array) < float("inf")]).sum() == abs(array).sum()


# Each image becomes one of 1,600 by 1,600: a batch of 64 takes 0.6 GiB. No layer needs more than
# 1.3 GiB at once, and all of them together more than there is.
GREEDY: list[Any] = [
    {"type": "up_sampling2d", "size": 200},
    *([{"type": "dense", "units": 1, "activation": "softplus"}] * 6),
    "global_average_pooling2d",
    {"type": "dense", "units": 10},
]
# This convolution alone makes 5 GiB of it. Without being refused, oneDNN would end the process by a
# segmentation fault (TensorFlow 2.21).
HOPELESS = [
    {"type": "up_sampling2d", "size": 200},
    {"type": "conv2d", "name": "wide", "filters": 8, "kernel_size": 1},
    "global_average_pooling2d",
    {"type": "dense", "units": 10},
]


@pytest.mark.parametrize(
    ("layers", "numbers", "said", "end"),
    [
        pytest.param(GREEDY, 7, "ran", "", id="while it trains"),
        pytest.param(
            HOPELESS, 9, "would run", r" The layer wide alone takes 5\.\d GiB\.", id="foreseen"
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_told_with_its_size_and_an_estimate(
    nursery: Nursery, tmp_path: Path, layers: list[Any], numbers: int, said: str, end: str
) -> None:
    write(tmp_path, change(CONFIG, model__layers=layers))
    ended = nursery.run(
        "fit", "config.yaml", "--run-dir", RUN, "--quiet", folder=tmp_path, memory_bytes=3 * 2**30
    )
    assert ended.code == 4, (ended.code, ended.err[-2000:])
    message, hint = ended.err.splitlines()[-2:]
    found = re.fullmatch(
        rf"error: Memory {said} out at a batch size of 64: a step takes about (\S+) GiB, and "
        rf"\S+ GiB were free before the first\.{end}",
        message,
    )
    assert found, message
    # The image, what the layers make of it, and the gradients of all.
    expected = 2 * 64 * 1600 * 1600 * numbers * 4 / 2**30
    assert float(found[1]) == pytest.approx(expected, rel=0.1)
    assert hint == "Lower training.batch_size, or make the model smaller."
    assert "Traceback" not in ended.err
    status = read_status(tmp_path / RUN / "status.json")
    assert status.state == "failed"
    assert status.reason == message.removeprefix("error: ")


def test_a_disk_that_fills_up_keeps_the_checkpoint_before_and_the_run_goes_on_later(
    nursery: Nursery, tmp_path: Path
) -> None:
    # Early stopping's history makes each checkpoint larger than the one before it.
    config = change(COSINE, training__early_stopping=None)
    config["training"].pop("early_stopping")
    write(tmp_path, config)
    whole = nursery.run("fit", "config.yaml", "--run-dir", "whole", "--quiet", folder=tmp_path)
    assert whole.code == 0, whole.err
    first = nursery.run(
        *("fit", "config.yaml", "--run-dir", "first", "--epochs", 1, "--quiet"), folder=tmp_path
    )
    assert first.code == 0, first.err
    sizes = [
        list_checkpoints(tmp_path / run / "checkpoints")[-1].stat().st_size
        for run in ("first", "whole")
    ]
    assert sizes[0] < sizes[1]
    ended = nursery.run(
        *("fit", "config.yaml", "--run-dir", RUN, "--quiet"),
        folder=tmp_path,
        limits={"RLIMIT_FSIZE": sum(sizes) // 2},
    )
    assert ended.code == 6, ended.err
    message, hint = ended.err.splitlines()
    found = re.fullmatch(
        r"error: The disk is full \(.+\) while writing run/checkpoints/(\d{4}-\d{6}\.npz)\.",
        message,
    )
    assert found, message
    assert "Free some space" in hint
    assert "dltrain fit --resume run" in hint
    run = tmp_path / RUN
    assert read_status(run / "status.json").state == "failed"
    kept = list_checkpoints(run / "checkpoints")
    assert kept
    assert found[1] not in [path.name for path in kept]
    checkpoint, notes = read_last_checkpoint(run / "checkpoints")
    assert checkpoint is not None
    assert not notes
    assert not list(run.rglob(".*"))
    resumed = nursery.run("fit", "--resume", RUN, "--quiet", folder=tmp_path)
    assert resumed.code == 0, resumed.err
    assert compare_runs(tmp_path / "whole", run) == []


def test_a_disk_too_full_for_the_first_checkpoint_stops_the_run(
    nursery: Nursery, tmp_path: Path
) -> None:
    write(tmp_path, COSINE)
    ended = nursery.run(
        *("fit", "config.yaml", "--run-dir", RUN, "--quiet"),
        folder=tmp_path,
        limits={"RLIMIT_FSIZE": 8_000},
    )
    assert ended.code == 6, ended.err
    assert ended.err.startswith("error: The disk is full (")
    assert "while writing run/checkpoints/0000-000003.npz." in ended.err
    assert not list((tmp_path / RUN / "checkpoints").iterdir())
    assert read_status(tmp_path / RUN / "status.json").state == "failed"
