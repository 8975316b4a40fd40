"""Does an export take raw input, agree with Keras when its own runtime runs it, or is not kept?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import yaml
from own_files import write_flowers, write_lines, write_reviews
from tiny_runs import CONFIG, REGRESSION, Result, change

import dltrain.export.export as export
import dltrain.export.formats as formats
from dltrain.export.graph import Interface
from dltrain.export.runtimes import open_runtime

Cli = Callable[..., Result]

# PyTorch is no part of the tests' own packages: on Linux it brings gigabytes of CUDA.
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")

FORMATS = ["savedmodel", "onnx", "litert", pytest.param("torch", marks=needs_torch)]

RANDOM = change(
    CONFIG,
    name="random",
    model__layers=[
        {"type": "gaussian_noise", "stddev": 0.5},
        "flatten",
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 10, "activation": "softmax"},
    ],
    training__epochs=1,
)


def read_signature(folder: Path) -> dict[str, object]:
    return json.loads((folder / "signature.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("form", FORMATS)
def test_raw_pixels_go_in_and_probabilities_come_out(
    dltrain: Cli, copied_run: Path, form: str
) -> None:
    result = dltrain("export", "tiny", "--format", form)
    assert result.code == 0, result.err
    folder = Path("runs/tiny/0001/export") / form
    assert f"written to {folder / formats.FILES[form]}, with signature.json" in result.out
    assert "256 test rows" in result.out
    assert "same class in 256 of 256 rows" in result.out
    signature = read_signature(folder)
    assert signature["input"]["dtype"] == "uint8"
    assert signature["input"]["shape"] == [None, 8, 8, 1]
    assert signature["output"]["classes"] == list("0123456789")
    pixels = np.random.default_rng(0).integers(0, 17, (300, 8, 8, 1), dtype=np.uint8)
    np.savez("x.npz", x=pixels)
    rows = dltrain("predict", "tiny", "x.npz", "--format", "jsonl").out.splitlines()
    expected = [json.loads(line)["probability"] for line in rows]
    interface = Interface((8, 8, 1), "uint8", "probabilities", None)
    found = open_runtime(form, folder / formats.FILES[form], interface)(pixels)
    assert found.shape == (300, 10)
    assert found.max(axis=1) == pytest.approx(expected, abs=1e-5)
    assert found.sum(axis=1) == pytest.approx(np.ones(300), abs=1e-5)
    again = dltrain("export", "tiny", "--format", form)
    assert (again.code, again.err) == (
        2,
        f"error: {folder} is there already.\nAdd --force to replace it.\n",
    )


def test_random_layers_rest_in_an_export(dltrain: Cli, workplace: Path) -> None:
    Path("c.yaml").write_text(yaml.safe_dump(RANDOM))
    assert dltrain("fit", "c.yaml", "--quiet").code == 0
    result = dltrain("export", "random", "--format", "savedmodel", "--output", "there")
    assert result.code == 0, result.err
    assert read_signature(Path("there"))["check"]["largest_difference"] < 1e-6


def test_an_export_that_differs_is_refused_and_not_kept(
    dltrain: Cli, copied_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = export.write_saved_model

    def write_worse(model: object, *arguments: object, **options: object) -> None:
        layer = model.predictor.model.layers[-1]
        before = layer.get_weights()
        layer.set_weights([before[0] * 1.01, before[1]])
        real(model, *arguments, **options)
        layer.set_weights(before)

    monkeypatch.setattr(export, "write_saved_model", write_worse)
    result = dltrain("export", "tiny", "--format", "savedmodel")
    assert result.code == 6
    assert "error: --format savedmodel: the exported model differs from Keras by 0.0" in result.err
    assert "on 256 test rows; at most 0.0001 is allowed.\nNothing was kept of it." in result.err
    assert list((copied_run / "export").iterdir()) == []


def test_int8_tells_the_accuracy_before_and_after(dltrain: Cli, copied_run: Path) -> None:
    result = dltrain("export", "tiny", "--format", "litert", "--quantize", "int8")
    assert result.code == 0, result.err
    folder = copied_run / "export" / "litert-int8"
    quantization = read_signature(folder)["quantization"]
    metrics = json.loads((copied_run / "metrics.json").read_text())["splits"]["test"]
    assert quantization["metric"] == "accuracy"
    assert quantization["before"] == metrics["accuracy"]["value"]
    assert quantization["after"] == pytest.approx(quantization["before"], abs=0.05)
    assert (quantization["calibration_rows"], quantization["scored_rows"]) == (256, 359)
    assert f"{quantization['before']:.4f} before, {quantization['after']:.4f} after" in result.out
    whole = dltrain("export", "tiny", "--format", "litert", "--json").json
    assert whole["quantization"] is None
    sizes = [
        (copied_run / "export" / name / "model.tflite").stat().st_size
        for name in ("litert", "litert-int8")
    ]
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize("form", FORMATS)
def test_ids_of_words_go_in_and_pairs_are_made_inside_where_that_can_be(
    dltrain: Cli, workplace: Path, form: str
) -> None:
    write_reviews(Path("reviews"))
    config = {
        "name": "reviews",
        "dataset": {
            "type": "text_folder",
            "path": "reviews",
            "max_words": 50,
            "max_length": 12,
            "ngrams": 2,
            "ngram_buckets": 1000,
        },
        "model": {
            "layers": [
                {"type": "embedding", "input_dim": 1050, "output_dim": 4, "mask_zero": True},
                "global_average_pooling1d",
                {"type": "dense", "units": 1},
            ]
        },
        "training": {"epochs": 1},
    }
    Path("c.yaml").write_text(yaml.safe_dump(config))
    assert dltrain("fit", "c.yaml", "--quiet").code == 0
    result = dltrain("export", "reviews", "--format", form, "--json")
    assert result.code == 0, result.err
    signature = result.json
    words = 23 if form == "litert" else 12
    assert signature["input"]["shape"] == [None, words]
    assert ("0x9E3779B97F4A7C15" in signature["input"]["meaning"]) == (form == "litert")
    assert signature["check"]["largest_difference"] < 1e-5
    folder = Path(signature["folder"])
    run = Path("runs/reviews/0001")
    assert (folder / "tokenizer.json").read_bytes() == (run / "tokenizer.json").read_bytes()


def test_a_table_of_one_s_own_names_its_features(dltrain: Cli, workplace: Path) -> None:
    write_flowers(Path("flowers.csv"))
    write_lines(
        Path("c.yaml"),
        "name: flowers",
        "dataset: {type: csv, path: flowers.csv, target: species, ignore: [id]}",
        "model: {layers: [{type: dense, units: 3}]}",
        "training: {epochs: 1, batch_size: 8}",
    )
    assert dltrain("fit", "c.yaml", "--quiet").code == 0
    result = dltrain("export", "flowers", "--format", "onnx", "--json")
    assert result.code == 0, result.err
    features = [(each["column"], each["kind"], each["value"]) for each in result.json["features"]]
    assert features[0] == ("length", "number", "")
    assert ("colour", "category", "red") in features
    assert result.json["input"]["shape"] == [None, len(features)]
    assert (Path(result.json["folder"]) / "preprocessing.json").is_file()


def test_a_regression_gives_values(dltrain: Cli, workplace: Path) -> None:
    Path("c.yaml").write_text(yaml.safe_dump(REGRESSION))
    assert dltrain("fit", "c.yaml", "--quiet").code == 0
    result = dltrain("export", "line", "--format", "litert", "--json")
    assert result.code == 0, result.err
    assert result.json["output"]["name"] == "value"
    assert result.json["check"]["same_class"] is None


def test_an_lstm_is_refused_for_litert(dltrain: Cli, workplace: Path) -> None:
    write_reviews(Path("reviews"))
    config = {
        "name": "lstm",
        "dataset": {"type": "text_folder", "path": "reviews", "max_words": 50, "max_length": 12},
        "model": {
            "layers": [
                {"type": "embedding", "input_dim": 50, "output_dim": 4},
                {"type": "lstm", "units": 3},
                {"type": "dense", "units": 1},
            ]
        },
        "training": {"epochs": 1},
    }
    Path("c.yaml").write_text(yaml.safe_dump(config))
    assert dltrain("fit", "c.yaml", "--quiet").code == 0
    result = dltrain("export", "lstm", "--format", "litert")
    assert result.code == 6
    assert result.err.endswith(
        "Exporting runs/lstm/0001/model.keras as litert.\n"
        "error: --format litert: the model can't be converted: LiteRT lacks TensorListReserve.\n"
        "LSTM and GRU convert with `unroll: true`. Or take --format onnx or savedmodel.\n"
    )
    assert dltrain("export", "lstm", "--format", "onnx").code == 0


@needs_torch
def test_a_program_of_torch_runs_without_keras_and_takes_any_number_of_rows(
    dltrain: Cli, copied_run: Path
) -> None:
    assert dltrain("export", "tiny", "--format", "torch").code == 0
    file = copied_run / "export" / "torch" / "model.pt2"
    program = """
