"""Is every name and every idea explained in both languages, and is what is said there so?"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.main import get_command

from dltrain.catalog.components import KINDS, Component, Kind, components, find
from dltrain.catalog.datasets import DATASETS
from dltrain.cli import app
from dltrain.config.blocks import BLOCK_KEYS
from dltrain.config.components import check_spec
from dltrain.config.document import Document, Problems
from dltrain.config.layers import MAX_LAYERS, Layer
from dltrain.config.load import _DEFAULT_LOSS, _DEFAULT_METRICS, load_config
from dltrain.config.placement import (
    _NEVER,
    check_augmentation,
    check_model_layers,
)
from dltrain.config.reading import read_value
from dltrain.config.rules import _TEXT_OPTIONS
from dltrain.config.targets import TargetsError, resolve_targets
from dltrain.glossary.examples import place_example
from dltrain.glossary.keys import keys
from dltrain.glossary.lookup import find_things, squash
from dltrain.glossary.texts import LANGS, Concept, chapters, concepts, key_entries, notes

CJK = re.compile("[\u4e00-\u9fff]")

ALL = [component for kind in KINDS for component in components(kind).values()]
IDS = [f"{component.kind}.{component.name}" for component in ALL]

DIGITS = """
dataset: {name: digits}
model: {layers: [flatten, {type: dense, units: 10}]}
"""
REVIEWS = """
dataset: {name: imdb}
model:
  layers:
    - {type: embedding, input_dim: 120000, output_dim: 4}
    - global_average_pooling1d
    - {type: dense, units: 1}
