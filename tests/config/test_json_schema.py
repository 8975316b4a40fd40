"""Does the JSON Schema of configs accept what `check` accepts, and refuse single mistakes alike?"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dltrain.catalog.arguments import argument_rule, nested_kind, takes_null
from dltrain.catalog.components import KINDS, Component, components
from dltrain.config.components import check_spec
from dltrain.config.document import Document, Problems
from dltrain.config.extending import read_with_bases
from dltrain.config.json_schema import DIALECT, format_json_schema, make_json_schema
from dltrain.config.load import check_document
from dltrain.config.reading import read_text
from dltrain.errors import ConfigError, Problem

ROOT = Path(__file__).parents[2]
SCHEMA = make_json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
COPY = ROOT / "docs" / "config.schema.json"
CONFIGS = [*sorted(ROOT.glob("configs/*.yaml")), *sorted(ROOT.glob("benchmarks/*.yaml"))]

# JSON Schema counts 2.0 as a whole number and has no words for .nan and .inf: none of these here.
VALUES: list[Any] = [
    *(None, True, False, -1, 0, 1, 2, 5, 100, 300, 0.5, -0.5, 3.7, "", " ", "abc", "a/b"),
    *("same", "relu", "none", "adam", "mse", "l2", "digits", "imdb", "1e-3"),
    *([], [1], [1, 2], [1, 2, 3], [[1, 2], [3, 4]], ["a"], [0.5, 0.6], {}),
    *({"type": "x"}, {"type": "l2"}, {"type": "adam"}, {"epochs": 1}, {"epochs": 0}),
]
# What `check` says of values that are fine by themselves and don't fit to others.
TOGETHER = re.compile(
    r"received none|the first smaller|at most high - low|"
    r"there is no parameter|no layer above|the block '.*' has no parameter|model.blocks has no|"
    r"no epoch produces|the texts have|the data has|the target is|expected one value more|"
    r"is used twice|comes later|is for (texts|images)|holds (texts|none)|has no option|"
    r"takes one input|contains itself|can't both|only one of|must divide|published test split|"
    r"is larger than the|can't be lowered|would start after|of them, not both|compares classes|"
    r"(category_encoding|discretization) needs|expects|unit is for images|softmax over|"
    r"needs one unit|cross_entropy over|"
    r"the model has no layer|about pretrained layers|phases begins after|a phase needs|"
    r"stands (under layers, too|here twice)|has no class"
)


def problems_of(data: dict[str, Any]) -> tuple[Problem, ...]:
    """Return what `dltrain check` says of a config whose file is called x.yaml."""
    data = copy.deepcopy(data)
    if data.get("name") is None:
        data["name"] = "x"
    try:
        check_document(Document(data=data, source="x.yaml"))
    except ConfigError as error:
        return error.problems
    return ()


def refusals(data: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:100]}" for error in VALIDATOR.iter_errors(data)]


def test_the_schema_is_one_of_2020_12_and_of_moderate_size() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT
    assert len(format_json_schema(SCHEMA)) < 500_000


def test_the_committed_copy_is_current() -> None:
    made = format_json_schema(SCHEMA)
    message = "make it anew: dltrain schema --output docs/config.schema.json"
    assert COPY.read_text(encoding="utf-8") == made, message
    assert json.loads(made) == SCHEMA


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_config_names_the_schema_and_validates(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert found is not None
    assert (path.parent / found[1]).resolve() == COPY
    assert refusals(read_text(text, source=str(path)).data) == []


def arguments_to_try() -> Iterator[tuple[Component, str, str]]:
    for kind in KINDS:
        for component in components(kind).values():
            for variant in ("", ".model", ".augment"):
                name = f"{kind}.{component.name}{variant}"
                for argument in SCHEMA["$defs"].get(name, {"properties": {}})["properties"]:
                    # Which layers another may hold depends on where it stands, and is told apart.
                    if argument in component.arguments and (
                        nested_kind(component, argument) != "layers"
                    ):
                        yield component, name, argument


def test_every_argument_of_keras_takes_what_check_takes() -> None:
    validators: dict[str, Any] = {}
    tried: set[tuple[str, str, bool]] = set()
    for component, name, argument in arguments_to_try():
        schema = SCHEMA["$defs"][name]["properties"][argument]
        if schema is True:  # a layer's own name, inputs and repeat are said where it stands
            continue
        key = json.dumps(schema)
        if key not in validators:
            validators[key] = jsonschema.Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]})
        rule = argument_rule(component, argument)
        case = (key, rule.expected if rule else "", takes_null(component, argument))
        if case in tried:
            continue
        tried.add(case)
        for value in VALUES:
            problems = Problems(Document(data={}, source="x"))
            spec = {"type": component.name, argument: value}
            check_spec(component.kind, spec, (), problems)
            # Of the others, that some are missing or don't fit together, nothing is asked here.
            mine = [each for each in problems.found() if each.key.startswith(argument)]
            mine = [each for each in mine if not TOGETHER.search(each.message)]
            assert validators[key].is_valid(value) == (not mine), (name, argument, value, mine)
    assert len(tried) > 200


def paths_in(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from paths_in(value, (*path, key))


def mutate(data: dict[str, Any], chance: random.Random) -> tuple[dict[str, Any], str]:
    """Change, misspell, remove or add one thing; return the config and what was done."""
    data = copy.deepcopy(data)
    path = chance.choice(list(paths_in(data)))
    holder: Any = data
    for part in path[:-1]:
        holder = holder[part]
    last, how = path[-1], chance.choice(["value", "value", "value", "key", "name", "drop", "add"])
    if how == "value":
        holder[last] = copy.deepcopy(chance.choice(VALUES))
    elif how == "key" and isinstance(holder, dict):
        holder[last[:-1] if len(last) > 3 else f"{last}x"] = holder.pop(last)
    elif how == "name" and isinstance(holder[last], str):
        holder[last] = holder[last][:-1]
    elif how == "drop":
        holder.pop(last)
    elif how == "add" and isinstance(holder, dict):
        keys = ["type", "name", "inputs", "units", "repeat", "block", "rate", "epochs", "l2"]
        holder[chance.choice(keys)] = copy.deepcopy(chance.choice(VALUES))
    return data, f"{how} at {path}"


def is_of_one_value(problem: Problem, done: str) -> bool:
    # What a block's parameter holds is wrong only where a layer uses it.
    through_a_block = problem.key.startswith("model.blocks") and (
        "'parameters'" in done or "'model', 'layers'" in done
    )
    return not through_a_block and not TOGETHER.search(problem.message)


@pytest.mark.parametrize("path", sorted(ROOT.glob("configs/*.yaml")), ids=lambda path: path.stem)
def test_mutated_configs_are_judged_as_by_check(path: Path) -> None:
    chance = random.Random(path.stem)
    config = read_with_bases(path).data
    right = wrong = 0
    for _ in range(60):
        mutated, done = mutate(config, chance)
        problems, refused = problems_of(mutated), refusals(mutated)
        if not problems:
            assert refused == [], done
            right += 1
        elif any(is_of_one_value(problem, done) for problem in problems):
            assert refused, (done, problems)
            wrong += 1
    assert right >= 3
    assert wrong >= 25


BASE = "dataset: digits\nmodel: {layers: [flatten, {type: dense, units: 10}]}\n"
IMAGE = (
    "dataset: digits\nmodel:\n  layers:\n    - %s\n    - flatten\n    - {type: dense, units: 10}\n"
)
BLOCK = """
dataset: digits
model:
  blocks:
    part:
      parameters: {type: relu, kind: dense, size: 3, reg: {type: l2, l2: 0.1}, label: x, f: 2}
      layers:
        - $type
        - {type: $kind, units: $f, kernel_regularizer: $reg, name: $label}
        - {type: dense, units: $f, kernel_regularizer: {type: l2, l2: $size}}
  layers:
    - flatten
    - {block: part, type: softmax, f: 4, name: first, repeat: 2, inputs: flat}
    - {type: dense, units: 10}