import sys, torch
program = torch.export.load(sys.argv[1]).module()
for rows in (1, 2, 300):
    found = program(torch.zeros((rows, 8, 8, 1), dtype=torch.uint8))["probabilities"]
    print(tuple(found.shape), found.numpy().sum().round(3) == rows)
print({"keras", "tensorflow", "dltrain"} & sys.modules.keys())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False
    )
    assert done.stdout == "(1, 10) True\n(2, 10) True\n(300, 10) True\nset()\n", done.stderr


@needs_torch
def test_torch_names_the_layer_that_it_can_t_take(dltrain: Cli, workplace: Path) -> None:
    ids = np.random.default_rng(0).integers(1, 40, (60, 6))
    np.savez("ids.npz", x=ids, y=np.arange(60) % 2)
    config = {
        "name": "hashed",
        "dataset": {"type": "npz", "path": "ids.npz", "modality": "tokens"},
        "model": {
            "layers": [
                {"type": "hashing", "num_bins": 30, "name": "fewer"},
                {"type": "embedding", "input_dim": 30, "output_dim": 4},
                "global_average_pooling1d",
                {"type": "dense", "units": 1},
            ]
        },
        "training": {"epochs": 1},
    }
    Path("c.yaml").write_text(yaml.safe_dump(config))
    assert dltrain("fit", "c.yaml", "--quiet").code == 0
    result = dltrain("export", "hashed", "--format", "torch")
    assert result.code == 6
    assert result.err.endswith(
        "error: --format torch: the model can't be converted: the layer 'fewer' (Hashing): "
        "RuntimeError: .numpy() is not supported for tensor subclasses.\n"
        "Take --format onnx: onnxruntime runs it beside PyTorch.\n"
    )
    assert list(Path("runs/hashed/0001/export").iterdir()) == []


