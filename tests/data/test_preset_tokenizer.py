"""Do texts become the ids that KerasHub itself makes of them, also from what a run keeps?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_presets import TEXT_OPTIONS, save_bert

from dltrain.data.preset_tokenizer import PresetTokenizer
from dltrain.data.tokenize import encode_texts, load_tokenizer
from dltrain.errors import DataError

TEXTS = [
    "The movie was good!",
    "",
    "GOOD... bad, naïve — ½ 中文 \u00ad x",
    "a very long " + "movie " * 40,
    "the\tmoving\nthe",
]


@pytest.fixture(scope="module", params=["Bert", "DistilBert"])
def preset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp(request.param) / "preset"
    save_bert(folder, kind=request.param)
    return folder


def test_the_ids_are_kerashubs_own(preset: Path) -> None:
    import keras_hub

    tokenizer = PresetTokenizer(str(preset), max_length=16)
    found = encode_texts(tokenizer, TEXTS)
    expected = keras_hub.models.TextClassifierPreprocessor.from_preset(
        str(preset), sequence_length=16
    )(TEXTS)["token_ids"]
    assert found.dtype == np.int32
    assert np.array_equal(found, expected)
    assert tokenizer.padding_id == 0
    assert found[1].tolist() == [2, 3] + [0] * 14, "begin, end, and padding of an empty text"
    assert found[3, -1] == 3, "a text that was cut has its end"


def test_a_run_keeps_all_that_the_tokenizer_needs(preset: Path, tmp_path: Path) -> None:
    made = PresetTokenizer(str(preset), max_length=16)
    expected = made.encode(TEXTS)
    kept = load_tokenizer(made.to_str())
    assert kept.preset is None
    assert np.array_equal(encode_texts(kept, TEXTS), expected)
    assert load_tokenizer(kept.to_str()) == kept


def test_pieces_are_told_as_they_are(preset: Path) -> None:
    pieces, known, seen = PresetTokenizer(str(preset), max_length=6).split("the moving ½")
    assert pieces == ["the", "m", "##o", "##v", "##ing", "[UNK]"]
    assert known == [True] * 5 + [False]
    assert seen == 4


def test_no_texts_are_no_rows(preset: Path) -> None:
    assert PresetTokenizer(str(preset), max_length=6).encode([]).shape == (0, 6)


def test_a_preset_without_a_tokenizer_is_told(tmp_path: Path) -> None:
    import keras_hub

    keras_hub.models.BertBackbone(**TEXT_OPTIONS).save_to_preset(str(tmp_path))
    with pytest.raises(DataError) as error:
        PresetTokenizer(str(tmp_path), max_length=6).encode(["a"])
    assert error.value.message == (
        f"the preset {tmp_path} gives no tokenizer of texts: `tokenizer.json` doesn't exist in "
        f"preset directory `{tmp_path}`."
    )
    assert error.value.hint == (
        "Its folder needs tokenizer.json and assets/, as save_to_preset of KerasHub's tokenizer "
        "writes them, of a model that KerasHub has a TextClassifier for."
    )


@pytest.mark.parametrize(
    ("files", "length", "reason"),
    [
        ({"../x": ""}, 8, "it names a file outside of a preset: ../x"),
        ({"/etc/x": ""}, 8, "it names a file outside of a preset: /etc/x"),
        ({"a": "*"}, 8, "Non-base64 digit found|Only base64 data is allowed"),
        ([], 8, "it is no tokenizer of a preset"),
        ({}, "8", "its max_length is no length"),
        ({}, 2, "its max_length is no length"),
    ],
)
def test_a_damaged_record_is_refused(files: object, length: object, reason: str) -> None:
    text = json.dumps({"keras_hub_preset": files, "max_length": length})
    with pytest.raises(ValueError, match=reason):
        load_tokenizer(text)
