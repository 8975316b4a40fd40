"""Does `dltrain init --from` write a config for data of one's own that passes check and trains?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyarrow.parquet
import pytest
import yaml
from own_files import (
    write_flowers,
    write_houses,
    write_image,
    write_json_reviews,
    write_lines,
    write_npz_photos,
    write_parquet_houses,
    write_photos,
    write_reviews,
    write_visits,
)
from tiny_runs import Result

from dltrain.config.json_schema import make_json_schema

Cli = Callable[..., Result]

WRITERS: dict[str, Callable[[Path], Path]] = {
    "flowers.csv": write_flowers,
    "houses.csv": write_houses,
    "photos": write_photos,
    "reviews": write_reviews,
    "visits.csv": write_visits,
    "houses.parquet": write_parquet_houses,
    "reviews.jsonl": write_json_reviews,
    "photos.npz": write_npz_photos,
}

FLOWERS = """\
# A dense network for 'flowers.csv': predicts 'species', one of 3 classes
#
# Proposed by `dltrain init --from` after a look at the data; every line is yours to change.

name: flowers # names the run directory
seed: 42 # initial weights, order of the rows, dropout, the rows held out

dataset:
  type: csv
  path: data/flowers.csv # from the folder of this file
  # 150 rows, 4 columns, which make 5 features:
  #   'id': ignored: a text of its own in most rows
  #   'length': numbers, 9 missing
  #   'colour': 2 categories, 50 missing
  #   'species': the target
  # 3 classes, with their rows:
  #   'a': 50
  #   'b': 50
  #   'c': 50
  target: species # the last column; any other can be predicted
  task: classification # the target is text
  ignore: [id]
  validation_split: 0.15 # share of the training rows that says when to stop
  test_split: 0.2 # share of the rows kept for the last word
  normalize: standard # each feature to mean 0 and deviation 1, by the training rows

model:
  layers:
    - {type: dense, units: 32, activation: relu} # try: more units, another layer
    - {type: dropout, rate: 0.2} # against overfitting; try: 0, 0.5
    - {type: dense, units: 16, activation: relu}
    - {type: dense, units: 3} # a unit a class; cross_entropy applies softmax

loss: cross_entropy

optimizer: {type: adam, learning_rate: 1e-3} # too large: the loss jumps; too small: it crawls

metrics: [accuracy, f1] # f1: the mean over the classes, however rare one is

training:
  batch_size: 16 # of about 102 training rows
  epochs: 100 # at most
  early_stopping: # when the validation rows gain no more; the best epoch is kept
    monitor: val_loss
    patience: 10 # epochs without improvement