def write_texts_config(
    path: Path, *layers: object, masked: bool, precision: str = "float32"
) -> None:
    """Write a config of reviews of 12 words, the last ones padding, and the reviews."""
    write_reviews(Path("reviews"))
    config = {
        "name": "texts",
        "dataset": {"type": "text_folder", "path": "reviews", "max_words": 50, "max_length": 12},
        "model": {
            "layers": [
                {"type": "embedding", "input_dim": 50, "output_dim": 4, "mask_zero": masked},
                *layers,
                {"type": "dense", "units": 1},
            ]
        },
        "training": {"epochs": 1, "precision": precision},
    }
    path.write_text(yaml.safe_dump(config))


@needs_torch
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "layer",
    [
        {"type": "bidirectional", "layer": {"type": "lstm", "units": 3}},
        {"type": "gru", "units": 3, "reset_after": False},
        {"type": "simple_rnn", "units": 3, "go_backwards": True},
    ],
    ids=["lstm", "gru", "simple rnn"],
)
def test_recurrent_layers_become_a_program_of_torch(
    dltrain: Cli, workplace: Path, layer: dict[str, object], masked: bool
) -> None:
    write_texts_config(Path("c.yaml"), layer, masked=masked)
    fitted = dltrain("fit", "c.yaml", "--quiet")
    assert fitted.code == 0, fitted.err
    result = dltrain("export", "texts", "--format", "torch", "--json")
    assert result.code == 0, result.err
    assert result.json["check"]["largest_difference"] < 1e-6


