"""Is the committed table of keras.applications what the installed Keras says?"""

from __future__ import annotations

import importlib
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


@pytest.mark.parametrize("name", applications())
def test_the_preprocessing_is_that_of_keras(generator: ModuleType, name: str) -> None:
    import keras

    entry = applications()[name]
    source = getattr(keras.applications, entry.function).__module__
    module = importlib.import_module(source.replace("keras.src.", "keras.", 1))
    assert generator.preprocessing_of(module) == entry.preprocessing


@pytest.mark.parametrize("name", applications())
def test_keras_refuses_images_below_the_least_size(name: str) -> None:
    """That it takes those of the least size shows when the table is made."""
    import keras

    entry = applications()[name]
    function = getattr(keras.applications, entry.function)
    shape = (entry.min_size - 1, entry.min_size, 3)
    least = f"at least {entry.min_size}x{entry.min_size}"
    with pytest.raises(ValueError, match=f"(?i){least}"):
        function(weights=None, include_top=False, input_shape=shape)


def test_imagenets_file_is_named_for_each_model() -> None:
    files = [each.weights for each in applications().values()]
    assert len({each.file for each in files}) == len({each.url for each in files}) == len(files)
    assert all(each.url.startswith("https://") and "no" in each.file for each in files)
    bare = {name for name, each in applications().items() if each.weights.digest is None}
    assert bare == {"mobilenet", "mobilenet_v2"}, "Keras knows no checksum of these"


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
