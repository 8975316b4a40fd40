"""Does `dltrain explain` leave pictures and numbers that can be trusted, and refuse the rest?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_files import write_flowers, write_lines, write_reviews
from test_json_schemas import check
from tiny_runs import CONFIG, Result

from dltrain.report.run_page import make_report
from dltrain.runs.contents import RunContents
from dltrain.runs.layout import RunPaths

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]

CNN = [
    {"type": "conv2d", "filters": 8, "kernel_size": 3, "activation": "relu"},
    "flatten",
    {"type": "dense", "units": 32, "activation": "relu"},
    {"type": "dense", "units": 10, "activation": "softmax"},
]


def read(run: str) -> Any:
    return json.loads(Path("runs", run, "0001/explanations/explanations.json").read_text())


def read_arrays(run: str) -> dict[str, Any]:
    with np.load(Path("runs", run, "0001/explanations/explanations.npz")) as file:
        return {name: file[name] for name in file}


def test_images_are_explained_and_the_explanations_depend_on_what_was_learned(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    config = write_config(CONFIG, model__layers=CNN, training__epochs=8)
    assert dltrain("fit", config, "--quiet").code == 0
    result = dltrain("explain", "tiny", "--sanity", "--json")
    assert result.code == 0, result.err
    document = check(result, "explain")
    assert document == read("tiny")
    assert document["explains"] == "logit"
    rows = document["rows"]
    assert len(rows) == 8
    assert [row["true"] == row["predicted"] for row in rows] == [True] * 4 + [False] * 4
    assert all(row["explained"] == row["predicted"] for row in rows)
    for row in rows:
        assert row["completeness"]["met"]
        assert row["completeness"]["gap"] <= 0.01
        assert row["completeness"]["score"] == pytest.approx(row["score"], abs=1e-3)
    arrays = read_arrays("tiny")
    assert list(arrays["ids"]) == [row["id"] for row in rows]
    assert (arrays["pixels"].shape, arrays["pixels"].dtype) == ((8, 8, 8), np.uint8)
    for method in document["methods"]:
        assert (arrays[method].shape, arrays[method].dtype) == ((8, 8, 8), np.float32)
    sums = [row["completeness"]["sum"] for row in rows]
    assert arrays["integrated_gradients"].sum(axis=(1, 2)) == pytest.approx(sums, abs=1e-3)
    # Adebayo et al. 2018: with every layer shuffled little is left.
    last = document["sanity"][-1]
    assert last["layer"] == "conv2d"
    for method in ("integrated_gradients", "occlusion", "grad_cam"):
        assert abs(last["correlations"][method]) < 0.5, last
    for suffix in ("png", "svg"):
        assert Path(f"runs/tiny/0001/explanations/images.{suffix}").stat().st_size > 5_000
    contents = RunContents(RunPaths(Path("runs/tiny/0001")))
    page = make_report(contents)
    assert 'id="explanations"' in page
    assert "8 images of test beside their maps" in page
    assert "another model" not in page
    assert contents.problems == []
    # The weights are the trained ones again: a second call finds the same.
    name = rows[0]["id"]
    again = dltrain("explain", "tiny", "--rows", name, "--method", "saliency", "--class", "3")
    assert again.code == 0, again.err
    (row,) = read("tiny")["rows"]
    assert (row["id"], row["explained"], row["predicted"]) == (name, "3", rows[0]["predicted"])


def test_a_model_without_convolution_is_explained_without_grad_cam(
    dltrain: Cli, copied_run: Path
) -> None:
    result = dltrain("explain", "tiny")
    assert result.code == 0, result.err
    assert "Grad-CAM is left out: the model has no convolution of two dimensions." in result.err
    assert "Explained is the score before softmax or sigmoid." in result.out
    assert read("tiny")["methods"] == ["saliency", "integrated_gradients", "occlusion"]
    (copied_run / "model.keras").write_bytes(b"another")
    page = make_report(RunContents(RunPaths(copied_run)))
    assert "These are of another model than the run has now." in page
    (copied_run / "explanations/images.png").unlink()
    contents = RunContents(RunPaths(copied_run))
    assert 'id="explanations"' not in make_report(contents)
    assert contents.problems == [
        f"{copied_run}/explanations/images.png can't be read: No such file or directory."
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--method", "grad_cam"),
            "error: --method grad_cam: the model has no convolution of two dimensions, and so no "
            "maps to look at.\nTake --method saliency, integrated_gradients or occlusion, which "
            "need none.\n",
        ),
        (
            ("--method", "salency"),
            "error: --method: there is no method 'salency'.\nDid you mean 'saliency'? For images "
            "there are: saliency, integrated_gradients, grad_cam, occlusion.\n",
        ),
        (
            ("--method", "shap"),
            "error: --method shap: it is not for images, which digits holds.\nFor images there "
            "are: saliency, integrated_gradients, grad_cam, occlusion.\n",
        ),
        (
            ("--class", "11"),
            "error: --class: there is no class '11'.\nDid you mean '1'? The classes are: 0, 1, 2, "
            "3, 4, 5, 6, 7, 8, 9.\n",
        ),
    ],
)
def test_what_a_run_cannot_answer_is_refused(
    dltrain: Cli, copied_run: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = dltrain("explain", "tiny", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.endswith(message)
    assert not (copied_run / "explanations/explanations.json").exists()


def test_a_row_that_is_not_there_is_refused_with_what_rows_are_called(
    dltrain: Cli, copied_run: Path
) -> None:
    result = dltrain("explain", "tiny", "--rows", "test/99999")
    assert result.code == 2
    assert "error: --rows: the test split has no row 'test/99999'.\n" in result.err
    assert "Its rows are called train/" in result.err


def test_the_words_that_tell_two_classes_apart_speak_for_theirs(
    dltrain: Cli, write_config: WriteConfig, tmp_path: Path
) -> None:
    write_reviews(tmp_path / "reviews")
    dataset = {
        "type": "text_folder",
        "path": "reviews",
        "test_split": 0.2,
        "validation_split": 0.2,
        "max_words": 50,
        "max_length": 16,
        "ngrams": 2,
        "ngram_buckets": 50,
    }
    layers = [
        {"type": "embedding", "input_dim": 100, "output_dim": 4, "mask_zero": True},
        "global_average_pooling1d",
        {"type": "dense", "units": 1},
    ]
    config = write_config(
        {**CONFIG, "name": "words", "dataset": dataset, "model": {"layers": layers}},
        optimizer__learning_rate=0.05,
        training__epochs=10,
    )
    assert dltrain("fit", config, "--quiet").code == 0
    result = dltrain("explain", "words", "--json")
    assert result.code == 0, result.err
    rows = check(result, "explain")["rows"]
    assert rows
    telling = {"bad": {"awful", "boring"}, "good": {"great", "lovely"}}
    for row in rows:
        assert row["completeness"]["met"]
        total = sum(value for _, value in row["words"]) + row["padding"]
        assert total == pytest.approx(row["completeness"]["sum"], abs=1e-3)
        strongest = max(row["words"], key=lambda word: word[1])[0]
        assert strongest in telling[row["explained"]]
    arrays = read_arrays("words")
    for row, words, values in zip(
        rows, arrays["words"], arrays["integrated_gradients"], strict=True
    ):
        count = len(row["words"])
        assert [word for word, _ in row["words"]] == list(words[:count])
        assert [value for _, value in row["words"]] == pytest.approx(values[:count], abs=1e-6)
        assert np.isnan(values[count:]).all()


def test_a_table_has_importances_of_its_columns(
    dltrain: Cli, write_config: WriteConfig, tmp_path: Path
) -> None:
    write_flowers(tmp_path / "flowers.csv")
    dataset = {
        "type": "csv",
        "path": "flowers.csv",
        "target": "species",
        "ignore": ["id"],
        "test_split": 0.2,
        "validation_split": 0.2,
    }
    layers = [{"type": "dense", "units": 8, "activation": "relu"}, {"type": "dense", "units": 3}]
    config = write_config(
        {**CONFIG, "name": "flowers", "dataset": dataset, "model": {"layers": layers}}
    )
    assert dltrain("fit", config, "--quiet").code == 0
    result = dltrain("explain", "flowers", "--json", "--method", "permutation_importance")
    assert result.code == 0, result.err
    document = check(result, "explain")
    assert {each["column"] for each in document["importances"]["columns"]} == {"length", "colour"}
    assert document["importances"]["columns"][0]["mean"] > 0.1
    assert document["importances"]["rows"] == 30
    arrays = read_arrays("flowers")
    assert sorted(arrays) == [
        "columns",
        "ids",
        "permutation_importance",
        "permutation_importance_deviation",
    ]
    listed = [(each["column"], each["mean"]) for each in document["importances"]["columns"]]
    values = arrays["permutation_importance"].tolist()
    assert list(zip(arrays["columns"].tolist(), values, strict=True)) == listed


def write_trips(path: Path) -> None:
    """Write a CSV whose class follows from the day, the sentence, the town and the price."""
    chance = np.random.default_rng(0)
    lines = ["day,said,town,price,kind"]
    for row in range(240):
        kind = row % 2
        day = "" if row % 11 == 0 else f"2025-{chance.integers(1, 6) + 6 * kind:02}-17"
        common = " ".join(chance.choice(["room", "bed", "street"], 4))
        said = f"r{row} {common} {('lovely quiet', 'noisy cold')[kind]}"
        town = ("Ulm", "", "Graz")[row % 3]
        price = "" if row % 13 == 0 else f"{100 * kind + chance.normal(0, 30):.1f}"
        lines.append(f"{day},{said},{town},{price},{'ab'[kind]}")
    write_lines(path, *lines)


def test_every_kind_of_column_has_importances_shap_values_and_is_shown_as_it_stood(
    dltrain: Cli, write_config: WriteConfig, tmp_path: Path
) -> None:
    write_trips(tmp_path / "trips.csv")
    dataset = {"type": "csv", "path": "trips.csv", "target": "kind", "validation_split": 0.2}
    config = write_config(
        {
            **CONFIG,
            "name": "trips",
            "dataset": dataset,
            "model": {"layers": [{"type": "dense", "units": 1}]},
        },
        training__epochs=10,
    )
    fitted = dltrain("fit", config, "--quiet")
    assert fitted.code == 0, fitted.err
    result = dltrain("explain", "trips", "--json")
    assert result.code == 0, result.err
    document = check(result, "explain")
    assert document["methods"] == ["permutation_importance", "shap"]
    importances = {each["column"]: each["mean"] for each in document["importances"]["columns"]}
    assert set(importances) == {"day", "said", "town", "price"}
    assert max(importances, key=lambda name: importances[name]) in ("day", "said", "price")
    arrays = read_arrays("trips")
    assert list(arrays["columns"]) == ["day", "said", "town", "price"]
    # SHAP values sum to the score's distance from the mean.
    scores = [row["score"] for row in document["rows"]]
    if document["mean_score"] is not None:
        total = document["mean_score"] + arrays["shap"].sum(axis=1)
        assert total == pytest.approx(scores, abs=1e-3)
    lines = (tmp_path / "trips.csv").read_text().splitlines()
    for row, shown in zip(document["rows"], arrays["values"].tolist(), strict=True):
        assert [value for _, value, _ in row["columns"]] == shown
        day, said, town, price, _ = lines[int(row["id"].rpartition("/")[2]) + 1].split(",")
        assert shown[0] == (day or "missing")
        # A word that no other row has is none of the known.
        assert set(shown[1].split()) == set(said.split()[1:])
        assert shown[2] == (town or "missing")
        assert shown[3] == (f"{float(price):.4g}" if price else "missing")
    page = make_report(RunContents(RunPaths(Path("runs/trips/0001"))))
    assert "Permutation importance of 4 columns" in page
    assert f"SHAP values of {len(document['rows'])} rows of test" in page
