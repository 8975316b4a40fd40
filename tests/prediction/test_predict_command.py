"""Does `dltrain predict` give what `eval` predicts, row for row, and survive what can't be read?"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from own_files import write_image, write_photos, write_reviews
from tiny_runs import REGRESSION, Result

from dltrain.catalog.datasets import DATASETS
from dltrain.config.schema import DatasetConfig
from dltrain.data.load import load_data
from dltrain.runs.predictions import Predictions, read_predictions

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]


def read_test_split(run: Path) -> Predictions:
    return read_predictions(run / "predictions.parquet")["test"]


def dump_digits(folder: Path) -> int:
    """Write the test rows of digits as PNG files of 0 to 255, named in their order."""
    config = DatasetConfig(name="digits", validation_split=0.2, test_split=0.2, normalize="unit")
    table = load_data(config, seed=3, data_dir=Path("none"), splits=("test",)).tables["test"]
    for row in range(len(table)):
        pixels = table.take(slice(row, row + 1))[0, ..., 0]
        write_image(folder / f"{row:04}.png", np.rint(pixels * (255 / 16)))
    return len(table)


def test_images_of_the_test_rows_get_the_predictions_of_eval(
    dltrain: Cli, copied_run: Path
) -> None:
    rows = dump_digits(Path("digits"))
    result = dltrain("predict", "tiny", "digits", "--top", 10, "--format", "jsonl")
    assert result.code == 0, result.err
    lines = [json.loads(line) for line in result.out.splitlines()]
    expected = read_test_split(copied_run)
    assert len(lines) == rows == len(expected)
    names = DATASETS["digits"].class_names
    assert [names.index(line["predicted"]) for line in lines] == list(expected.predicted)
    assert expected.probabilities is not None
    for line, probabilities in zip(lines, expected.probabilities, strict=True):
        assert {each["class"]: each["probability"] for each in line["top"]} == dict(
            zip(names, probabilities, strict=True)
        )
    assert lines[7]["input"] == "digits/0007.png"


def test_what_can_t_be_read_is_an_error_row_and_exit_3(dltrain: Cli, copied_run: Path) -> None:
    write_image(Path("a.png"), np.zeros((8, 8)))
    Path("bad.png").write_bytes(b"no image")
    Path("empty").mkdir()
    result = dltrain("predict", "tiny", "bad.png", "a.png", "none.jpg", "empty", "--format", "csv")
    assert result.code == 3
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [(row["input"], row["error"]) for row in rows] == [
        ("bad.png", "no JPEG, PNG or WebP image"),
        ("a.png", ""),
        ("none.jpg", "No such file or directory"),
        ("empty", "holds no PNG, JPEG or WebP image"),
    ]
    assert [bool(row["predicted"]) for row in rows] == [False, True, False, False]
    assert result.err == (
        "error: 3 of 4 inputs could not be predicted.\n"
        "Each says why in its row; the others are predicted.\n"
    )


def test_images_of_another_size_are_resized_which_is_said_once(
    dltrain: Cli, copied_run: Path
) -> None:
    for name in ("a.png", "b.png"):
        write_image(Path(name), np.zeros((20, 30, 3)))
    result = dltrain("predict", "tiny", "a.png", "b.png")
    assert result.code == 0, result.err
    assert result.err == "a.png is 30×20: images are resized to the 8×8 that the model takes.\n"
    lines = result.out.splitlines()
    assert lines[0] == "input  predicted  probability"
    assert [line.split()[0] for line in lines[1:]] == ["a.png", "b.png"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_every_form_of_file_holds_the_same(dltrain: Cli, copied_run: Path, suffix: str) -> None:
    import pyarrow.parquet as pq

    np.savez("x.npz", x=np.random.default_rng(0).integers(0, 17, (300, 8, 8), dtype=np.uint8))
    printed = dltrain("predict", "tiny", "x.npz", "--format", "csv", "--top", 2)
    result = dltrain("predict", "tiny", "x.npz", "--output", f"out.{suffix}", "--top", 2)
    assert result.code == 0, result.err
    assert result.out == ""
    assert result.err == f"300 predictions written to out.{suffix}\n"
    expected = list(csv.DictReader(io.StringIO(printed.out)))
    if suffix == "csv":
        assert Path("out.csv").read_text() == printed.out
    elif suffix == "jsonl":
        rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
        assert [str(row["top"][1]["probability"]) for row in rows] == [
            row["probability_2"] for row in expected
        ]
    else:
        table = pq.read_table("out.parquet")
        assert table.column_names == list(expected[0])
        assert [str(each) for each in table["probability"].to_pylist()] == [
            row["probability"] for row in expected
        ]
        assert table["error"].null_count == 300
    again = dltrain("predict", "tiny", "x.npz", "--output", f"out.{suffix}")
    assert again.code == 2
    assert again.err == (
        f"error: --output: out.{suffix} is there already.\nAdd --force to overwrite it.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Nothing to predict: no input is given.\n"
         "This run takes images (PNG, JPEG, WebP), folders of them, or .npz; - reads stdin."),
        (("a.csv",), "a.csv: runs/tiny/0001 takes images (PNG, JPEG, WebP), folders of them, or "
         ".npz."),
        (("--text", "good"), "--text: runs/tiny/0001 takes images (PNG, JPEG, WebP), folders of "
         "them, or .npz."),
        (("-", "-"), "- stands for stdin, and can be given once."),
        (("a.png", "-o", "a.txt"), "--output a.txt: expected a name that ends in .csv, .jsonl or "
         ".parquet.\nOr say the form with --format."),
        (("a.png", "--format", "parquet"), "--format parquet: Parquet goes into a file.\n"
         "Add --output FILE.parquet."),
        (("a.png", "-o", "no/a.csv"), "--output: there is no directory no."),
    ],
)  # fmt: skip
def test_a_command_line_that_can_t_be_is_refused(
    dltrain: Cli, copied_run: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = dltrain("predict", "tiny", *arguments)
    assert (result.code, result.err) == (2, f"error: {message}\n")


def test_a_regression_gives_values_and_names_a_bad_row(
    dltrain: Cli, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dltrain("fit", write_config(REGRESSION), "--quiet").code == 0
    dataset = DatasetConfig(
        name="synthetic_regression", rows=64, features=3, test_split=0.2, normalize="standard"
    )
    data = load_data(dataset, seed=3, data_dir=Path("none"), splits=("test",)).tables["test"]
    lines = [";".join(repr(float(each)) for each in row) for row in data.take(slice(None))]
    text = "\n".join(["a;b;c", *lines, "1;x;2", "1;2", "1;inf;2"]) + "\n"
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    result = dltrain("predict", "line", "-", "--format", "jsonl")
    assert result.code == 3
    rows = [json.loads(line) for line in result.out.splitlines()]
    expected = read_test_split(Path("runs/line/0001")).predicted
    assert [row["predicted"] for row in rows[:-3]] == pytest.approx(expected, rel=1e-5)
    assert [(row["input"], row["error"]) for row in rows[-3:]] == [
        ("stdin:15", "the column 'b' is 'x'; expected a number"),
        ("stdin:16", "has 2 values; the header has 3"),
        ("stdin:17", "holds a number that is not finite"),
    ]
    targets = [repr(float(each)) for each in data.labels]
    labelled = [f"{line};{target}" for line, target in zip(lines, targets, strict=True)]
    Path("new.csv").write_text("\n".join(["a;b;c;target", *labelled]))
    evaluated = dltrain("eval", "line", "--data", "new.csv", "--json")
    assert evaluated.code == 0, evaluated.err
    recorded = json.loads(Path("runs/line/0001/metrics.json").read_text())["splits"]["test"]
    assert evaluated.json["r2"]["value"] == pytest.approx(recorded["r2"]["value"])
    assert not Path("runs/line/0001/evaluation-test.json").exists()
    assert json.loads(Path("runs/line/0001/evaluation-data.json").read_text())["rows"] == 13


TEXTS = {
    "name": "reviews",
    "dataset": {"type": "text_folder", "path": "reviews", "max_words": 50, "max_length": 12},
    "model": {
        "layers": [
            {"type": "embedding", "input_dim": 50, "output_dim": 4},
            "global_average_pooling1d",
            {"type": "dense", "units": 1},
        ]
    },
    "training": {"epochs": 2},
}


def test_texts_come_as_arguments_files_and_lines_and_eval_takes_labelled_ones(
    dltrain: Cli, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reviews(Path("reviews"))
    fitted = dltrain("fit", write_config(TEXTS), "--quiet")
    assert fitted.code == 0, fitted.err
    expected = read_test_split(Path("runs/reviews/0001"))
    new = [Path("reviews") / name for name in expected.ids]
    texts = [path.read_text().strip() for path in new]
    Path("new.csv").write_text("label,said\n" + "".join(f"bad,{text}\n" for text in texts))
    Path("new.jsonl").write_text("".join(json.dumps({"said": text}) + "\n" for text in texts))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"film\n\xff\nactor\n")))
    files = ("new.csv", "new.jsonl", "-", "--text", "great film", "--column", "said")
    result = dltrain("predict", "reviews", *new, *files, "--format", "csv")
    assert result.code == 3
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert rows[0]["input"] == "text 1"
    assert rows[-2]["error"] == "is not UTF-8 text"
    names, count = ("bad", "good"), len(new)
    wanted = [names[each] for each in expected.predicted]
    for start in (1, 1 + count, 1 + 2 * count):
        assert [row["predicted"] for row in rows[start : start + count]] == wanted
    Path("reviews").rename("moved")  # the run alone is enough
    evaluated = dltrain("eval", "reviews", "--data", "moved", "--json")
    assert evaluated.code == 0, evaluated.err
    assert evaluated.json["rows"] == 120
    refused = dltrain("eval", "reviews", "--data", "new.csv", "--column", "other")
    assert refused.code == 2
    assert refused.err == (
        "error: new.csv has no column 'other'; it has label, said.\n"
        "Name the column of the texts with --column.\n"
    )
    (Path("moved") / "odd").mkdir()
    (Path("moved") / "odd" / "1.txt").write_text("film")
    unknown = dltrain("eval", "reviews", "--data", "moved")
    assert unknown.code == 3
    assert unknown.err == (
        "error: 1 of 121 inputs can't be evaluated:\n"
        "  moved/odd/1.txt: has the label 'odd', which the model doesn't know\n"
        "Mend them or leave them out: a score is of all rows.\n"
    )


def test_a_folder_of_photos_is_predicted_without_the_training_data(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    write_photos(Path("photos"), images=20)
    config = {
        "name": "photos",
        "dataset": {"type": "image_folder", "path": "photos", "image_size": [10, 12]},
        "model": {"layers": ["flatten", {"type": "dense", "units": 1}]},
        "training": {"epochs": 2, "batch_size": 8},
    }
    fitted = dltrain("fit", write_config(config), "--quiet")
    assert fitted.code == 0, fitted.err
    Path("photos").rename("moved")
    expected = read_test_split(Path("runs/photos/0001"))
    paths = [Path("moved") / name for name in expected.ids]
    result = dltrain("predict", "photos", *paths, "--format", "jsonl")
    assert result.code == 0, result.err
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert expected.probabilities is not None
    assert [row["probability"] for row in rows] == list(expected.probabilities.max(axis=1))
    for name in expected.ids:
        new = Path("new") / name
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes((Path("moved") / name).read_bytes())
    (Path("new") / "dark" / "notes.md").write_text("no photo")
    evaluated = dltrain("eval", "photos", "--data", "new", "--json")
    assert evaluated.code == 0, evaluated.err
    own = json.loads(Path("runs/photos/0001/metrics.json").read_text())["splits"]["test"]
    for metric in ("accuracy", "log_loss"):
        assert evaluated.json[metric]["value"] == own[metric]["value"]
    assert "new: notes.md is passed over: it is no .png, .jpg, .jpeg, .webp.\n" in evaluated.err


def test_no_row_of_an_npz_or_a_stream_is_too_odd_to_be_named(
    dltrain: Cli, copied_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, array in {
        "flat": np.zeros((2, 64)),
        "line": np.zeros(2),
        "none": np.zeros((1, 0)),
        "bools": np.zeros((1, 8, 8), dtype=bool),
        "texts": np.array(["a"]),
        "number": np.array(3.0),
        "nan": np.full((1, 8, 8), np.nan),
    }.items():
        np.savez(f"{name}.npz", x=array)
    Path("torn.npz").write_bytes(Path("flat.npz").read_bytes()[:-40])
    write_image(Path("a.png"), np.zeros((8, 8)))
    stdin = b"a.png\r\n\na\x00.png\n\xff.png\n   \na.png"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    files = [
        f"{name}.npz"
        for name in ("flat", "line", "none", "bools", "texts", "number", "nan", "torn")
    ]
    result = dltrain("predict", "tiny", "-", *files, "--format", "jsonl", "--top", 99)
    assert result.code == 3, result.err
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert len(rows[0]["top"]) == 10
    assert [(row["input"], row["error"]) for row in rows] == [
        ("a.png", None),
        ("a\x00.png", "embedded null byte"),
        ("stdin:4", "is not UTF-8 text"),
        ("   ", "No such file or directory"),
        ("a.png", None),
        ("flat.npz[0]", "has the shape (64,); the model takes (8, 8, 1)"),
        ("flat.npz[1]", "has the shape (64,); the model takes (8, 8, 1)"),
        ("line.npz[0]", "has the shape (); the model takes (8, 8, 1)"),
        ("line.npz[1]", "has the shape (); the model takes (8, 8, 1)"),
        ("none.npz[0]", "has the shape (0,); the model takes (8, 8, 1)"),
        ("bools.npz[0]", "holds bool; expected numbers"),
        ("texts.npz[0]", "holds <U1; expected numbers"),
        ("number.npz", "can't be read as .npz: x is one number; expected rows"),
        ("nan.npz[0]", "holds a number that is not finite"),
        ("torn.npz", "can't be read as .npz: File is not a zip file"),
    ]


def test_nothing_in_gives_nothing_and_no_error(
    dltrain: Cli, copied_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez("empty.npz", x=np.zeros((0, 8, 8)), y=np.zeros(0))
    for form, printed in (
        ("csv", "input,predicted,probability,error\n"),
        ("jsonl", ""),
        ("table", ""),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        result = dltrain("predict", "tiny", "-", "empty.npz", "--format", form)
        assert (result.code, result.out, result.err) == (0, printed, "")
    refused = dltrain("eval", "tiny", "--data", "empty.npz")
    assert (refused.code, refused.err) == (
        3,
        "error: empty.npz holds no rows.\nGive data with labels: docs/predict.md.\n",
    )


def test_ids_that_the_model_has_no_word_for_are_named(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    np.savez("ids.npz", x=rng.integers(1, 20, (60, 6)) + 20 * labels[:, None], y=labels)
    config = {
        "name": "ids",
        "dataset": {"type": "npz", "path": "ids.npz", "modality": "tokens"},
        "model": {
            "layers": [
                {"type": "embedding", "input_dim": 50, "output_dim": 4},
                "global_average_pooling1d",
                {"type": "dense", "units": 1},
            ]
        },
        "training": {"epochs": 1},
    }
    fitted = dltrain("fit", write_config(config), "--quiet")
    assert fitted.code == 0, fitted.err
    np.savez("new.npz", x=np.array([[49] * 6, [50] * 6, [2**40] * 6, [-1] * 6]))
    np.savez("empty.npz", x=np.zeros((1, 0), dtype=np.int64))
    result = dltrain("predict", "ids", "new.npz", "empty.npz", "--format", "jsonl")
    assert result.code == 3, result.err
    assert [json.loads(line)["error"] for line in result.out.splitlines()] == [
        None,
        "holds the id 50; the model knows those below 50",
        f"holds the id {2**40}; the model knows those below 50",
        "holds no ids: whole numbers from 0",
        "has the shape (0,); the model takes (6,)",
    ]
