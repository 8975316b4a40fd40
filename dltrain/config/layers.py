"""Which layers does `model:` stand for? Blocks and repeats unfolded, names and inputs resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dltrain.catalog.suggest import nearest
from dltrain.config.blocks import BLOCK_KEYS, check_blocks, is_layer_name
from dltrain.config.components import check_spec
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe

INPUT = "input"
"""The name by which a layer's `inputs:` means the model's (inside a block: the block's) input."""

MAX_LAYERS = 2_000
# Blocks inside blocks multiply: a file of a few lines could ask for billions of visits.
_MAX_VISITS = 10 * MAX_LAYERS
_MAX_NESTED_BLOCKS = 30
# A misspelt input is compared with that many names above it: with 2,000 wrong ones among 2,000
# names, comparing all would take seconds.
_NAMES_COMPARED = 100


@dataclass(frozen=True)
class Layer:
    """One layer of the unfolded model.

    `arguments` are Keras's, without `name`; `inputs` are names of earlier layers, or `input`;
    `path` is where the layer stands in the config.
    """

    name: str
    type: str
    arguments: dict[str, Any]
    inputs: tuple[str, ...]
    path: Path


def free_name(name: str, layers: Iterable[Layer]) -> str:
    """Return `name`, or `name_1`, … where a layer of the config bears it: Keras wants each once."""
    taken = {layer.name for layer in layers}
    candidate, count = name, 0
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    return candidate


def unfold_layers(model: dict[str, Any], problems: Problems) -> list[Layer]:
    """Return the layers of a `model:` section, in an order in which each follows its inputs.

    Every mistake goes to `problems`; the result is complete only if there is none.
    """
    blocks = model.get("blocks") or {}
    unfolding = _Unfolding(blocks, problems)
    if isinstance(blocks, dict):
        check_blocks(blocks, problems)
    layers = model.get("layers")
    if isinstance(layers, list):
        path: Path = ("model", "layers")
        unfolding.unfold(layers, path, source=INPUT, prefix="", parameters={}, within=())
    found = list(unfolding.layers)
    unfolding.check_unused()
    return found


def _used_blocks(blocks: Iterable[object]) -> Iterator[str]:
    """Yield the names of blocks that other blocks use."""
    for block in blocks:
        items = block.get("layers") if isinstance(block, dict) else None
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("block"), str):
                yield item["block"]