"""


@pytest.mark.parametrize(
    "text",
    [
        BASE,
        BASE + "name: null\nloss: null\noptimizer: null\nmetrics: null\n",
        BASE + "seed: 0x10\noptimizer: {type: SGD, learning_rate: 1}\n",
        BASE + "optimizer: {type: adam, learning_rate: 1e-3, epsilon: .5}\n",
        BASE + "optimizer: {type: adam, learning_rate: {type: CosineDecay, "
        "initial_learning_rate: 0.1, decay_steps: {epochs: 2.5}}}\n",
        BASE + "metrics: [acc, {type: f1, average: macro}, {type: AUC, name: roc}, BinaryIoU]\n",
        BASE + "loss: {type: cross_entropy, label_smoothing: 0}\n",
        BASE + "training: {batch_size: full, early_stopping: null, jit_compile: false, callbacks: "
        "[{type: csv_logger, filename: log.csv}]}\n",
        "dataset: {name: synthetic_regression, rows: 100}\n"
        "model: {layers: [{type: Dense, units: 1, activation: {type: leaky_relu, "
        "negative_slope: 0.1}}]}\n"
        "loss: MSE\nmetrics: [rmse, r2, MAE]\n",
        IMAGE % "{type: Conv2D, filters: 3, kernel_size: [3, 3], padding: same, name: größe}",
        IMAGE % "{type: Convolution2D, filters: 3, kernel_size: 3, kernel_initializer: HeNormal}",
        IMAGE % "{type: zero_padding2d, padding: [[1, 2], [3, 4]]}",
        IMAGE % "{type: dropout, rate: 0.5, noise_shape: [null, 1, 1, 1]}",
        IMAGE % "{type: time_distributed, layer: {type: dense, units: 3, name: a b}}",
        IMAGE % "{type: bidirectional, layer: {type: lstm, units: 3}}",
        BLOCK.replace("flatten\n", "{type: flatten, name: flat}\n"),
    ],
)
def test_every_way_to_write_a_thing_is_accepted(text: str) -> None:
    data = read_text(text, source="x.yaml").data
    single = [each for each in problems_of(data) if not TOGETHER.search(each.message)]
    assert single == []
    assert refusals(data) == []


@pytest.mark.parametrize(
    "text",
    [
        "extends: base.yaml\n",
        "extends: base.yaml\noptimizer: {learning_rate: 1e-3}\n",
        "extends: base.yaml\noptimizer: {learning_rate: {decay_rate: 0.5}}\n",
        "extends: base.yaml\nloss: {label_smoothing: 0.1}\ndataset: {validation_split: 0.2}\n",
        "extends: base.yaml\nmodel: {blocks: {unit: {parameters: {filters: 3}}}}\n",
    ],
)
def test_a_config_on_top_of_another_may_lack_what_the_other_has(text: str) -> None:
    assert refusals(read_text(text, source="x.yaml").data) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("extends: base.yaml\noptimizer: {type: adam, rho: 0.1}\n", "$.optimizer"),
        ("extends: base.yaml\ntrainig: {epochs: 3}\n", "$"),
        ("extends: 3\n", "$.extends"),
        (BASE + "model2: 1\n", "$"),
        ("dataset: digit\nmodel: {layers: [flatten]}\n", "$.dataset"),
        ("model: {layers: [flatten]}\n", "$"),
        (IMAGE % "dense", "$.model.layers[0]"),
        (IMAGE % "random_flip", "$.model.layers[0]"),
        (IMAGE % "{type: lambda, function: x}", "$.model.layers[0]"),
        (IMAGE % "{type: gru_cell, units: 3}", "$.model.layers[0]"),
        (IMAGE % "{type: normalization}", "$.model.layers[0]"),
        (IMAGE % "{type: dense, units: 3, activation: glu}", "$.model.layers[0]"),
        (IMAGE % "{type: dense, units: 3, name: input}", "$.model.layers[0]"),
        (IMAGE % "{type: dense, units: 3, repeat: 2001}", "$.model.layers[0]"),
        (
            IMAGE % "{type: time_distributed, layer: {type: dense, units: 3, repeat: 2}}",
            "$.model.layers[0]",
        ),
        (IMAGE % "{type: bidirectional, layer: {type: dense, units: 3}}", "$.model.layers[0]"),
        (BASE.replace("digits", "{name: digits, augment: [flatten]}"), "$.dataset"),
        (BASE + "optimizer: {type: sgd, learning_rate: cosine_decay}\n", "$.optimizer"),
        (BASE + "loss: {type: cross_entropy, from_logits: true}\n", "$.loss"),
    ],
)
def test_what_is_wrong_by_itself_is_refused_where_it_stands(text: str, place: str) -> None:
    data = read_text(text, source="x.yaml").data
    errors = list(VALIDATOR.iter_errors(data))
    assert place in {error.json_path for error in errors}
    if "extends" not in data:
        assert problems_of(data)
