"""Does a training start from a run on texts and on tables? And from one that is damaged?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_runs import Result, change

Cli = Callable[..., Result]

TEXTS: dict[str, Any] = {
    "name": "source",
    "seed": 1,
    "dataset": {"type": "jsonl", "path": "source.jsonl", "max_words": 60, "max_length": 8},
    "model": {
        "layers": [
            {
                "type": "embedding",
                "name": "words",
                "input_dim": 60,
                "output_dim": 4,
                "mask_zero": True,
            },
            "global_average_pooling1d",
            {"type": "dense", "name": "scores", "units": 2},
        ]
    },
    "training": {"batch_size": 8, "epochs": 1},
}
TUNED = change(
    TEXTS,
    name="tuned",
    dataset__path="tuned.jsonl",
    model__from_run={"run": "source", "skip": ["scores"], "trainable": "none"},
)
TUNED["model"]["layers"][-1]["units"] = 3


def write_texts(path: Path, words: str, labels: str) -> None:
    """Write 40 texts of `words`, whose classes are `labels`."""
    generator, known = np.random.default_rng(len(words)), words.split()
    with path.open("w") as file:
        for number in range(40):
            text = " ".join(generator.choice(known, 6))
            label = labels.split()[number % len(labels.split())]
            file.write(json.dumps({"text": text, "label": label}) + "\n")


def write(folder: Path, config: dict[str, Any], name: str = "c.yaml") -> str:
    (folder / name).write_text(json.dumps(config))
    return name


@pytest.fixture
def source(dltrain: Cli, workplace: Path) -> Path:
    """Return a finished run on texts, beside other texts of other classes, for TUNED."""
    write_texts(workplace / "source.jsonl", "one two three four five six seven", "odd even")
    write_texts(workplace / "tuned.jsonl", "three four eight nine ten eleven", "low mid high")
    result = dltrain("fit", write(workplace, TEXTS), "--quiet", "--json")
    assert result.code == 0, result.err
    return workplace / "runs/source/0001"


def read_weights(run: Path, layer: str) -> list[Any]:
    import keras

    found: list[Any] = keras.saving.load_model(run / "model.keras").get_layer(layer).get_weights()
    return found


def test_other_texts_get_the_ids_that_the_embedding_knows(
    dltrain: Cli, workplace: Path, source: Path
) -> None:
    checked = dltrain("check", write(workplace, TUNED))
    assert "1 layers begin with the weights of runs/source/0001." in checked.out, checked.err
    result = dltrain("fit", "c.yaml", "--quiet", "--json")
    assert result.code == 0, result.err
    run = workplace / "runs/tuned/0001"
    assert (run / "tokenizer.json").read_bytes() == (source / "tokenizer.json").read_bytes()
    (words,), (expected,) = read_weights(run, "words"), read_weights(source, "words")
    assert np.array_equal(words, expected)
    evaluated = dltrain("eval", "tuned", "--json")
    assert evaluated.code == 0, evaluated.err
    predicted = dltrain("predict", "tuned", "--text", "three four nine")
    assert predicted.code == 0, predicted.err


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        (
            "max_length",
            9,
            "the texts get the vocabulary of runs/source/0001, which has max_length: 8; this has "
            "9.",
        ),
        (
            "max_words",
            50,
            "the texts get the vocabulary of runs/source/0001, which has max_words: 60; this has "
            "50.",
        ),
        (
            "truncate",
            "start",
            "the texts get the vocabulary of runs/source/0001, which has truncate: end; this has "
            "start.",
        ),
    ],
)
def test_texts_that_would_become_other_ids_are_refused(
    dltrain: Cli, workplace: Path, source: Path, key: str, value: Any, problem: str
) -> None:
    name = write(workplace, change(TUNED, **{f"dataset__{key}": value}))
    (told,) = dltrain("check", name, "--json").json["problems"]
    assert (told["key"], told["message"]) == (f"dataset.{key}", problem)
    assert told["hint"] == f"Write `{key}: {told['expected']}` under dataset."
    assert dltrain("fit", name, "--quiet").code == 2


def test_a_run_that_does_not_tell_is_refused(dltrain: Cli, workplace: Path, source: Path) -> None:
    name = write(workplace, TUNED)
    (source / "config.yaml").write_text("dataset: [")
    result = dltrain("fit", name, "--quiet")
    assert result.code == 2
    assert (
        "runs/source/0001/config.yaml is gone or damaged: it doesn't tell how runs/source/0001 "
        "made ids of texts."
    ) in result.err
    (source / "config.yaml").unlink()
    assert "config.yaml is gone or damaged" in dltrain("fit", name, "--quiet").err
    (source / "tokenizer.json").unlink()
    result = dltrain("fit", name, "--quiet")
    assert result.code == 2
    assert (
        "runs/source/0001 holds no vocabulary: runs/source/0001/tokenizer.json is missing, or its "
        "data are no texts."
    ) in result.err
    assert not (workplace / "runs/tuned").exists()


TABLE: dict[str, Any] = {
    "name": "source",
    "seed": 1,
    "dataset": {"type": "csv", "path": "source.csv", "target": "kind"},
    "model": {
        "layers": [
            {"type": "dense", "name": "hidden", "units": 4, "activation": "relu"},
            {"type": "dense", "name": "scores", "units": 2},
        ]
    },
    "training": {"batch_size": 8, "epochs": 1},
}
NUMBERS = change(
    TABLE,
    name="tuned",
    dataset__path="tuned.csv",
    model__from_run={"run": "source", "skip": ["scores"], "trainable": "none"},
)
NUMBERS["model"]["layers"][-1]["units"] = 3


def write_table(path: Path, columns: str, kinds: str) -> None:
    generator = np.random.default_rng(0)
    lines = [f"{columns},kind"]
    for number in range(60):
        values = ",".join(f"{value:.3f}" for value in generator.normal(size=columns.count(",") + 1))
        lines.append(f"{values},{kinds.split()[number % len(kinds.split())]}")
    path.write_text("\n".join(lines) + "\n")


def test_a_table_of_as_many_features_takes_them_and_another_is_refused(
    dltrain: Cli, workplace: Path
) -> None:
    write_table(workplace / "source.csv", "a,b,c", "x y")
    write_table(workplace / "tuned.csv", "a,b,c", "p q r")
    result = dltrain("fit", write(workplace, TABLE), "--quiet", "--json")
    assert result.code == 0, result.err
    result = dltrain("fit", write(workplace, NUMBERS), "--quiet", "--json")
    assert result.code == 0, result.err
    source, tuned = (
        read_weights(workplace / "runs" / name / "0001", "hidden") for name in ("source", "tuned")
    )
    assert all(np.array_equal(one, two) for one, two in zip(source, tuned, strict=True))
    write_table(workplace / "tuned.csv", "a,b,c,d", "p q r")
    (told,) = dltrain("check", "c.yaml", "--json").json["problems"]
    assert (told["key"], told["message"]) == (
        "model.layers[0]",
        "hidden has 20 parameters here and 16 in runs/source/0001, whose weights it takes.",
    )


def test_a_run_whose_files_are_damaged_is_told(dltrain: Cli, workplace: Path) -> None:
    write_table(workplace / "source.csv", "a,b,c", "x y")
    write_table(workplace / "tuned.csv", "a,b,c", "p q r")
    assert dltrain("fit", write(workplace, TABLE), "--quiet", "--json").code == 0
    run, name = workplace / "runs/source/0001", write(workplace, NUMBERS)
    (run / "config.yaml").unlink()  # of a table nothing in it is needed
    assert dltrain("fit", name, "--quiet", "--json").code == 0
    whole = (run / "model.keras").read_bytes()
    (run / "model.keras").write_bytes(whole[: len(whole) // 2])
    result = dltrain("fit", name, "--quiet")
    assert result.code == 2
    assert "runs/source/0001/model.keras can't be loaded: it is damaged" in result.err
    (run / "model.json").write_text("{")
    result = dltrain("fit", name, "--quiet")
    assert result.code == 2
    assert "runs/source/0001/model.json" in result.err
    (run / "model.json").unlink()
    result = dltrain("check", name)
    told = "model.from_run can't be looked at: runs/source/0001/model.keras can't be read: it is "
    assert told in result.out
