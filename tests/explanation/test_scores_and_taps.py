"""Is the right number of a Keras model explained, and do maps and taps reach into it?"""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dltrain.config.targets import Targets
from dltrain.errors import UsageError
from dltrain.explanation.grad_cam import compute_grad_cam, find_feature_maps
from dltrain.explanation.gradients import differentiate_inputs, score_inputs
from dltrain.explanation.scores import make_scorer
from dltrain.explanation.words import explain_words, tap_embeddings

LOSS = {"type": "sparse_categorical_crossentropy"}
PROBABILITIES = Targets("classification", "integer", "probabilities", LOSS, 3, 3)
LOGITS = Targets("classification", "integer", "logits", LOSS, 3, 3)
ROWS = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)


def make(
    *layers: keras.layers.Layer, shape: tuple[int, ...] = (5,), dtype: str = "float32"
) -> keras.Model:
    start = keras.Input(shape, dtype=dtype)
    tensor = start
    for layer in layers:
        tensor = layer(tensor)
    return keras.Model(start, tensor)


@pytest.mark.parametrize("form", ["activation of dense", "activation", "softmax", "then linear"])
def test_a_last_softmax_is_taken_off(form: str) -> None:
    keras.utils.set_random_seed(1)
    dense = keras.layers.Dense(
        3, activation="softmax" if "dense" in form else None, bias_initializer="normal"
    )
    ends = {
        "activation": [keras.layers.Activation("softmax")],
        "softmax": [keras.layers.Softmax()],
        "then linear": [keras.layers.Softmax(), keras.layers.Activation("linear")],
    }
    model = make(dense, *ends.get(form, []))
    scorer = make_scorer(model, PROBABILITIES)
    assert scorer.kind == "logit"
    logits = ROWS @ dense.kernel.numpy() + dense.bias.numpy()
    classes = np.array([0, 1, 2, 1])
    found = score_inputs(scorer)(ROWS, scorer.weigh(classes))
    assert found == pytest.approx(logits[np.arange(4), classes], abs=1e-5)
    _, gradients = differentiate_inputs(scorer)(ROWS, scorer.weigh(classes))
    assert gradients == pytest.approx(dense.kernel.numpy().T[classes], abs=1e-5)


def test_logits_and_predicted_values_stay_as_they_are() -> None:
    model = make(keras.layers.Dense(3))
    assert make_scorer(model, LOGITS).model is model
    value = make(keras.layers.Dense(1))
    regression = Targets("regression", "value", "value", {"type": "mse"}, 0, 1)
    scorer = make_scorer(value, regression)
    assert (scorer.model, scorer.kind) == (value, "value")


def test_two_classes_that_share_a_unit_have_opposite_scores() -> None:
    model = make(keras.layers.Dense(1, activation="sigmoid"))
    targets = Targets(
        "classification", "binary", "probabilities", {"type": "binary_crossentropy"}, 2, 1
    )
    scorer = make_scorer(model, targets)
    score = score_inputs(scorer)
    first = score(ROWS, scorer.weigh(np.zeros(4, np.int64)))
    second = score(ROWS, scorer.weigh(np.ones(4, np.int64)))
    assert first == pytest.approx(-second)
    probabilities = model.predict(ROWS, verbose=0)[:, 0]
    assert 1 / (1 + np.exp(-second)) == pytest.approx(probabilities, abs=1e-5)


def test_grad_cam_lights_where_the_convolution_sees_what_the_class_wants() -> None:
    conv = keras.layers.Conv2D(1, 1, kernel_initializer="ones")
    dense = keras.layers.Dense(2)
    model = make(
        conv, keras.layers.ReLU(), keras.layers.GlobalAveragePooling2D(), dense, shape=(4, 4, 1)
    )
    dense.set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])
    image = np.zeros((1, 4, 4, 1), np.float32)
    image[0, :2, :2] = 3
    targets = Targets("classification", "integer", "logits", LOSS, 2, 2)
    scorer = make_scorer(model, targets)
    for_it = compute_grad_cam(scorer, image, scorer.weigh(np.array([0])))
    assert for_it[0] == pytest.approx(image[0, ..., 0] / 16)
    assert not compute_grad_cam(scorer, image, scorer.weigh(np.array([1]))).any()
    # What follows the convolution in the same shape belongs to it.
    assert find_feature_maps(model) is model.layers[2].output


def test_grad_cam_without_a_convolution_is_refused() -> None:
    scorer = make_scorer(make(keras.layers.Dense(3)), LOGITS)
    with pytest.raises(UsageError) as caught:
        compute_grad_cam(scorer, ROWS, scorer.weigh(np.zeros(4, np.int64)))
    assert caught.value.message == (
        "--method grad_cam: the model has no convolution of two dimensions, and so no maps to look "
        "at."
    )
    assert caught.value.hint == (
        "Take --method saliency, integrated_gradients or occlusion, which need none."
    )


def test_words_of_a_masked_recurrent_model_sum_to_the_difference() -> None:
    keras.utils.set_random_seed(2)
    model = make(
        keras.layers.Embedding(9, 4, mask_zero=True, embeddings_initializer="normal"),
        keras.layers.LSTM(6),
        keras.layers.Dense(3, activation="softmax"),
        shape=(7,),
        dtype="int32",
    )
    scorer = make_scorer(model, PROBABILITIES)
    tapped = tap_embeddings(scorer)
    ids = np.array([3, 8, 1, 5, 0, 0, 0], np.int32)
    weights = scorer.weigh(np.array([2]))
    found, measured = explain_words(tapped, ids, weights[0])
    assert found.shape == (7,)
    own = score_inputs(scorer)(ids[None].astype(np.float32), weights)[0]
    assert measured.score == pytest.approx(float(own), abs=1e-6)
    assert measured.is_met
    assert found.sum() == pytest.approx(measured.score - measured.baseline_score, rel=0.01)
    assert np.abs(found[:4]).min() > 0
    assert not found[4:].any()  # padding is masked


def test_a_model_of_texts_without_an_embedding_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        tap_embeddings(make_scorer(make(keras.layers.Dense(3)), LOGITS))
    assert caught.value.message == (
        "--method integrated_gradients: the model has no embedding of its words, through which "
        "their gradients could be taken."
    )
