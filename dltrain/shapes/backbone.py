"""What does a pretrained model give, and how large is it? By the catalog, or the preset's files."""

from __future__ import annotations

from collections.abc import Sequence

from dltrain.catalog.applications import applications
from dltrain.config.layers import Layer, free_name
from dltrain.config.schema import PretrainedConfig
from dltrain.shapes.effect import Shape
from dltrain.shapes.row import Row
from dltrain.shapes.table import LayerShape


def find_features(asked: PretrainedConfig) -> Shape | None:
    """Return the shape of what it gives; None without pooling: then only Keras knows.

    Of a preset of KerasHub it is known of those whose config.json tells.
    """
    if asked.type == "keras_hub":
        from dltrain.config.keras_hub import read_facts  # most configs name no preset

        features = read_facts(asked.preset or "").features
        return None if asked.pooling == "none" or features is None else (features,)
    return None if asked.pooling == "none" else (applications()[asked.type].features,)


def describe_backbone(asked: PretrainedConfig, layers: Sequence[Layer], row: Row) -> LayerShape:
    """Return its row in the table, that of one layer; its multiply-adds are unknown."""
    if asked.type == "keras_hub":
        return _describe_preset(asked, layers, row)
    application = applications()[asked.type]
    return LayerShape(
        name=free_name(asked.type, layers),
        type=asked.type,
        path=("model", "pretrained"),
        inputs=(row.shape,),
        output=find_features(asked),
        trainable=application.trainable_parameters,
        fixed=application.parameters - application.trainable_parameters,
        multiply_adds=None,
    )


def _describe_preset(asked: PretrainedConfig, layers: Sequence[Layer], row: Row) -> LayerShape:
    from dltrain.config.keras_hub import read_facts

    trainable = read_facts(asked.preset or "").trainable
    return LayerShape(
        name=free_name(asked.type, layers),
        type=asked.type,
        path=("model", "pretrained"),
        inputs=(row.shape,),
        output=find_features(asked),
        trainable=trainable,
        fixed=None if trainable is None else 0,
        multiply_adds=None,
    )
