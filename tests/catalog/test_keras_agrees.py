"""Is the committed table what the installed Keras says, and can all of it be made?

The only tests of the catalog that import Keras.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from test_combinations import CLASHES

from dltrain.catalog.arguments import (
    _find_rule,
    activation_layer,
    check_value,
    keras_value,
    nested_kind,
)
from dltrain.catalog.components import (
    KINDS,
    TABLE_PATH,
    Component,
    Kind,
    components,
    find,
    import_object,
    table_keras_version,
)

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_catalog.py"

# These need packages that dltrain doesn't install.
NEEDS_MORE = {"orbax_checkpoint", "tensorboard"}


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_catalog", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def installed(generator: ModuleType) -> dict[str, Any]:
    table: dict[str, Any] = generator.make_table()
    return table


def test_the_committed_table_is_what_the_installed_keras_says(
    generator: ModuleType, installed: dict[str, Any]
) -> None:
    committed = json.loads(TABLE_PATH.read_text(encoding="utf-8"))
    lines = generator.differences(committed, installed)
    assert not lines, (
        f"The table was made from Keras {table_keras_version()}, {installed['keras']} is "
        "installed. Run: python scripts/generate_catalog.py\n" + "\n".join(lines)
    )


def test_the_table_is_written_the_same_way_every_time(
    generator: ModuleType, installed: dict[str, Any]
) -> None:
    text = generator.render(installed)
    assert json.loads(text) == installed
    assert generator.render(json.loads(text)) == text


def test_check_lists_what_differs(generator: ModuleType, installed: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(installed))
    changed["keras"] = "3.0"
    del changed["kinds"]["layers"]["dense"]
    changed["kinds"]["optimizers"]["adam"]["arguments"]["beta_1"] = {"default": 0.5}
    assert generator.differences(changed, installed) == [
        f"keras: 3.0 -> {installed['keras']}",
        "layers.dense: added",
        "optimizers.adam: differs in beta_1",
    ]


def _make(generator: ModuleType, component: Component, **more: Any) -> Any:
    required = [name for name in component.required_arguments if name not in more]
    arguments = generator.sample_arguments(component.class_name, required)
    prepared = {name: keras_value(component, name, value) for name, value in more.items()}
    return import_object(component)(**{**prepared, **arguments})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "activations"])
def test_every_component_can_be_made_with_every_default_spelled_out(
    generator: ModuleType, kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for component in components(kind).values():
        if component.name in NEEDS_MORE or not component.module.startswith("keras."):
            continue
        defaults = {a.name: a.default for a in component.arguments.values() if not a.required}
        assert _make(generator, component, **defaults) is not None, component.name


def test_every_activation_computes() -> None:
    import numpy as np

    for component in components("activations").values():
        result = import_object(component)(np.linspace(-2, 2, 8, dtype="float32").reshape(2, 4))
        assert np.isfinite(np.asarray(result)).all(), component.name


def test_activation_layers_compute_what_the_activations_do() -> None:
    import numpy as np

    values = np.linspace(-2, 2, 8, dtype="float32").reshape(2, 4)
    samples = {"negative_slope": 0.1, "alpha": 0.5, "threshold": 0.5, "max_value": 1.0, "axis": 0}
    for component in components("activations").values():
        layer = find("layers", activation_layer(component.name) or "")
        if layer is None:
            continue
        chosen = {name: samples[name] for name in component.arguments}
        expected = np.asarray(import_object(component)(values, **chosen))
        assert np.allclose(np.asarray(import_object(layer)(**chosen)(values)), expected), layer.name


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "activations"])
def test_keras_takes_every_choice_that_is_offered(
    generator: ModuleType, kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = []
    for component in components(kind).values():
        if component.name in NEEDS_MORE or not component.module.startswith("keras."):
            continue
        for name in component.arguments:
            rule = None if nested_kind(component, name) else _find_rule(component, name)
            phrase = rule.expected.removesuffix(", or null") if rule else ""
            if not phrase.startswith("one of ") or ", or " in phrase or name.endswith("dtype"):
                continue
            phrase = phrase.removeprefix("one of ")
            for value in phrase.split(", "):
                try:
                    _make(generator, component, **{name: value})
                except ValueError as error:
                    refused.append(f"{component.name}.{name}={value}: {error}")
    assert refused == []


@pytest.mark.parametrize(
    ("kind", "name", "argument", "value"),
    [
        ("layers", "dense", "units", 0),
        ("layers", "conv2d", "filters", 0),
        ("layers", "conv2d", "kernel_size", [3, 3, 3]),
        ("layers", "conv2d", "padding", "causal"),
        ("layers", "dropout", "rate", 1.5),
        ("layers", "gaussian_noise", "stddev", 1.5),
        ("layers", "bidirectional", "merge_mode", "max"),
        ("optimizers", "sgd", "momentum", 1.5),
        ("optimizers", "adam", "gradient_accumulation_steps", 1),
        ("losses", "huber", "reduction", "average"),
        ("metrics", "auc", "curve", "XYZ"),
        ("metrics", "f1_score", "average", "binary"),
        ("callbacks", "reduce_lr_on_plateau", "factor", 1.0),
        ("schedules", "piecewise_constant_decay", "boundaries", [1, 2, 3]),
    ],
)
def test_what_keras_refuses_the_rules_refuse_too(
    generator: ModuleType, kind: Kind, name: str, argument: str, value: Any
) -> None:
    component = components(kind)[name]
    with pytest.raises(ValueError):
        _make(generator, component, **{argument: value})
    if argument != "boundaries":  # Their number depends on `values`: no rule about one argument.
        assert check_value(component, argument, value) is not None


@pytest.mark.parametrize(
    ("kind", "name", "arguments"), [(kind, name, given) for kind, name, given, *_ in CLASHES]
)
def test_what_clashes_is_refused_by_keras_too(
    generator: ModuleType, kind: Kind, name: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):
        import_object(components(kind)[name])(**arguments)


@pytest.mark.parametrize("value", [-1.5, -0.5, 0.5, 1.5, 2, 9, [0.1, 0.2], [1, 2, 3]])
def test_factors_of_image_layers_are_bounded_as_keras_bounds_them(
    generator: ModuleType, value: Any
) -> None:
    differ = []
    for component in components("layers").values():
        if "factor" not in component.arguments:
            continue
        try:
            _make(generator, component, factor=value)
            taken = True
        except (ValueError, TypeError):
            taken = False
        if taken != (check_value(component, "factor", value) is None):
            differ.append(component.name)
    assert not differ, ", ".join(differ)


def test_our_own_schedule_takes_the_arguments_that_the_catalog_lists() -> None:
    one_cycle = components("schedules")["one_cycle"]
    parameters = inspect.signature(import_object(one_cycle)).parameters
    for argument in one_cycle.arguments.values():
        default = parameters[argument.name].default
        assert argument.required == (default is inspect.Parameter.empty), argument.name
        assert argument.required or argument.default == default, argument.name


def test_the_samples_that_keras_takes_pass_the_rules(generator: ModuleType) -> None:
    refused = []
    for kind in KINDS:
        for component in components(kind).values():
            samples = generator.sample_arguments(
                component.class_name, list(component.required_arguments)
            )
            for name, value in samples.items():
                if nested_kind(component, name) is None and check_value(component, name, value):
                    refused.append(f"{component.name}.{name}={value!r}")
    assert refused == []