"""


def propose(dltrain: Cli, path: Path) -> Any:
    """Propose a config, which must be right, without a warning, valid; return what it says."""
    written = dltrain("init", "--from", path, "--output", "mine.yaml", "--force")
    assert written == Result(0, "", "mine.yaml is written. Next: dltrain fit mine.yaml\n")
    checked = dltrain("check", "--strict", "mine.yaml")
    assert (checked.code, checked.err) == (0, "")
    text = Path("mine.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text.replace("1e-3", "0.001").replace("3e-3", "0.003"))
    assert list(jsonschema.Draft202012Validator(make_json_schema()).iter_errors(data)) == []
    return data


def refuse(dltrain: Cli, path: Path, *more: str) -> tuple[int, str]:
    result = dltrain("init", "--from", path, *more)
    assert result.out == ""
    return result.code, result.err.replace(f"{path}", path.name).replace(f"{path.parent}/", "")


def test_the_proposal_says_what_was_seen(dltrain: Cli, workplace: Path) -> None:
    (workplace / "data").mkdir()
    write_flowers(workplace / "data" / "flowers.csv")
    propose(dltrain, workplace / "data" / "flowers.csv")
    assert (workplace / "mine.yaml").read_text(encoding="utf-8") == FLOWERS
    printed = dltrain("init", "--from", "data/flowers.csv").out
    absolute = f"path: {workplace}/data/flowers.csv"
    assert printed == FLOWERS.replace(
        "path: data/flowers.csv # from the folder of this file", absolute
    )


@pytest.mark.parametrize("name", WRITERS)
def test_a_proposal_trains_and_is_better_than_guessing(
    dltrain: Cli, workplace: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = propose(dltrain, WRITERS[name](workplace / name))
    result = dltrain("fit", "mine.yaml", "--device", "cpu", "--set", "training.epochs=40", "--json")
    assert result.code == 0, result.err
    run = workplace / "runs" / data["name"] / "0001"
    metrics = json.loads((run / "metrics.json").read_text())
    scores = metrics.get("splits", metrics)["test"]
    assert scores["r2" if name.startswith("houses") else "accuracy"]["value"] > 0.8

    # The data is found from anywhere, and only if it is still the same.
    monkeypatch.chdir("/")
    again = dltrain("eval", run, "--device", "cpu", "--json")
    assert again.code == 0, again.err
    assert {key: again.json[key] for key in scores} == scores
    change_one_row(workplace / name)
    changed = dltrain("eval", run, "--device", "cpu")
    assert (changed.code, changed.out) == (3, "")
    assert changed.err.endswith(
        f"error: {workplace / name} is not the data that {run} was trained on: its checksums "
        "differ.\nPut back what was there, or train again.\n"
    )


def change_one_row(path: Path) -> None:
    """Change one value, and no shape and no class."""
    if path.suffix == ".parquet":
        table = pyarrow.parquet.read_table(path)
        rows = table.to_pylist()
        rows[0]["area"] += 1
        pyarrow.parquet.write_table(table.from_pylist(rows, schema=table.schema), path)
    elif path.suffix == ".npz":
        arrays = dict(np.load(path))
        arrays["x"][0] += 1
        np.savez(path, **arrays)
    elif path.suffix == ".jsonl":
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("film", "films", 1), encoding="utf-8")
    elif path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        cells = lines[2].split(",")
        cells[1] = "1"
        write_lines(path, *lines[:2], ",".join(cells), *lines[3:])
    elif path.name == "photos":
        write_image(path / "dark" / "0.png", np.zeros((20, 24, 3)))
    else:
        write_lines(path / "bad" / "0.txt", "film film film")


def test_a_training_goes_on_with_the_same_data_only(dltrain: Cli, workplace: Path) -> None:
    path = write_flowers(workplace / "flowers.csv")
    propose(dltrain, path)
    begun = dltrain("fit", "mine.yaml", "--device", "cpu", "--epochs", 2, "--run-dir", "run")
    assert begun.code == 0, begun.err
    goes_on = ("fit", "--resume", "run", "--device", "cpu", "--epochs", 3)
    change_one_row(path)
    changed = dltrain(*goes_on)
    assert changed.code == 3
    assert f"error: {path} is not the data that run was trained on: its checksums" in changed.err
    write_flowers(path)
    resumed = dltrain(*goes_on, "--json")
    assert resumed.code == 0, resumed.err
    assert (resumed.json["resumed_from"], resumed.json["epochs"]) == (2, 3)

    # Another class no longer fits the model: that is the data's fault and not the config's.
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",a\n", ",d\n", 5), encoding="utf-8")
    for arguments in (("eval", "run"), ("fit", "--resume", "run", "--epochs", 4)):
        other = dltrain(*arguments, "--device", "cpu")
        assert other.code == 3
        assert other.err.startswith(
            f"error: {path} is not the data that run was trained on, or run/config.yaml was "
            "changed:\n"
        )
        assert "the data has 4 classes: expected 4 units in the last layer" in other.err


def test_a_smoke_test_takes_the_data_itself(dltrain: Cli, workplace: Path) -> None:
    propose(dltrain, write_houses(workplace / "houses.csv"))
    result = dltrain("fit", "--smoke", "mine.yaml")
    assert result.code == 0, result.err
    assert "a subset of houses.csv, 150 rows before splitting" in result.err + result.out


@pytest.mark.parametrize(
    ("header", "target", "why"),
    [
        ("y,label,last", "label", "the column of that name; any other can be predicted"),
        ("a,Target,label", "Target", "the column of that name; any other can be predicted"),
        ("a,b,c", "c", "the last column; any other can be predicted"),
    ],
)
def test_the_target_is_chosen_by_its_name_or_is_the_last(
    dltrain: Cli, workplace: Path, header: str, target: str, why: str
) -> None:
    rows = [f"{row}.5,{row % 2},{row % 3}" for row in range(60)]
    data = propose(dltrain, write_lines(workplace / "d.csv", header, *rows))
    assert data["dataset"]["target"] == target
    text = (workplace / "mine.yaml").read_text()
    assert f"  target: {target} # {why}\n" in text


def test_names_that_yaml_could_misread_are_quoted(dltrain: Cli, workplace: Path) -> None:
    odd = ["true", "# a: b", '"a ""quoted"" one\nin two lines"', "Größe", "1e3", "- x"]
    rows = [f"{row}.5,,{row},1,name {row},{row}.25" for row in range(60)]
    data = propose(dltrain, write_lines(workplace / "my: #data.csv", ",".join(odd), *rows))
    assert data["dataset"]["path"] == "my: #data.csv"
    assert data["dataset"]["target"] == "- x"
    assert data["dataset"]["ignore"] == ["# a: b", "Größe", "1e3"]
    assert data["name"] == "my-data"


def test_an_image_size_is_fitting(dltrain: Cli, workplace: Path) -> None:
    for number in range(20):
        height = 600 + 10 * (number % 3)
        image = np.zeros((height, 300), dtype=np.uint8)
        write_image(workplace / "scans" / "ab"[number % 2] / f"{number}.png", image)
    dataset = propose(dltrain, workplace / "scans")["dataset"]
    assert (dataset["image_size"], dataset["color"]) == ([96, 48], "grey")
    assert "  # Height 600 to 620 (median 610), width 300: 20 were looked at\n" in (
        workplace / "mine.yaml"
    ).read_text(encoding="utf-8")


def test_a_split_that_is_there_is_kept(dltrain: Cli, workplace: Path) -> None:
    folder = write_photos(workplace / "photos", splits=("train", "test"), images=10)
    dataset = propose(dltrain, folder)["dataset"]
    assert "test_split" not in dataset
    assert "20 images in 2 classes, and 20 in test/:" in (workplace / "mine.yaml").read_text()


def test_what_can_not_be_proposed_for_is_refused(dltrain: Cli, workplace: Path) -> None:
    write_flowers(workplace / "flowers.csv")
    assert refuse(dltrain, workplace / "flower.csv") == (
        2,
        "error: --from: there is no flower.csv.\nDid you mean 'flowers.csv'?\n",
    )
    other = write_lines(workplace / "data.json", "{}")
    assert refuse(dltrain, other) == (
        2,
        "error: --from: data.json is no .csv, .tsv, .tab, .parquet, .jsonl or .npz file.\n"
        "Give one of these, or the folder that holds a folder a class.\n",
    )
    empty = workplace / "empty"
    empty.mkdir()
    assert refuse(dltrain, empty) == (
        3,
        "error: empty is empty.\nExpected a folder for each class.\n",
    )
    mixed = write_photos(workplace / "mixed", images=5)
    write_lines(mixed / "dark" / "1.txt", "a text")
    assert refuse(dltrain, mixed) == (
        3,
        "error: mixed holds images and texts; expected files of one kind.\nMove one kind into a "
        "folder of its own.\n",
    )
    assert refuse(dltrain, workplace / "flowers.csv", "mlp") == (
        2,
        "error: --from proposes a config by itself; expected no TEMPLATE, received 'mlp'.\n",
    )


def test_a_folder_that_holds_a_table_names_it(dltrain: Cli, workplace: Path) -> None:
    folder = workplace / "data"
    folder.mkdir()
    write_flowers(folder / "flowers.csv")
    assert refuse(dltrain, folder) == (
        3,
        "error: data holds no folder of images (.jpg, .jpeg, .png, .webp) and none of texts "
        "(.txt).\nFor a table: --from data/flowers.csv\n",
    )


def test_data_that_is_too_little_to_split_is_refused(dltrain: Cli, workplace: Path) -> None:
    rows = [f"{row},{'rare' if row == 7 else 'common'}" for row in range(40)]
    path = write_lines(workplace / "d.csv", "x,y", *rows)
    assert refuse(dltrain, path) == (
        3,
        "error: d.csv: the class 'rare' has 1 row; expected at least 5, for training, validation "
        "and test rows.\nAdd rows of it, or remove it.\n",
    )
    path = write_lines(workplace / "e.csv", "x,y", *(f"{row},{row}.5" for row in range(19)))
    assert refuse(dltrain, path) == (
        3,
        "error: e.csv has 19 rows; expected at least 20, for training, validation and test rows.\n",
    )


def test_a_damaged_image_is_named(dltrain: Cli, workplace: Path) -> None:
    folder = write_photos(workplace / "photos", images=5)
    (folder / "light" / "1.jpg").write_text("no image")
    code, message = refuse(dltrain, folder)
    assert code == 3
    assert message.startswith("error: photos/light/1.jpg is no JPEG, PNG or WebP image: ")


def test_check_tells_what_it_saw_and_damage_as_json(dltrain: Cli, workplace: Path) -> None:
    path = write_flowers(workplace / "flowers.csv")
    propose(dltrain, path)
    out = dltrain("check", "mine.yaml").out.splitlines()
    assert out[1] == (
        f"{path} holds 150 rows of 5 features; the target 'species' is one of 3 classes."
    )
    with path.open("a") as file:
        file.write("1,2\n")
    result = dltrain("check", "mine.yaml", "--json")
    assert result.code == 3
    assert result.json["valid"] is False
    assert result.json["problems"] == [
        {
            "file": "mine.yaml",
            "line": None,
            "column": None,
            "key": "dataset",
            "message": f"{path}:152 has 2 values; the header has 4.",
            "hint": "Mend the row; a value that holds the delimiter ',' needs double quotes.",
            "expected": None,
            "received": None,
            "suggestion": None,
        }
    ]