"""
NUMBERS = """
dataset: {name: diabetes}
model: {layers: [{type: dense, units: 1}]}
"""


def sentences(lang: str) -> dict[str, str]:
    """Return every sentence and paragraph of the glossary by a name that says where it stands."""
    said = {
        f"{kind}.{name}": note.text[lang]  # type: ignore[index]
        for kind in (*KINDS, "kinds", "datasets", "arguments")
        for name, note in notes(kind).items()
    }
    said |= {f"key {key.name}": key.text[lang] for key in keys().values()}  # type: ignore[index]
    said |= {f"idea {each.id}": each.text[lang] for each in concepts().values()}  # type: ignore[index]
    return said


def check_config(fragment: str, folder: Path) -> None:
    """Assert that `fragment`, put on top of a small config for its dataset, is a right config."""
    change = read_value(fragment, source="example")
    section = change.get("dataset", {})
    dataset = section.get("type") or section.get("name", "digits")
    base = {
        "jsonl": REVIEWS,
        "npz": REVIEWS,
        "csv": NUMBERS,
        "text_folder": REVIEWS,
        "imdb": REVIEWS,
        "diabetes": NUMBERS,
        "synthetic_regression": NUMBERS,
    }
    on_numbers = change.get("loss") == "mse"
    text = NUMBERS if on_numbers else base.get(dataset, DIGITS)
    merged = {**yaml.safe_load(text), **change}
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(merged, sort_keys=False, allow_unicode=True))
    load_config(path)


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_has_its_sentence_and_none_is_left_over(kind: Kind) -> None:
    assert sorted(notes(kind)) == sorted(components(kind))


def test_every_dataset_and_kind_has_its_sentence_and_none_is_left_over() -> None:
    assert sorted(notes("datasets")) == sorted(DATASETS)
    assert sorted(notes("kinds")) == sorted(KINDS)


def test_every_key_has_a_chinese_sentence_and_an_example_and_none_is_left_over() -> None:
    assert sorted(key_entries()) == sorted(keys())
    lacking = [
        name
        for name, entry in key_entries().items()
        if not entry.get("zh") or "example" not in entry
    ]
    assert lacking == []


@pytest.mark.parametrize("lang", LANGS)
def test_no_sentence_is_empty_or_said_twice(lang: str) -> None:
    said = sentences(lang)
    assert [name for name, text in said.items() if len(text.strip()) < 6] == []
    counted = Counter(said.values())
    assert [name for name, text in said.items() if counted[text] > 1] == []


def test_chinese_is_chinese_and_english_is_not() -> None:
    english, chinese = sentences("en"), sentences("zh")
    assert english.keys() == chinese.keys()
    assert [name for name, text in chinese.items() if not CJK.search(text)] == []
    assert [name for name, text in english.items() if CJK.search(text)] == []


def test_every_sentence_ends_as_one() -> None:
    assert [name for name, text in sentences("en").items() if text[-1] not in ".?"] == []
    assert [name for name, text in sentences("zh").items() if text[-1] not in "。？"] == []


def test_numbers_of_a_sentence_are_the_same_in_both_languages() -> None:
    """A figure that is changed in one language and forgotten in the other shows here."""
    differ = {}
    chinese = sentences("zh")
    for name, text in sentences("en").items():
        wanted, got = (set(re.findall(r"\d+\.\d+", each)) for each in (text, chinese[name]))
        if wanted != got:
            differ[name] = (wanted, got)
    assert differ == {}


def test_there_are_enough_ideas_for_a_tutorial_and_each_is_explained_at_length() -> None:
    assert len(concepts()) >= 45
    assert sum(len(chapter.concepts) for chapter in chapters()) == len(concepts())
    short = [
        concept.id
        for concept in concepts().values()
        if len(concept.text["en"]) < 230 or len(concept.text["zh"]) < 80
    ]
    assert short == []


@pytest.mark.parametrize("concept", concepts().values(), ids=concepts())
def test_what_an_idea_points_at_is_there(concept: Concept) -> None:
    assert [name for name in concept.keys if name not in keys() and not find_things(name)] == []
    assert [pair for pair in concept.components if pair[1] not in components(pair[0])] == []
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert [name for name in concept.commands if name not in commands] == []
    assert [name for name in concept.see if name not in concepts()] == []
    assert concept.see
    assert concept.id not in concept.see
    assert CJK.search(concept.title("zh"))


@pytest.mark.parametrize("lang", LANGS)
def test_no_name_means_two_ideas(lang: str) -> None:
    names = [
        squash(name)
        for concept in concepts().values()
        for name in {squash(name) for name in concept.names[lang]}  # type: ignore[index]
    ]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_ideas_that_dltrain_has_nothing_for_are_these() -> None:
    """Whoever adds a key for one of them adds it to the idea too."""
    assert [concept.id for concept in concepts().values() if not concept.supported] == [
        "grid-search",
        "random-search",
        "bayesian-optimization",
        "cross-validation",
        "transfer-learning",
        "interpretability",
        "fairness",
        "privacy",
    ]


@pytest.mark.parametrize(
    "concept", [each for each in concepts().values() if each.example], ids=lambda each: each.id
)
def test_an_ideas_example_is_a_right_config(concept: Concept, tmp_path: Path) -> None:
    check_config(concept.example, tmp_path)


def make_own_data(folder: Path) -> None:
    """Write what the examples of the keys for data of one's own name."""
    houses = "id,rooms,zip,weight,split,price\n"
    houses += "1,3,89073,1,train,200.5\n2,4,89077,2,validation,310.0\n3,4,89077,2,test,310.5\n" * 50
    for name in ("houses.csv", "train.csv", "validation.csv", "test.csv"):
        (folder / name).write_text(houses)
    (folder / "scans.csv").write_text("patient,size,ill\n" + "a,1.5,yes\nb,2.5,no\n" * 50)
    (folder / "reviews.jsonl").write_text(
        '{"review": "good", "stars": 4.5}\n{"review": "bad", "stars": 1.5}\n' * 50
    )
    np.savez(folder / "reviews.npz", x=np.arange(400).reshape(100, 4) % 20, y=np.arange(100) % 2)
    (folder / "wine.csv").write_text("acid,quality\n" + "0.5,6\n0.7,5\n" * 50)
    for name, file, classes in (
        ("reviews", "1.txt", 2),
        ("photos", "1.png", 10),
        ("scans", "1.png", 10),
    ):
        for number in range(100):
            path = folder / name / f"class {number % classes}" / f"{number}{file}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("never opened")


def save_images(folder: Path) -> None:
    """Let Hugging Face's package save a dataset of images that are never opened."""
    import datasets

    columns = {"image": datasets.Image(), "label": datasets.Value("string")}
    values = {
        "image": [{"bytes": b"never opened", "path": None}] * 100,
        "label": [str(number % 10) for number in range(100)],
    }
    saved = datasets.Dataset.from_dict(values, features=datasets.Features(columns))
    saved.save_to_disk(folder / "saved")


