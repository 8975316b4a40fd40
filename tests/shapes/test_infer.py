"""What does the table hold: rows of each dataset, added layers, branches, batch and precision?"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from shape_tables import CONFIGS, TEXTS, infer, load

from dltrain.catalog.datasets import DATASETS, DatasetInfo
from dltrain.shapes.infer import infer_shapes
from dltrain.shapes.row import find_row

FLAT = "[flatten, {type: dense, units: 10}]"
LINE = "[{type: dense, units: 1}]"
IMAGE_SETS = {"digits", "mnist", "fashion_mnist", "cifar10"}

# A dataset, in YAML -> the model's layers, a row's shape and dtype, and how it is normalized.
ROWS = {
    "{name: digits}": (FLAT, (8, 8, 1), "float32", "rescaling"),
    "{name: mnist}": (FLAT, (28, 28, 1), "float32", "rescaling"),
    "{name: fashion_mnist, normalize: none}": (FLAT, (28, 28, 1), "float32", None),
    "{name: cifar10, normalize: standard}": (FLAT, (32, 32, 3), "float32", "normalization"),
    "{name: diabetes}": (LINE, (10,), "float32", "normalization"),
    "{name: synthetic_regression}": (LINE, (100,), "float32", "normalization"),
    "{name: synthetic_regression, features: 7}": (LINE, (7,), "float32", "normalization"),
    "{name: imdb}": (LINE, (400,), "int32", None),
    "{name: imdb, max_length: 6}": (LINE, (6,), "int32", None),
    "{name: imdb, max_length: 6, ngrams: 2}": (LINE, (11,), "int32", None),
}


@pytest.mark.parametrize("dataset", ROWS)
def test_a_row_is_known_from_the_catalog_alone(dataset: str) -> None:
    layers, shape, dtype, normalization = ROWS[dataset]
    table = infer(layers, dataset=dataset)
    assert (table.row, table.dtype) == (shape, dtype)
    assert [row.name for row in table.before] == ([normalization] if normalization else [])
    assert all(row.inputs == (shape,) and row.output == shape for row in table.before)


def test_every_dataset_has_a_row() -> None:
    assert {dataset.split("name: ")[1].rstrip("}").split(",")[0] for dataset in ROWS} == set(
        DATASETS
    )


@pytest.mark.parametrize("name", sorted(set(DATASETS) - IMAGE_SETS - {"imdb"}))
def test_the_row_is_the_one_that_loading_gives(name: str, tmp_path: Path) -> None:
    from dltrain.data.load import load_data

    loaded = load(LINE, dataset=f"{{name: {name}, normalize: standard}}")
    data = load_data(loaded.config.dataset, seed=0, data_dir=tmp_path)
    row = find_row(loaded.config.dataset, loaded.info)
    assert (row.shape, row.dtype) == (data.row_shape, data.dtype)


def test_a_layer_that_nothing_takes_is_judged_but_not_part_of_the_model() -> None:
    table = infer(
        "[flatten, {type: dense, units: 500, name: idle}, "
        "{type: dense, units: 10, inputs: [input]}, {type: flatten, name: end}, "
        "{type: dense, units: 10}]"
    )
    assert [row.name for row in table.layers] == ["flatten", "idle", "dense", "end", "dense_1"]
    assert [row.in_model for row in table.layers] == [False, False, True, True, True]
    assert table.layers[1].parameters == 64 * 500 + 500
    assert table.parameters == (1 * 10 + 10) + (640 * 10 + 10)
    assert [row.name for row in table.rows] == ["rescaling", "dense", "end", "dense_1"]


def test_one_entry_for_each_layer_of_the_config_with_its_place_and_inputs() -> None:
    loaded = load(
        "[{type: dense, units: 3, name: a}, {type: add, inputs: [a, a]}, flatten, "
        "{type: dense, units: 10}]"
    )
    table = infer_shapes(loaded)
    assert [(row.name, row.type, row.path) for row in table.layers] == [
        (layer.name, layer.type, layer.path) for layer in loaded.layers
    ]
    assert table.layers[1].inputs == ((8, 8, 3), (8, 8, 3))


def test_an_unknown_layer_leaves_what_follows_unknown_and_no_problem() -> None:
    table = infer(
        "[{type: einsum_dense, equation: 'abcd,de->abce', output_shape: [8, 8, 3]}, "
        "batch_normalization, flatten, {type: dense, units: 10}]"
    )
    assert table.problems == ()
    assert [row.output for row in table.layers] == [None] * 4
    assert not table.is_complete
    assert (table.parameters, table.multiply_adds, table.activation_bytes) == (None, None, None)


def test_frozen_layers_have_no_trainable_parameters() -> None:
    table = infer(
        "[flatten, {type: dense, units: 5, trainable: false}, batch_normalization, "
        "{type: dense, units: 10, lora_rank: 2}]"
    )
    counts = [(row.trainable, row.fixed) for row in table.layers]
    assert counts == [(0, 0), (0, 325), (10, 10), (2 * 5 + 2 * 10 + 10, 50)]
    assert (table.trainable, table.parameters) == (50, 50 + 325 + 10 + 50)


@pytest.mark.parametrize(
    ("training", "batch_size", "value_bytes"),
    [
        ("{batch_size: 16}", 16, 4),
        ("{batch_size: full}", 1294, 4),
        ("{batch_size: 16, precision: mixed_bfloat16}", 16, 2),
    ],
)
def test_memory_is_that_of_the_outputs_of_a_batch(
    training: str, batch_size: int, value_bytes: int
) -> None:
    table = infer(FLAT, rest=f"training: {training}")
    assert (table.batch_size, table.value_bytes) == (batch_size, value_bytes)
    numbers = 64 + 64 + 10 + (10 if value_bytes == 2 else 0)
    assert table.activation_bytes == numbers * batch_size * value_bytes


def test_a_layer_may_bear_the_name_of_one_that_dltrain_adds() -> None:
    table = infer("[{type: flatten, name: rescaling}, {type: dense, units: 10}]")
    assert [row.name for row in table.rows] == ["rescaling_1", "rescaling", "dense"]


def test_ids_are_known_for_an_embedding_and_unknown_for_what_fails_on_whole_numbers() -> None:
    embedded = infer(
        "[{type: embedding, input_dim: 12, output_dim: 3, mask_zero: true}, "
        "{type: lstm, units: 4}, {type: dense, units: 1}]",
        dataset=TEXTS,
    )
    assert [row.output for row in embedded.layers] == [(6, 3), (4,), (1,)]
    table = infer("[softmax, {type: dense, units: 1}]", dataset=TEXTS)
    assert [row.output for row in table.layers] == [None, None]


def test_a_huge_model_overflows_nothing() -> None:
    table = infer(f"[flatten, {{type: dense, units: {10**12}}}, {{type: dense, units: 10}}]")
    assert table.parameters == 64 * 10**12 + 10**12 + 10 * 10**12 + 10


def test_shapes_beyond_64_bits_are_left_to_keras() -> None:
    table = infer(
        "[{block: grow, repeat: 90}, flatten, {type: dense, units: 10}]",
        blocks=f"{{grow: {{layers: [{{type: up_sampling2d, size: {10**14}}}]}}}}",
    )
    assert table.problems == ()
    assert table.layers[0].output is None
    assert table.parameters is None


def test_a_dataset_of_the_catalog_changes_the_row() -> None:
    loaded = load(FLAT)
    info: DatasetInfo = replace(loaded.info, shape=(4, 6, 3))
    assert infer_shapes(replace(loaded, info=info)).layers[0].output == (72,)


def test_the_tables_of_all_shipped_configs_import_nothing_heavy() -> None:
    program = f"""
import sys
from pathlib import Path
from dltrain.config.load import load_config
from dltrain.shapes.infer import infer_shapes
for path in {[str(path) for path in CONFIGS]}:
    assert infer_shapes(load_config(Path(path))).is_complete
print([name for name in ("tensorflow", "keras", "numpy") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