@needs_torch
def test_an_lstm_of_mixed_precision_becomes_a_program_of_torch(
    dltrain: Cli, workplace: Path
) -> None:
    layer = {"type": "lstm", "units": 3}
    write_texts_config(Path("c.yaml"), layer, masked=False, precision="mixed_bfloat16")
    fitted = dltrain("fit", "c.yaml", "--quiet")
    assert fitted.code == 0, fitted.err
    result = dltrain("export", "texts", "--format", "torch", "--json")
    assert result.code == 0, result.err


@pytest.mark.parametrize("form", FORMATS)
def test_a_run_of_mixed_precision_is_exported(dltrain: Cli, workplace: Path, form: str) -> None:
    config = change(
        CONFIG,
        name="mixed",
        model__layers=[
            {"type": "conv2d", "filters": 4, "kernel_size": 3, "activation": "relu"},
            "batch_normalization",
            "flatten",
            {"type": "dense", "units": 10},
        ],
        training={"epochs": 1, "batch_size": 64, "precision": "mixed_bfloat16"},
    )
    Path("c.yaml").write_text(yaml.safe_dump(config))
    fitted = dltrain("fit", "c.yaml", "--quiet")
    assert fitted.code == 0, fitted.err
    result = dltrain("export", "mixed", "--format", form, "--json")
    assert result.code == 0, result.err
    assert result.json["check"]["tolerance"] == 0.02


@pytest.mark.slow
def test_a_backbone_is_exported_in_every_format(dltrain: Cli, workplace: Path) -> None:
    config = change(CONFIG, name="backbone", training={"epochs": 1, "batch_size": 64})
    config["model"] = {
        "pretrained": {
            "type": "mobilenet_v3_small",
            "weights": "none",
            "image_size": [32, 32],
            "trainable": "none",
        },
        "layers": [{"type": "dense", "units": 10}],
    }
    Path("c.yaml").write_text(yaml.safe_dump(config))
    fitted = dltrain("fit", "c.yaml", "--quiet")
    assert fitted.code == 0, fitted.err
    for form in ("savedmodel", "onnx", "litert", *(("torch",) if find_spec("torch") else ())):
        result = dltrain("export", "backbone", "--format", form, "--json")
        assert result.code == 0, result.err
        assert result.json["check"]["largest_difference"] < 1e-5


def test_quantizing_is_for_litert(dltrain: Cli, copied_run: Path) -> None:
    result = dltrain("export", "tiny", "--format", "onnx", "--quantize", "int8")
    assert (result.code, result.err) == (
        2,
        "error: --quantize goes with --format litert, not with onnx.\n",
    )


@pytest.mark.parametrize(("package", "form"), [("tf2onnx", "onnx"), ("torch", "torch")])
def test_what_is_not_installed_is_named_before_anything_is_loaded(
    dltrain: Cli, copied_run: Path, monkeypatch: pytest.MonkeyPatch, package: str, form: str
) -> None:
    monkeypatch.setattr(
        formats, "find_spec", lambda name: None if name == package else find_spec(name)
    )
    result = dltrain("export", "tiny", "--format", form)
    assert (result.code, result.err) == (
        6,
        f"error: --format {form} needs {package}, which is not installed.\n"
        f"pip install 'dltrain[{form}]'\n",
    )
