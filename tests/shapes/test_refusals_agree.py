"""Is a shape called impossible where Keras fails, and only there?"""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from random_models import Model, doubtful_models
from shape_tables import build, find_differences, load

from dltrain.errors import ConfigError
from dltrain.shapes.infer import infer_shapes

pytestmark = pytest.mark.usefixtures("engine")


def test_what_is_refused_keras_refuses_and_what_keras_refuses_is_never_called_known() -> None:
    import keras

    from dltrain.model.network import LayerError

    counts = {"refused by both": 0, "unknown, refused by Keras": 0, "built": 0, "bad config": 0}

    @settings(
        max_examples=300,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(doubtful_models())
    def check(model: Model) -> None:
        if sum(counts.values()) % 100 == 99:
            keras.backend.clear_session()
        try:
            loaded = load(model.specs, dataset=model.dataset)
        except ConfigError:
            counts["bad config"] += 1
            return
        table = infer_shapes(loaded)
        keras_model, failed_at, reason = None, None, ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of masks that a layer drops
                keras_model = build(loaded, table)
        except LayerError as error:
            failed_at, reason = error.path, error.message
        unknown = [row.path for row in table.layers if row.output is None]
        if table.problems:
            assert failed_at == unknown[0], (reason, table.problems, model.specs)
            counts["refused by both"] += 1
        elif failed_at is not None:
            assert unknown, (reason, model.specs)
            counts["unknown, refused by Keras"] += 1
        else:
            assert find_differences(table, keras_model) == [], model.specs
            counts["built"] += 1

    check()
    assert counts["refused by both"] > 30, counts
    assert counts["built"] > 30, counts
