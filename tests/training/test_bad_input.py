"""Does every bad input get one clear message and its exit code, with nothing lost?"""

from __future__ import annotations

import dataclasses
import json
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import CONFIG, REGRESSION, Result

from dltrain.data import load
from dltrain.data.dataset import Rows

Fit = Callable[..., Result]
WriteConfig = Callable[..., Path]


def read_status(run: str = "runs/line/0001") -> dict:
    """Return what the run's status.json says."""
    return json.loads(Path(run, "status.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.yaml:1:1\n  the file holds no YAML. A config starts with `name:`.\n"),
        (b"\x89PNG\xff\x00", "bad.yaml:1:1\n  expected UTF-8 text, received the byte 0x89."),
        (b"name: [a\n", "bad.yaml:2:1\n  not valid YAML: "),
        (b"just words\n", "bad.yaml:1:1\n  expected sections such as dataset: and model:, "),
    ],
)
def test_what_is_no_config_is_refused(
    dltrain: Fit, workplace: Path, content: bytes, message: str
) -> None:
    Path("bad.yaml").write_bytes(content)
    result = dltrain("fit", "bad.yaml")
    assert result.code == 2
    assert result.err.startswith(message)
    assert result.err.endswith("1 problem in the config.\n")
    assert not Path("runs").exists()


def test_a_missing_file_and_a_directory_are_refused(dltrain: Fit, workplace: Path) -> None:
    missing = dltrain("fit", "absent.yaml")
    assert missing.code == 2
    assert missing.err == (
        "error: absent.yaml doesn't exist.\nGive the path of a YAML config file.\n"
    )
    directory = dltrain("fit", ".")
    assert directory.code == 2
    assert directory.err.startswith("error: . is a directory; expected a YAML file.\n")


