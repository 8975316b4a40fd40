"""Which layers of a model are not trained in the first phase? Marked in the table of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dltrain.config.from_run import choose_taken
from dltrain.config.load import LoadedConfig
from dltrain.config.phases import list_phases
from dltrain.config.schema import ModelConfig
from dltrain.config.trainable import Trainable, find_frozen
from dltrain.shapes.table import LayerShape, ShapeTable


def mark_frozen(loaded: LoadedConfig, table: ShapeTable, taken: Sequence[str] | None) -> ShapeTable:
    """Return the table with the parameters of frozen layers moved to those that aren't trained.

    `taken` are the layers that come from `model.from_run`; None where that run can't be looked at:
    then it is taken to have every layer.
    """
    config = loaded.config
    asked = config.model.from_run
    pretrained: Sequence[str] = ()
    if asked is not None:
        with_weights = {row.name for row in table.layers if row.parameters != 0}
        names = choose_taken(asked, loaded.layers, None) if taken is None else taken
        pretrained = [name for name in names if name in with_weights]
    trainable = list_phases(config)[0].trainable
    if trainable is None and asked is not None:
        trainable = asked.trainable
    if config.model.pretrained is not None:
        table = replace(table, before=_freeze_front(table.before, trainable, config.model))
    names = [layer.name for layer in loaded.layers]
    frozen = find_frozen(trainable, layers=names, pretrained=pretrained)
    return replace(table, layers=tuple(_freeze(row, row.name in frozen) for row in table.layers))


def _freeze_front(
    before: tuple[LayerShape, ...], trainable: Trainable | None, model: ModelConfig
) -> tuple[LayerShape, ...]:
    """Return the rows before the layers, the pretrained model's as far as it is trained.

    How many parameters its last layers have, only Keras knows: its row then says nothing of it.
    """
    assert model.pretrained is not None
    (row,) = before
    asked = model.pretrained.trainable if trainable is None else trainable
    if isinstance(asked, dict):
        return before
    if asked != "all" and row.parameters is None:
        return (replace(row, frozen=True),)
    return (_freeze(row, asked != "all"),)


def _freeze(row: LayerShape, frozen: bool) -> LayerShape:
    if not frozen or row.parameters is None:
        return row
    return replace(row, trainable=0, fixed=row.parameters, frozen=row.parameters > 0)
