"""Does what is saved need nothing but Keras, and predict to the bit what the live model does?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from example_layers import ON_SEQUENCES
from tiny_networks import IMAGES, NUMBERS, TEXTS, Network, build

from dltrain.errors import RunError
from dltrain.evaluation.saved_model import load_saved_model

# Loads a model in a process that can't import dltrain, and saves its predictions.
LOADER = """
import sys
sys.modules["dltrain"] = None
import keras, numpy as np
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict_on_batch(np.load(sys.argv[2])))
"""

CONVOLUTIONAL = (
    "[{type: conv2d, filters: 4, kernel_size: 3, activation: {type: leaky_relu, "
    "negative_slope: 0.05}}, batch_normalization, {type: dropout, rate: 0.5}, flatten, "
    "{type: dense, units: 4, activation: {type: relu, max_value: 2}, kernel_constraint: "
    "{type: max_norm, max_value: 1}}, layer_normalization, {type: dense, units: 10}]"
)
ATTENDING = (
    "[{type: embedding, input_dim: 12, output_dim: 4, mask_zero: true}, {type: gaussian_noise, "
    "stddev: 0.3}, {type: multi_head_attention, num_heads: 2, key_dim: 3, dropout: 0.2}, "
    "{type: bidirectional, layer: {type: lstm, units: 2, recurrent_dropout: 0.2}}, "
    "{type: dense, units: 1, activation: sigmoid}]"
)
TABULAR = (
    "[{type: dense, units: 8, activation: silu}, batch_normalization, "
    "{type: spectral_normalization, layer: {type: dense, units: 3}}, {type: dense, units: 1}]"
)


def trained(layers: str, dataset: str) -> Network:
    """Build a network with everything that must not be saved, and train it two steps."""
    rest = (
        "optimizer: {type: adam, learning_rate: {type: one_cycle, max_learning_rate: 0.1}}\n"
        "regularization: {l1: 1e-3, l2: 1e-3}\n"
        + ("" if dataset == NUMBERS else "metrics: [accuracy, f1, auc]\n")
    )
    network = build(layers, dataset=dataset, rest=rest, rows=20, eager=True)
    network.step()
    network.step()
    return network


@pytest.mark.parametrize(
    ("layers", "dataset"), [(CONVOLUTIONAL, IMAGES), (ATTENDING, TEXTS), (TABULAR, NUMBERS)]
)
def test_a_saved_model_predicts_to_the_bit_what_the_live_one_does(
    layers: str, dataset: str, tmp_path: Path
) -> None:
    network = trained(layers, dataset)
    path = tmp_path / "model.keras"
    network.model.save(path)
    live = np.asarray(network.model.predict_on_batch(network.inputs))
    saved = np.asarray(load_saved_model(path).predict_on_batch(network.inputs))
    np.testing.assert_array_equal(saved, live)
    assert not np.allclose(live, live[0])


def test_a_saved_model_loads_where_dltrain_is_not_installed(tmp_path: Path) -> None:
    network = trained(CONVOLUTIONAL, IMAGES)
    network.model.save(tmp_path / "model.keras")
    np.save(tmp_path / "inputs.npy", network.inputs)
    files = [str(tmp_path / name) for name in ("model.keras", "inputs.npy", "outputs.npy")]
    subprocess.run(
        [sys.executable, "-c", LOADER, *files], check=True, cwd=tmp_path, capture_output=True
    )
    live = np.asarray(network.model.predict_on_batch(network.inputs))
    np.testing.assert_array_equal(np.load(tmp_path / "outputs.npy"), live)


@pytest.mark.parametrize("name", ["lstm_cell", "stacked_rnn_cells", "einsum_dense"])
def test_a_layer_that_holds_others_is_saved_whole(name: str, tmp_path: Path) -> None:
    layers = (
        f"[{{type: reshape, target_shape: [8, 8]}}, {ON_SEQUENCES[name]}, flatten, "
        "{type: dense, units: 10}]"
    )
    network = trained(layers, IMAGES)
    network.model.save(tmp_path / "model.keras")
    live = np.asarray(network.model.predict_on_batch(network.inputs))
    saved = load_saved_model(tmp_path / "model.keras").predict_on_batch(network.inputs)
    np.testing.assert_array_equal(np.asarray(saved), live)


def test_a_model_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        load_saved_model(tmp_path / "model.keras")
    assert "model.keras doesn't exist." in str(caught.value)


@pytest.mark.parametrize("damage", ["empty", "text", "cut"])
def test_a_damaged_model_is_told_with_the_way_to_a_new_one(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    network = build("[flatten, {type: dense, units: 10}]", eager=True)
    network.model.save(path)
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "text": b"no model", "cut": whole[: len(whole) // 2]}[damage])
    with pytest.raises(RunError) as caught:
        load_saved_model(path)
    assert "model.keras can't be loaded: it is damaged, or no model of Keras" in str(caught.value)
    assert f"dltrain fit {tmp_path / 'config.yaml'}" in (caught.value.hint or "")