def test_a_wrong_type_and_an_unknown_layer_are_told_together(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    config = write_config(CONFIG, training__epochs="two", model__layers=["flaten"])
    result = dltrain("fit", config)
    assert result.code == 2
    assert "there is no layer 'flaten'. Did you mean 'flatten'?" in result.err
    assert "expected a whole number, received the text 'two'." in result.err
    assert result.err.endswith("2 problems in the config.\n")


def test_an_impossible_shape_names_the_layer_the_shapes_and_the_line(
    dltrain: Fit, workplace: Path
) -> None:
    Path("big.yaml").write_text(
        "name: big\ndataset: digits\nmodel:\n  layers:\n"
        "    - {type: max_pooling2d, pool_size: 4}\n"
        "    - {type: conv2d, filters: 4, kernel_size: 3}\n"
        "    - flatten\n    - {type: dense, units: 10}\n"
    )
    result = dltrain("fit", "big.yaml", "--run-dir", "out")
    assert result.code == 2
    assert result.err == (
        "big.yaml:6:47  model.layers[1].kernel_size\n"
        "  conv2d expects height >= 3 and width >= 3 for its kernel, received (2, 2, 1). Use "
        "padding: same, a smaller kernel_size, or less pooling and fewer strides before it.\n"
        "1 problem in the config.\n"
    )
    assert not Path("out").exists(), "no run began, so no directory is left"


def test_a_batch_larger_than_the_data_is_refused(dltrain: Fit, write_config: WriteConfig) -> None:
    result = dltrain("fit", write_config(REGRESSION, training__batch_size=39))
    assert result.code == 2
    assert (
        "a batch of 39 is larger than the 38 training rows. Use 38 or less, or `full`."
        in result.err
    )


def test_a_class_that_vanishes_is_refused_by_its_name(
    dltrain: Fit, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_open = load.open_configured_dataset

    def open_with_one_seven(*arguments: object, **options: object) -> object:
        dataset = really_open(*arguments, **options)
        labels = np.asarray(dataset.train.labels)
        rows = np.concatenate([np.flatnonzero(labels != 7), np.flatnonzero(labels == 7)[:1]])
        train = Rows(inputs=dataset.train.inputs[rows], labels=labels[rows])
        return dataclasses.replace(dataset, train=train)

    monkeypatch.setattr(load, "open_configured_dataset", open_with_one_seven)
    result = dltrain("fit", write_config())
    assert result.code == 3
    assert result.err == (
        "error: the class '7' has 1 row; it would vanish from training or from test, since each "
        "needs one.\nAdd rows of it, or set dataset.test_split: 0.\n"
    )
    assert not Path("runs").exists()


def test_a_loss_that_explodes_stops_at_its_step_and_keeps_what_there_is(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    config = write_config(REGRESSION, optimizer={"type": "sgd", "learning_rate": 1e9})
    result = dltrain("fit", config, "--quiet")
    assert result.code == 4
    first, hint = result.err.splitlines()
    assert re.fullmatch(
        r"error: The loss became inf in epoch 1, step \d, at a learning rate of 1e\+09; "
        r"the last finite loss was \S+e\+\d\d\. "
        r"Every layer's output is finite: it began in the loss itself\.",
        first,
    ), first
    assert hint.startswith("Lower optimizer.learning_rate, normalize the inputs, ")
    status = read_status()
    assert status["state"] == "failed"
    assert status["reason"] == first.removeprefix("error: ")
    assert {path.name for path in Path("runs/line/0001").iterdir()} == {
        "config.yaml",
        "environment.json",
        "model.json",
        "preprocessing.json",
        "source.yaml",
        "status.json",
        "warnings.json",
    }


def test_values_that_a_layer_refuses_name_the_layer_and_no_traceback(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    encode = {"type": "category_encoding", "num_tokens": 3, "output_mode": "multi_hot"}
    model = {"layers": [encode, {"type": "dense", "units": 1}]}
    result = dltrain("fit", write_config(REGRESSION, model=model), "--quiet")
    assert result.code == 4
    message, hint = result.err.splitlines()
    assert message.startswith("error: TensorFlow refused the values that a layer got: ")
    assert "category_encoding" in message
    assert hint == "Look at what that layer is given."
    assert read_status()["reason"] == message.removeprefix("error: ")


def test_weights_broken_by_the_last_step_are_found_by_the_validation(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    config = write_config(
        REGRESSION,
        optimizer={"type": "sgd", "learning_rate": 1e30},
        training={"batch_size": "full", "epochs": 1},
    )
    result = dltrain("fit", config)
    assert result.code == 4, result.err
    assert re.search(
        r"^error: The validation loss became inf after epoch 1 \(training loss: \d\.\d+\), "
        r"at a learning rate of 1e\+30\.$",
        result.err,
        re.MULTILINE,
    ), result.err
    assert read_status()["state"] == "failed"


def test_weights_broken_by_the_last_step_are_found_without_validation(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    config = write_config(
        REGRESSION,
        dataset__validation_split=0,
        optimizer={"type": "sgd", "learning_rate": 3e38},
        training={"batch_size": "full", "epochs": 1},
    )
    result = dltrain("fit", config)
    assert result.code == 4, result.err
    assert "error: The model predicts NaN or infinite values: " in result.err
    assert read_status()["state"] == "failed"


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let every file of this process end at `size` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_with_what_to_do(dltrain: Fit, write_config: WriteConfig) -> None:
    config = write_config(REGRESSION)
    with files_no_larger_than(14_000):  # the records and checkpoints fit, the model doesn't
        result = dltrain("fit", config, "--quiet")
    assert result.code == 6, result.err
    message, hint = result.err.splitlines()
    assert message.startswith("error: The disk is full (")
    assert message.endswith(" while writing runs/line/0001/model.keras.")
    assert hint.startswith("Free some space, or choose another disk with --run-dir, and start ")
    assert hint.endswith(" Then go on with the run: dltrain fit --resume runs/line/0001")
    assert read_status()["state"] == "failed"
    left = {path.name for path in Path("runs/line/0001").iterdir()}
    records = {"config.yaml", "source.yaml", "environment.json", "preprocessing.json"}
    records |= {"history.csv", "history.jsonl", "model.json", "warnings.json", "status.json"}
    assert left == {*records, "checkpoints"}
    resumed = dltrain("fit", "--resume", "line", "--quiet")
    assert resumed.code == 0, resumed.err


def test_a_full_disk_under_a_callback_of_keras_is_told(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    callbacks = [{"type": "model_checkpoint", "filepath": "checkpoints/{epoch}.keras"}]
    config = write_config(training__callbacks=callbacks)
    with files_no_larger_than(8_000):
        result = dltrain("fit", config, "--quiet")
    assert result.code == 6, result.err
    assert result.err.startswith("error: The disk is full (")


def test_a_run_directory_that_exists_is_refused_and_not_touched(
    dltrain: Fit, write_config: WriteConfig, copied_run: Path
) -> None:
    before = {path: path.read_bytes() for path in copied_run.rglob("*") if path.is_file()}
    result = dltrain("fit", write_config(), "--run-dir", "runs/tiny/0001")
    assert result.code == 2
    assert result.err == (
        "error: runs/tiny/0001 exists and is not empty: it holds a run.\n"
        "Nothing in it was touched. Choose another --run-dir, or look at what is there: "
        "dltrain eval runs/tiny/0001\n"
    )
    after = {path: path.read_bytes() for path in copied_run.rglob("*") if path.is_file()}
    assert after == before


def test_a_file_in_the_way_of_the_run_directory_is_refused(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    Path("runs").write_text("a file")
    for arguments in ([], ["--run-dir", "runs/here"]):
        result = dltrain("fit", write_config(REGRESSION), *arguments, "--quiet")
        assert result.code == 2
        assert "can't be a run directory: it, or a folder above it, is a file." in result.err
    assert Path("runs").read_text() == "a file"


def test_an_unwritable_run_directory_is_refused(
    dltrain: Fit, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    config = write_config(REGRESSION)
    monkeypatch.setattr(Path, "mkdir", refuse)
    result = dltrain("fit", config, "--run-dir", "locked/run")
    assert result.code == 6
    assert result.err == (
        "error: locked/run can't be written: Permission denied.\n"
        "Check who owns the folder, or choose another with --run-dir.\n"
    )


def test_a_gpu_that_isn_t_there_is_refused_before_the_data(
    dltrain: Fit, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    refuse = lambda *_, **__: pytest.fail("the data was opened")  # noqa: E731
    monkeypatch.setattr(load, "open_configured_dataset", refuse)
    result = dltrain("fit", write_config(), "--device", "gpu", "--run-dir", "out")
    assert result.code == 6
    assert result.err == (
        "error: --device gpu: TensorFlow sees no GPU on this machine.\n"
        "Install `dltrain[gpu]` and look at `nvidia-smi`, or use --device cpu.\n"
    )
    assert not Path("out").exists()


def test_another_backend_of_keras_is_refused(
    dltrain: Fit, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    result = dltrain("fit", write_config(REGRESSION))
    assert result.code == 6
    assert result.err == (
        "error: KERAS_BACKEND is 'jax'; dltrain trains on tensorflow.\nUnset KERAS_BACKEND.\n"
    )
