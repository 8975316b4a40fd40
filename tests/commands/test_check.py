"""Does `dltrain check` tell every problem at once, for people and as JSON?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tiny_runs import CONFIG, Result

from dltrain.commands.layer_table import draw_layers
from dltrain.config.load import check_document
from dltrain.config.reading import read_text
from dltrain.shapes.infer import infer_shapes

Check = Callable[..., Result]
WriteConfig = Callable[..., Path]

WRONG = """\
name: wrong
dataset: {name: digit}
model:
  layers:
    - flatten
    - {type: dens, units: 16}
    - {type: dense, unit: 10}
optimizer: {type: adam, learning_rate: fast}
"""


TABLE = """\
layer      output shape  parameters  mult-adds   memory
───────────────────────────────────────────────────────
rescaling  (8, 8, 1)              0          0  16.4 kB
flatten    (64,)                  0          0  16.4 kB
dense      (16,)              1,040     1.02 k  4.10 kB
dropout    (16,)                  0          0  4.10 kB
dense_1    (10,)                170        160  2.56 kB
───────────────────────────────────────────────────────
total                         1,210     1.18 k  43.5 kB
mult-adds: of one row's prediction; memory: outputs of a batch of 64, float32
"""


def with_layers(*layers: object) -> dict[str, object]:
    return {**CONFIG, "model": {"layers": [*layers, "flatten", {"type": "dense", "units": 10}]}}


def test_a_right_config_gets_one_line_and_the_table_of_its_layers(
    dltrain: Check, write_config: WriteConfig
) -> None:
    path = write_config()
    result = dltrain("check", path)
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        f"{path} is right: 4 layers for digits, loss sparse_categorical_crossentropy, "
        f"optimizer adam.\n{TABLE}"
    )


def test_keras_builds_the_same_table(dltrain: Check, write_config: WriteConfig) -> None:
    result = dltrain("check", write_config(), "--build")
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f"optimizer adam.\n{TABLE}")


def test_an_impossible_shape_is_a_problem_with_its_line(
    dltrain: Check, write_config: WriteConfig
) -> None:
    config = write_config(with_layers({"type": "conv2d", "filters": 2, "kernel_size": 9}))
    result = dltrain("check", config)
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        f"{config}:10:18  model.layers[0].kernel_size\n"
        "  conv2d expects height >= 9 and width >= 9 for its kernel, received (8, 8, 1). Use "
        "padding: same, a smaller kernel_size, or less pooling and fewer strides before it.\n"
        "1 problem in the config.\n"
    )
    document = dltrain("check", config, "--json").json
    assert (document["valid"], document["config"], document["layers"]) == (False, None, None)
    assert [problem["line"] for problem in document["problems"]] == [10]


def test_only_keras_knows_a_layer_without_a_rule_and_build_asks_it(
    dltrain: Check, write_config: WriteConfig
) -> None:
    layer = {"type": "einsum_dense", "equation": "abcd,de->abce", "output_shape": [8, 8, 3]}
    config = write_config(with_layers(layer, {"type": "batch_normalization"}))
    unknown = dltrain("check", config)
    assert unknown.code == 0, unknown.err
    rows = {line.split()[0]: line.split()[1:] for line in unknown.out.splitlines()}
    assert rows["einsum_dense"] == rows["batch_normalization"] == ["?", "?", "?", "?"]
    assert rows["rescaling"] == ["(8,", "8,", "1)", "0", "0", "16.4", "kB"]
    assert rows["total"] == ["?", "?", "?"]
    assert unknown.out.endswith("?: only Keras knows; --build asks it, which takes some seconds\n")
    built = dltrain("check", config, "--build", "--json")
    assert built.code == 0, built.err
    layers = {row["name"]: row for row in built.json["layers"]}
    assert layers["einsum_dense"]["output_shape"] == [8, 8, 3]
    assert layers["einsum_dense"]["parameters"] == 3
    assert layers["einsum_dense"]["multiply_adds"] is None
    assert layers["batch_normalization"]["parameters"] == 12
    assert layers["batch_normalization"]["trainable_parameters"] == 6
    assert layers["dense"]["multiply_adds"] == 8 * 8 * 3 * 10
    assert built.json["totals"]["parameters"] == 3 + 12 + 1930
    assert built.json["totals"]["multiply_adds"] is None


def test_what_keras_refuses_alone_is_a_problem_of_its_layer_with_build(
    dltrain: Check, write_config: WriteConfig
) -> None:
    layer = {"type": "einsum_dense", "equation": "ab,bc->ac", "output_shape": 3}
    config = write_config(with_layers(layer))
    assert dltrain("check", config).code == 0
    result = dltrain("check", config, "--build")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(
        f"{config}:8:5  model.layers[0]\n"
        "  einsum_dense (einsum_dense) can't be computed: Dimensions must be equal"
    )


def test_a_long_name_is_cut_where_a_terminal_is_narrow() -> None:
    table = infer_shapes(check_document(read_text(LONG, source="long.yaml")))
    lines = draw_layers(table, width=60).splitlines()
    assert lines[3] == "a_very_long_n…  (64,)                  0          0  8.19 kB"
    assert max(len(line) for line in lines[:-1]) == 60
    assert "a_very_long_name_for_a_layer (flatten)" in draw_layers(table, width=None)


LONG = """\
name: long
dataset: {name: digits}
model:
  layers:
    - {type: flatten, name: a_very_long_name_for_a_layer}
    - {type: dense, units: 10}