class _Unfolding:
    """The state of one unfolding: the layers so far, and the names taken."""

    def __init__(self, blocks: object, problems: Problems) -> None:
        # What isn't a mapping is told by the schema; a use of its blocks is then left alone.
        self.blocks: dict[str, Any] | None = blocks if isinstance(blocks, dict) else None
        self.problems = problems
        self.layers: list[Layer] = []
        self._counts: dict[str, int] = {}
        self._taken: set[str] = {INPUT}
        self._used: set[str] = set()
        self._full = False
        self._visits = 0

    def check_unused(self) -> None:
        """Check the layers of blocks that nothing uses, with the parameters' defaults."""
        used = self._used | set(_used_blocks((self.blocks or {}).values()))
        for name, block in (self.blocks or {}).items():
            if name in used or not isinstance(block, dict):
                continue
            layers, values = block.get("layers"), block.get("parameters", {})
            # A default of null stands for a value that every use must give.
            if (
                isinstance(layers, list)
                and isinstance(values, dict)
                and None not in values.values()
            ):
                self.unfold(
                    layers,
                    ("model", "blocks", name, "layers"),
                    source=INPUT,
                    prefix="",
                    parameters=values,
                    within=(name,),
                )

    def unfold(
        self,
        items: list[Any],
        path: Path,
        *,
        source: str,
        prefix: str,
        parameters: dict[str, Any],
        within: tuple[str, ...],
    ) -> str | None:
        """Append the layers of `items`; return the name of the last one, None after a mistake.

        `source` is the name of what `input` means here, `prefix` goes before local names.
        """
        local = {INPUT: source}
        later = {
            item["name"]
            for item in items
            if isinstance(item, dict) and isinstance(item.get("name"), str)
        }
        previous = source
        complete = bool(items)
        for index, raw in enumerate(items):
            here = (*path, index)
            if self._is_full(here):
                return None
            item = {"type": raw} if isinstance(raw, str) else raw
            if not isinstance(item, dict):
                self.problems.add(
                    here, expected="a layer by name or with type:", received=describe(raw)
                )
                complete = False
                continue
            name = self._local_name(item, here, local)
            found = self._inputs(item, here, previous, local, later)
            complete = complete and found is not None
            inputs = found or (previous,)  # so that the layer's other mistakes are told too
            for _ in range(self._repeat(item, here)):
                if "block" in item:
                    last = self._unfold_block(item, here, inputs, prefix, parameters, within)
                else:
                    last = self._append(item, here, inputs, prefix, parameters)
                if last is None:
                    complete = False
                    break
                previous = last
                inputs = (last,)
            if name is not None:
                local[name] = previous
                later.discard(name)
        return previous if complete else None

    def _is_full(self, path: Path) -> bool:
        self._visits += 1
        if not self._full and (len(self.layers) >= MAX_LAYERS or self._visits > _MAX_VISITS):
            self._full = True
            self.problems.add(
                path,
                f"the model has more than {MAX_LAYERS} layers.",
                expected=f"at most {MAX_LAYERS} layers",
                received="more",
            )
        return self._full

    def _local_name(self, item: dict[str, Any], path: Path, local: dict[str, str]) -> str | None:
        """Return the name by which later layers may ask for `item`."""
        name = item.get("name")
        if not isinstance(name, str):
            return None
        if name == INPUT:
            self.problems.add(
                (*path, "name"),
                f"'{INPUT}' means what comes in; expected another name.",
                expected="another name",
                received=f"'{INPUT}'",
            )
            return None
        if name in local:
            self.problems.add(
                (*path, "name"),
                f"the name '{name}' is used twice.",
                hint="Give one of the two layers another name.",
                expected="a name of its own",
                received=f"'{name}'",
            )
        return name

    def _inputs(
        self,
        item: dict[str, Any],
        path: Path,
        previous: str,
        local: dict[str, str],
        later: set[str],
    ) -> tuple[str, ...] | None:
        if "inputs" not in item:
            return (previous,)
        raw = item["inputs"]
        names = [raw] if isinstance(raw, str) else raw
        if not isinstance(names, list) or not names:
            self.problems.add(
                (*path, "inputs"), expected="a list of layers' names", received=describe(raw)
            )
            return None
        found = []
        for index, name in enumerate(names):
            if isinstance(name, str) and name in local:
                found.append(local[name])
                continue
            at = (*path, "inputs", index) if isinstance(raw, list) else (*path, "inputs")
            if isinstance(name, str) and name in later:
                self.problems.add(
                    at,
                    f"the layer '{name}' comes later: an input must stand above the layer that "
                    "takes it, so the graph has no cycle.",
                    expected="the name of a layer above",
                    received=f"'{name}'",
                )
            elif isinstance(name, str):
                self.problems.add(
                    at,
                    f"no layer above is named '{name}'.",
                    hint="Give the layer a name:.",
                    expected="the name of a layer above",
                    received=f"'{name}'",
                    suggestion=nearest(name, [*local][-_NAMES_COMPARED:]),
                )
            else:
                self.problems.add(at, expected="a layer's name", received=describe(name))
        return tuple(found) if len(found) == len(names) else None

    def _repeat(self, item: dict[str, Any], path: Path) -> int:
        repeat = item.get("repeat", 1)
        if isinstance(repeat, bool) or not isinstance(repeat, int) or not 1 <= repeat <= MAX_LAYERS:
            self.problems.add(
                (*path, "repeat"),
                expected=f"a whole number from 1 to {MAX_LAYERS}",
                received=describe(repeat),
            )
            return 1
        return repeat

    def _append(
        self,
        item: dict[str, Any],
        path: Path,
        inputs: tuple[str, ...],
        prefix: str,
        parameters: dict[str, Any],
    ) -> str | None:
        if self._is_full(path):
            return None
        filled = self._fill(
            {key: value for key, value in item.items() if key not in ("inputs", "repeat")},
            parameters,
            path,
        )
        name = self._layer_name(filled.get("name"), path)
        spec = check_spec("layers", filled, path, self.problems, ignore=("name",))
        if spec is None:
            return None
        label = self._unique(prefix + (name or spec["type"]))
        arguments = {key: value for key, value in spec.items() if key != "type"}
        self.layers.append(Layer(label, spec["type"], arguments, inputs, path))
        return label

    def _unfold_block(
        self,
        item: dict[str, Any],
        path: Path,
        inputs: tuple[str, ...],
        prefix: str,
        parameters: dict[str, Any],
        within: tuple[str, ...],
    ) -> str | None:
        name = item["block"]
        if not isinstance(name, str):
            self.problems.add(
                (*path, "block"), expected="the name of a block", received=describe(name)
            )
            return None
        if self.blocks is None:
            return None
        self._used.add(name)
        block = self.blocks.get(name)
        if not isinstance(block, dict):
            if name in self.blocks:  # told by check_blocks
                return None
            self.problems.add(
                (*path, "block"),
                f"model.blocks has no '{name}'.",
                expected="the name of a block",
                received=f"'{name}'",
                suggestion=nearest(name, self.blocks),
            )
            return None
        if name in within:
            self.problems.add(
                (*path, "block"),
                f"the block '{name}' contains itself.",
                expected="another block",
                received=f"'{name}'",
            )
            return None
        if len(within) >= _MAX_NESTED_BLOCKS:
            self.problems.add(
                (*path, "block"),
                f"blocks inside blocks, more than {_MAX_NESTED_BLOCKS} deep.",
                expected=f"at most {_MAX_NESTED_BLOCKS} blocks inside each other",
                received="more",
            )
            return None
        if len(inputs) != 1:
            self.problems.add(
                (*path, "inputs"),
                f"a block takes one input, received {len(inputs)}.",
                expected="one input",
                received=str(len(inputs)),
            )
            return None
        if not isinstance(block.get("layers"), list):
            return None
        values = self._block_values(name, block, item, path, parameters)
        label = self._unique(prefix + (self._layer_name(item.get("name"), path) or name))
        return self.unfold(
            block["layers"],
            ("model", "blocks", name, "layers"),
            source=inputs[0],
            prefix=f"{label}_",
            parameters=values,
            within=(*within, name),
        )

    def _block_values(
        self,
        name: str,
        block: dict[str, Any],
        item: dict[str, Any],
        path: Path,
        parameters: dict[str, Any],
    ) -> dict[str, Any]:
        defaults = block.get("parameters", {})
        values = dict(defaults) if isinstance(defaults, dict) else {}
        for key, value in item.items():
            if key in BLOCK_KEYS:
                continue
            if key not in values:
                names = ", ".join(map(str, values)) or "none"
                self.problems.add(
                    (*path, key),
                    f"the block '{name}' has no parameter '{key}'.",
                    hint=f"It takes {names}.",
                    of_key=True,
                    expected=f"a parameter of {name}: {names}",
                    received=f"'{key}'",
                    suggestion=nearest(key, [*values, *BLOCK_KEYS]),
                )
                continue
            values[key] = self._fill(value, parameters, (*path, key))
        return values

    def _fill(self, value: Any, parameters: dict[str, Any], path: Path) -> Any:
        """Put a block's parameters in where `$name` stands, at any depth."""
        if isinstance(value, dict):
            return {k: self._fill(v, parameters, (*path, k)) for k, v in value.items()}
        if isinstance(value, list):
            return [self._fill(v, parameters, (*path, i)) for i, v in enumerate(value)]
        if isinstance(value, str) and value.startswith("$"):
            if value[1:] in parameters:
                return parameters[value[1:]]
            near = nearest(value[1:], parameters)
            self.problems.add(
                path,
                f"there is no parameter '{value}' here.",
                hint="A block's `parameters:` name them.",
                expected="a parameter of the block",
                received=f"'{value}'",
                suggestion=f"${near}" if near else None,
            )
        return value

    def _layer_name(self, name: object, path: Path) -> str | None:
        """Return `name` if it can be a layer's, else note the mistake."""
        if name is None or (isinstance(name, str) and is_layer_name(name)):
            return name
        self.problems.add(
            (*path, "name"),
            expected="letters, digits, _, - and . only",
            received=describe(name),
        )
        return None

    def _unique(self, name: str) -> str:
        """Return `name`, or `name_1`, `name_2` … where it is taken."""
        candidate = name
        while candidate in self._taken:
            self._counts[name] = self._counts.get(name, 0) + 1
            candidate = f"{name}_{self._counts[name]}"
        self._taken.add(candidate)
        return candidate
