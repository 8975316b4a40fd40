"""Does the table say what Keras builds, shape for shape and parameter for parameter?"""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from layer_arguments import ARGUMENTS, MERGES
from random_models import Model, valid_models
from shape_tables import CONFIGS, build, find_differences, infer, load

from dltrain.config.load import load_config
from dltrain.shapes.infer import infer_shapes
from dltrain.shapes.rules import RULES, WRAPPERS

KINDS = sorted([*ARGUMENTS, *MERGES])
MODELS_EACH = 4

pytestmark = pytest.mark.usefixtures("engine")


def test_every_layer_that_has_a_rule_is_drawn() -> None:
    assert set(KINDS) == RULES.keys() | WRAPPERS.keys()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_table_of_a_shipped_config_is_what_keras_builds(path: Path) -> None:
    loaded = load_config(path)
    table = infer_shapes(loaded)
    assert table.problems == ()
    assert table.is_complete
    assert find_differences(table, build(loaded, table)) == []


@pytest.fixture
def _fresh_now_and_then(kind: str) -> None:
    """Let Keras forget old models: it collects garbage for a second, so not for each kind."""
    if KINDS.index(kind) % 25 == 0:
        import keras

        keras.backend.clear_session()


@pytest.mark.usefixtures("_fresh_now_and_then")
@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_a_random_model_is_what_keras_builds(kind: str) -> None:
    seen: set[str] = set()

    @settings(
        max_examples=MODELS_EACH,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a model that differs is small, and shrinking it takes minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(valid_models(kind))
    def check(model: Model) -> None:
        loaded = load(model.specs, dataset=model.dataset)
        table = infer_shapes(loaded)
        assert table.problems == ()
        assert table.is_complete
        seen.update(row.type for row in table.rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of masks that a layer drops
            differences = find_differences(table, build(loaded, table))
        assert differences == [], model.specs

    check()
    assert kind in seen


def test_a_wrong_rule_would_be_seen() -> None:
    """Hold the comparison itself to account: a table of other layers must differ."""
    loaded = load("[flatten, {type: dense, units: 10}]")
    other = infer("[flatten, {type: dense, units: 10, use_bias: false}]")
    model = build(loaded, infer_shapes(loaded))
    assert find_differences(other, model) == [
        "dense (dense): Keras ((10,), 650, 650), we ((10,), 640, 640)",
        "in all: Keras (650, 650), we (640, 640)",
    ]


@pytest.mark.parametrize("dtype", ["", ", dtype: float32"])
def test_the_float32_output_of_mixed_precision_is_in_the_table(dtype: str) -> None:
    import keras

    loaded = load(
        f"[flatten, {{type: dense, units: 10{dtype}}}]",
        rest="training: {precision: mixed_bfloat16}",
    )
    table = infer_shapes(loaded)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert find_differences(table, build(loaded, table)) == []
    finally:
        keras.config.set_dtype_policy("float32")
    assert table.value_bytes == 2
    assert [row.name for row in table.after] == ([] if dtype else ["float32_output"])
