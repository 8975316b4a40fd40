"""Are the rows that are shown those on which the model was most wrong?"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dltrain.data.dataset import Rows
from dltrain.data.load import Source
from dltrain.data.texts import pack_texts
from dltrain.evaluation.mistakes import (
    LIMIT,
    OF_A_CELL,
    WORST,
    choose_mistakes,
    encode_image,
    read_mistakes,
    write_mistakes,
)
from dltrain.runs.predictions import Predictions


def classify(true: list[int], probabilities: list[list[float]]) -> Predictions:
    values = np.array(probabilities)
    names = tuple("abcdefghij"[: values.shape[1]])
    return Predictions(
        "classification",
        names,
        [f"test/{row}" for row in range(len(true))],
        np.array(true),
        values.argmax(axis=1),
        values,
    )


def test_the_surest_mistakes_come_first_and_right_rows_never() -> None:
    predictions = classify([0, 0, 1, 1], [[0.9, 0.1], [0.3, 0.7], [0.99, 0.01], [0.6, 0.4]])
    assert choose_mistakes(predictions).tolist() == [2, 1, 3]


def test_a_rare_confusion_has_its_examples_beside_a_frequent_one() -> None:
    rows = 3 * WORST
    sure = [[0.0, 1.0, 0.0]] * rows
    unsure = [[0.0, 0.4, 0.6]] * (OF_A_CELL + 3)
    chosen = choose_mistakes(classify([0] * rows + [1] * len(unsure), sure + unsure))
    assert (chosen >= rows).sum() == OF_A_CELL
    assert len(chosen) == WORST + OF_A_CELL


def test_there_are_never_more_than_the_limit() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(40), 5_000)
    predictions = Predictions(
        "classification",
        tuple(str(number) for number in range(40)),
        [""] * 5_000,
        generator.integers(0, 40, 5_000),
        probabilities.argmax(axis=1),
        probabilities,
    )
    chosen = choose_mistakes(predictions)
    assert len(chosen) == LIMIT == len(set(chosen.tolist()))


def test_the_largest_errors_of_a_regression_come_first() -> None:
    true, predicted = np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.0, -9.0])
    predictions = Predictions("regression", (), ["x", "y", "z"], true, predicted)
    assert choose_mistakes(predictions).tolist() == [2, 0]


def test_an_image_is_scaled_by_the_largest_pixel_and_kept_as_png() -> None:
    pixels = np.arange(16, dtype=np.uint8).reshape(4, 4, 1)
    image = Image.open(io.BytesIO(base64.b64decode(encode_image(pixels, largest=15))))
    np.testing.assert_array_equal(np.asarray(image), pixels[..., 0] * 17)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_large_image_becomes_a_thumbnail(channels: int) -> None:
    pixels = np.zeros((400, 200, channels), dtype=np.uint8)
    image = Image.open(io.BytesIO(base64.b64decode(encode_image(pixels))))
    assert image.size == (48, 96)


def test_mistakes_hold_the_texts_and_what_was_said_of_them(tmp_path: Path) -> None:
    texts = pack_texts([b"good", "ein <b>schl\u00e9cht</b>".encode(), b"x" * 5_000])
    source = Source("test", Rows(texts, np.array([0, 1, 1])), np.array([2, 1]), "text")
    write_mistakes(
        tmp_path / "mistakes.json",
        "test",
        classify([1, 1], [[0.8, 0.2], [0.7, 0.3]]),
        source,
        largest=1,
    )
    record = read_mistakes(tmp_path / "mistakes.json")
    assert (record["wrong"], record["rows"], record["modality"]) == (2, 2, "text")
    first, second = record["mistakes"]
    assert first["text"] == "x" * 2_000 + " …"
    assert second == {
        "id": "test/1",
        "true": "b",
        "predicted": "a",
        "confidence": 0.7,
        "true_probability": 0.3,
        "text": "ein <b>schl\u00e9cht</b>",
    }


def test_mistakes_of_a_table_name_the_features(tmp_path: Path) -> None:
    rows = Rows(np.array([[1.5, 2.0]], dtype=np.float32), np.array([0.0], dtype=np.float32))
    source = Source("train", rows, np.array([0]), "tabular", ("age", "city = Rome"))
    predictions = Predictions("regression", (), source.ids(), np.array([4.0]), np.array([1.0]))
    write_mistakes(tmp_path / "mistakes.json", "test", predictions, source, largest=1)
    record = read_mistakes(tmp_path / "mistakes.json")
    assert record["wrong"] is None
    assert record["mistakes"] == [
        {
            "id": "train/0",
            "true": 4.0,
            "predicted": 1.0,
            "error": -3.0,
            "features": [["age", 1.5], ["city = Rome", 2.0]],
        }
    ]