@pytest.mark.parametrize("name", keys())
def test_a_keys_example_sets_the_key_and_is_a_right_config(name: str, tmp_path: Path) -> None:
    value: Any = read_value(keys()[name].example, source="example")
    if "[]" in name:
        section, _, last = name.partition("[].")
        for part in section.split("."):
            value = value[part]
        items = value.values() if isinstance(value, dict) else value
        assert any(isinstance(item, dict) and last in item for item in items)
    else:
        for part in name.split("."):
            assert part in value
            value = value[part]
    if name == "extends":
        (tmp_path / "base.yaml").write_text(DIGITS)
        (tmp_path / "config.yaml").write_text(keys()[name].example)
        load_config(tmp_path / "config.yaml")
        return
    if name.startswith("dataset."):
        make_own_data(tmp_path)
    if name == "dataset.image":
        save_images(tmp_path)
    check_config(keys()[name].example, tmp_path)


def named(value: Any, kind: Kind, name: str) -> bool:
    """Say whether a piece of a config names the component, at any depth."""
    if isinstance(value, dict):
        return any(named(item, kind, name) for item in value.values())
    if isinstance(value, list):
        return any(named(item, kind, name) for item in value)
    return isinstance(value, str) and find(kind, value) is components(kind)[name]


@pytest.mark.parametrize("component", ALL, ids=IDS)
def test_a_components_example_names_it_and_is_right(component: Component) -> None:
    note = notes(component.kind)[component.name]
    if note.refused:
        assert note.example == ""
        return
    piece = read_value(place_example(component, note.example), source="example")
    assert named(piece, component.kind, component.name)
    problems = Problems(Document(data={}, source="example"))
    kind: Kind = component.kind
    if "model" in piece:
        (item,), kind = piece["model"]["layers"], "layers"
    elif "dataset" in piece:
        (item,) = piece["dataset"]["augment"]
    elif "training" in piece:
        (item,) = piece["training"]["callbacks"]
    elif "optimizer" in piece:
        item, kind = piece["optimizer"], "optimizers"
    elif "metrics" in piece:
        (item,) = piece["metrics"]
    else:
        item = piece["loss"]
    spec = check_spec(kind, item, (), problems, ignore=("inputs",))
    assert problems.found() == ()
    assert spec is not None
    if "dataset" in piece:
        check_augmentation(spec, (), problems)
    elif kind == "layers":
        arguments = {name: value for name, value in spec.items() if name != "type"}
        check_model_layers([Layer("a", spec["type"], arguments, ("input",), ())], problems)
    assert problems.found() == ()


def test_what_the_glossary_calls_refused_is_what_the_config_refuses() -> None:
    refused = {name for name, note in notes("layers").items() if note.refused}
    assert refused == set(_NEVER)
    assert [name for name, note in notes("losses").items() if note.refused] == ["ctc"]
    assert [name for name, note in notes("activations").items() if note.refused] == ["glu"]
    problems = Problems(Document(data={}, source="example"))
    gated = Layer("a", "dense", {"units": 4, "activation": {"type": "glu"}}, ("input",), ())
    check_model_layers([gated], problems)
    assert len(problems) == 1
    with pytest.raises(TargetsError):
        resolve_targets(
            task="classification", classes=10, loss={"type": "ctc"}, units=10, activation=None
        )


def test_every_argument_has_its_sentence_and_none_is_left_over() -> None:
    taken = {name for component in ALL for name in component.arguments}
    assert sorted(notes("arguments")) == sorted(taken)


def test_what_null_stands_for_is_what_the_config_makes_of_it() -> None:
    def note(name: str) -> str:
        said = keys()[name].default_note
        assert said is not None
        return said["en"]

    for name, default in _TEXT_OPTIONS.items():
        assert note(f"dataset.{name}") == f"{default} for texts"
    for name, option in DATASETS["synthetic_regression"].options.items():
        if name != "seed":
            assert note(f"dataset.{name}") == f"{option.default} for synthetic_regression"
    classes, numbers = _DEFAULT_LOSS["classification"], _DEFAULT_LOSS["regression"]
    assert note("loss") == f"{classes} for classes, {numbers} for numbers"
    (classes,), (numbers,) = _DEFAULT_METRICS["classification"], _DEFAULT_METRICS["regression"]
    assert note("metrics") == f"[{classes}] for classes, [{numbers}] for numbers"


def test_keys_of_layers_are_those_that_the_config_reads() -> None:
    written = {name.rpartition(".")[2] for name in keys() if name.startswith("model.layers[]")}
    assert written == {*BLOCK_KEYS, "type"}
    assert f"<= {MAX_LAYERS}" in keys()["model.layers[].repeat"].expected
