"""How do random models look? Layers drawn to fit the shape they get, or drawn to be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hypothesis import assume
from hypothesis import strategies as st
from layer_arguments import (
    ARGUMENTS,
    MERGES,
    ON_IDS,
    PAIRS,
    Draw,
    Spec,
    axis_of,
    fits,
    flag,
    of,
    small,
)

from dltrain.shapes.effect import ImpossibleShapeError, NoRuleError, Shape
from dltrain.shapes.flow import Flow, apply_layer

IMAGES = "{name: digits}"  # (8, 8, 1)
TEXTS = "{name: imdb, max_words: 12, max_length: 6}"  # (6,) ids
FEATURES = "{name: synthetic_regression, rows: 100, features: 24}"  # (24,)

# Shapes of the 64 numbers of an image, for layers of every number of axes.
FOLDS = [
    *([64], [16, 4], [8, 8], [32, 2], [8, 8, 1], [4, 4, 4], [16, 2, 2], [4, 8, 2]),
    *([4, 4, 2, 2], [2, 4, 4, 2], [2, 2, 4, 2, 2], [4, 2, 2, 2, 2]),
]
MAX_SIZE, MAX_PARAMETERS = 4_000, 200_000


@dataclass
class Model:
    """A config's layers as they grow: specs, and the shape that each is reckoned to give."""

    dataset: str
    specs: list[Spec] = field(default_factory=list)
    flows: dict[str, Flow] = field(default_factory=dict)

    @property
    def last(self) -> str:
        return list(self.flows)[-1]

    @property
    def shape(self) -> Shape:
        return self.flows[self.last].shape

    def add(self, spec: Spec, inputs: list[str], output: Flow) -> None:
        name = f"l{len(self.specs)}"
        self.specs.append({**spec, "name": name, "inputs": inputs})
        self.flows[name] = output


def start(draw: Draw, kind: str) -> Model:
    """Draw a dataset, and what makes a shape of it that `kind` can take."""
    if kind in ON_IDS:
        return Model(TEXTS, flows={"input": Flow((6,), integers=True)})
    folds = [fold for fold in FOLDS if kind not in ARGUMENTS or fits(kind, tuple(fold))]
    if [64] in folds and small(draw) == 1:
        return Model(FEATURES, flows={"input": Flow((24,))})
    model = Model(IMAGES, flows={"input": Flow((8, 8, 1))})
    fold = of(draw, *folds)
    model.add({"type": "reshape", "target_shape": fold}, ["input"], Flow(tuple(fold)))
    return model


def _try(model: Model, spec: Spec, inputs: list[str]) -> bool:
    """Add a layer if its rule says that it can be, and it stays small."""
    arguments = {name: value for name, value in spec.items() if name != "type"}
    try:
        effect, output = apply_layer(spec["type"], arguments, tuple(model.flows[i] for i in inputs))
    except (ImpossibleShapeError, NoRuleError):
        return False
    size, parameters = math.prod(effect.output), effect.trainable + effect.fixed
    if size > MAX_SIZE or parameters > MAX_PARAMETERS:
        return False
    model.add(spec, inputs, output)
    return True


def merge(draw: Draw, model: Model, kind: str) -> tuple[Spec, list[str]]:
    """Draw the arguments of a layer of several inputs, and which inputs."""
    names = [name for name in model.flows if name != "input"] or ["input"]
    inputs = [model.last, *[of(draw, model.last, *names) for _ in range(small(draw, 1, 2))]]
    if kind in ("subtract", "dot"):
        inputs = inputs[:2]
    if kind in PAIRS:
        return {"type": kind, **ARGUMENTS[kind](draw, model.flows[inputs[0]].shape)}, inputs
    shape = model.shape
    more = {"axis": axis_of(draw, shape)} if kind == "concatenate" else {}
    if kind == "dot":
        more = {"axes": of(draw, -1, axis_of(draw, shape))}
    return {"type": kind, **more}, inputs


def grow(draw: Draw, model: Model, kind: str) -> bool:
    """Add a layer of `kind` to the model's end, with the arguments that are drawn, if it can be."""
    if kind in MERGES or (kind in PAIRS and flag(draw)):
        return _try(model, *merge(draw, model, kind))
    shape = model.shape
    return _try(model, {"type": kind, **ARGUMENTS[kind](draw, shape)}, [model.last])


def grow_by_some(draw: Draw, model: Model, least: int, most: int) -> None:
    """Add layers that fit, whichever are drawn."""
    for _ in range(small(draw, least, most)):
        shape = model.shape
        kinds = [name for name in ARGUMENTS if fits(name, shape) and name not in ON_IDS]
        grow(draw, model, of(draw, *kinds, *MERGES))


@st.composite
def valid_models(draw: Draw, kind: str) -> Model:
    """Draw a model that can be built: `kind`, then a few layers that fit, with branches."""
    model = start(draw, kind)
    assume(grow(draw, model, kind))
    grow_by_some(draw, model, 0, 4)
    _end(model)
    return model


@st.composite
def doubtful_models(draw: Draw) -> Model:
    """Draw a model of which one layer was drawn without looking at its input."""
    model = start(draw, of(draw, "dense", "embedding", "conv2d", "lstm", "conv3d"))
    if model.dataset == TEXTS:
        grow(draw, model, of(draw, *ON_IDS))
    grow_by_some(draw, model, 0, 2)
    if small(draw) == 1:
        spec, inputs = merge(draw, model, of(draw, *MERGES, *PAIRS))
        if small(draw) == 1:
            inputs = inputs[:1] if flag(draw) else [*inputs, *inputs]
    else:
        kind = of(draw, *[name for name in ARGUMENTS if name not in ON_IDS])
        wrong = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=5)))
        shape = of(draw, wrong, model.shape)
        spec, inputs = {"type": kind, **ARGUMENTS[kind](draw, shape)}, [model.last]
        spec |= _grown(draw, spec)
    model.add(spec, inputs, Flow((1,)))
    _end(model)
    return model


def _grown(draw: Draw, spec: Spec) -> Spec:
    """Return one argument of `spec` larger than it would be drawn, or none."""
    sizes = ("kernel_size", "pool_size", "cropping", "axis", "groups")
    names = [name for name in sizes if isinstance(spec.get(name), int)]
    if not names or flag(draw):
        return {}
    name = of(draw, *names)
    grown = spec[name] + small(draw, 1, 6)
    return {name: grown} if grown > 0 else {}


def _end(model: Model) -> None:
    """End the model as a classifier or a regression does."""
    model.specs.append({"type": "flatten", "name": "flat", "inputs": [model.last]})
    units = {IMAGES: 10, TEXTS: 1, FEATURES: 1}[model.dataset]
    model.specs.append({"type": "dense", "units": units, "name": "out", "inputs": ["flat"]})
