"""Is the committed table of keras.applications what the installed Keras says?"""

from __future__ import annotations

import importlib.util
import inspect
import json
from pathlib import Path
from types import ModuleType

import pytest

from dltrain.catalog.applications import APPLICATIONS_PATH, PREPROCESSING, applications

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_catalog.py"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_catalog", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_function_of_keras_applications_has_its_name(generator: ModuleType) -> None:
    import keras

    functions = {
        generator.application_name(name): name
        for name in dir(keras.applications)
        if inspect.isfunction(getattr(keras.applications, name))
    }
    assert {name: each.function for name, each in applications().items()} == functions
    assert len(functions) >= 38
    assert {each.preprocessing for each in applications().values()} == set(PREPROCESSING)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "vgg16", "xception"])
def test_an_entry_is_what_keras_builds(generator: ModuleType, name: str) -> None:
    import keras

    function = getattr(keras.applications, applications()[name].function)
    committed = json.loads(APPLICATIONS_PATH.read_text())["applications"][name]
    assert generator.describe_application(function) == committed


@pytest.mark.slow
def test_the_whole_table_is_current(generator: ModuleType) -> None:
    made = generator.render_applications(generator.make_applications())
    assert made == APPLICATIONS_PATH.read_text(), "run scripts/generate_catalog.py"