"""


def test_the_resolved_config_is_right_and_resolves_to_itself(
    dltrain: Check, write_config: WriteConfig
) -> None:
    first = dltrain("check", write_config(), "--resolved")
    assert first.code == 0, first.err
    assert "test_split: 0.2" in first.out
    Path("resolved.yaml").write_text(first.out, encoding="utf-8")
    assert dltrain("check", "resolved.yaml", "--resolved").out == first.out


def test_every_problem_of_a_wrong_config_is_told_at_once(dltrain: Check, workplace: Path) -> None:
    Path("wrong.yaml").write_text(WRONG)
    result = dltrain("check", "wrong.yaml")
    assert result.code == 2
    assert result.out == ""
    assert result.err == (
        "wrong.yaml:2:17  dataset.name\n"
        "  there is no dataset 'digit'. Did you mean 'digits'?\n"
        "wrong.yaml:6:14  model.layers[1].type\n"
        "  there is no layer 'dens'. Did you mean 'dense'?\n"
        "wrong.yaml:7:21  model.layers[2].unit\n"
        "  dense has no argument 'unit'. Did you mean 'units'?\n"
        "wrong.yaml:8:40  optimizer.learning_rate\n"
        "  expected a number > 0 or a schedule with type:, received the text 'fast'.\n"
        "4 problems in the config.\n"
    )


def test_problems_as_json_are_one_document_and_exit_2(dltrain: Check, workplace: Path) -> None:
    Path("wrong.yaml").write_text(WRONG)
    result = dltrain("check", "wrong.yaml", "--json")
    assert (result.code, result.err) == (2, "")
    document = result.json
    assert document["valid"] is False
    assert document["config"] is None
    assert document["warnings"] == []
    assert len(document["problems"]) == 4
    assert document["problems"][1] == {
        "file": "wrong.yaml",
        "line": 6,
        "column": 14,
        "key": "model.layers[1].type",
        "message": "there is no layer 'dens'.",
        "hint": "Did you mean 'dense'?",
        "expected": "the name of a layer",
        "received": "'dens'",
        "suggestion": "dense",
    }


def test_a_problem_of_a_flag_has_the_flag_and_no_line(
    dltrain: Check, write_config: WriteConfig
) -> None:
    result = dltrain("check", write_config(), "--json", "--set", "training.epochs=0")
    assert result.code == 2
    (problem,) = result.json["problems"]
    assert problem["file"] == "--set training.epochs=0"
    assert (problem["line"], problem["column"]) == (None, None)
    assert problem["message"] == "expected a number >= 1, received the number 0."


def test_a_missing_file_is_a_problem_in_json_too(dltrain: Check, workplace: Path) -> None:
    result = dltrain("check", "absent.yaml", "--json")
    assert (result.code, result.err) == (2, "")
    assert result.json["valid"] is False
    assert [problem["message"] for problem in result.json["problems"]] == [
        "absent.yaml doesn't exist."
    ]


def test_a_right_config_as_json_carries_the_resolved_config(
    dltrain: Check, write_config: WriteConfig
) -> None:
    result = dltrain("check", write_config(), "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["valid"] is True
    assert result.json["problems"] == []
    assert result.json["config"]["training"]["batch_size"] == 64


def test_a_warning_is_no_problem(dltrain: Check, write_config: WriteConfig) -> None:
    config = write_config(
        CONFIG, loss={"type": "sparse_categorical_crossentropy", "from_logits": False}
    )
    result = dltrain("check", config)
    assert result.code == 0, result.err
    assert result.err.startswith("warning: ")
    as_json = dltrain("check", config, "--json")
    assert as_json.code == 0
    assert [warning["key"] for warning in as_json.json["warnings"]] == ["loss"]


def test_an_unknown_monitor_names_those_there_are(
    dltrain: Check, write_config: WriteConfig
) -> None:
    result = dltrain("check", write_config(training__early_stopping={"monitor": "val_acc"}))
    assert result.code == 2
    assert (
        "no epoch produces the text 'val_acc'; there are loss, accuracy, val_loss, val_accuracy."
        in result.err
    )
