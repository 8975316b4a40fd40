"""Does `dltrain describe` explain names in a terminal, in both languages, in 80 columns?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from tiny_runs import Result

from dltrain.catalog.components import KINDS, components
from dltrain.catalog.datasets import DATASETS
from dltrain.commands.describe_view import SHARED_ARGUMENTS, render_entry, render_map, wrap
from dltrain.glossary.entries import make_entry, make_map
from dltrain.glossary.keys import keys
from dltrain.glossary.lookup import Argument, KindName, Thing
from dltrain.glossary.texts import LANGS, Lang, concepts

Describe = Callable[..., Result]

PROGRAM = [sys.executable, "-c", "from dltrain.cli import main; main()"]


def everything() -> list[Thing]:
    """Return all that has an entry."""
    every = [component for kind in KINDS for component in components(kind).values()]
    names = sorted({name for component in every for name in component.arguments})
    takers = {name: tuple(each for each in every if name in each.arguments) for name in names}
    return [
        *concepts().values(),
        *keys().values(),
        *map(KindName, KINDS),
        *every,
        *(Argument(name, takers[name]) for name in names),
        *DATASETS.values(),
    ]


def test_a_key_is_explained_with_its_type_default_and_a_line_to_copy(dltrain: Describe) -> None:
    assert dltrain("describe", "training.batch_size") == Result(
        0,
        "training.batch_size  key of the config\n"
        "  Rows a step; `full` is full-batch gradient descent.\n"
        "  Expected: a whole number >= 1, or full\n"
        "  Default: 32\n"
        "\n"
        "    training: {batch_size: 128}\n"
        "\n"
        "  Ideas: gradient-descent, mini-batch-gradient-descent,\n"
        "         stochastic-gradient-descent, back-propagation, hyperparameter\n",
        "",
    )


def test_a_component_is_explained_with_its_arguments(dltrain: Describe) -> None:
    result = dltrain("describe", "MaxNorm")
    assert result == Result(
        0,
        "max_norm  constraint (MaxNorm)\n"
        "  Shrinks the incoming weights of a unit after each step if their norm exceeds a\n"
        "  maximum.\n"
        "\n"
        "    model:\n"
        "      layers:\n"
        "        - {type: dense, units: 64, kernel_constraint: {type: max_norm, max_value: 2}}\n"
        "\n"
        "  max_value  a number > 0; default 2\n"
        "             The upper bound: of a ReLU's output, or of a norm.\n"
        "  axis       a whole number, or a list of them; default 0\n"
        "             Along which axis the operation works; -1 is the last.\n",
        "",
    )


def test_the_same_is_said_in_chinese(dltrain: Describe) -> None:
    assert dltrain("describe", "training.batch_size", "--lang", "zh") == Result(
        0,
        "training.batch_size  配置的键\n"
        "  每一步用多少样本；`full` 即全批量梯度下降。\n"
        "  可取：>= 1 的整数，或 full\n"
        "  默认：32\n"
        "\n"
        "    training: {batch_size: 128}\n"
        "\n"
        "  概念：梯度下降, 小批量梯度下降, 随机梯度下降, 反向传播, 超参数\n",
        "",
    )


def test_a_chinese_name_is_answered_in_chinese_unless_told_otherwise(dltrain: Describe) -> None:
    assert dltrain("describe", "过拟合").out.startswith("过拟合  概念\n  网络把训练样本背下来")
    assert dltrain("describe", "过拟合", "--lang", "en").out.startswith("Overfitting  idea\n")


def test_a_name_of_several_words_needs_no_quotes(dltrain: Describe) -> None:
    spoken = dltrain("describe", "mini-batch", "gradient", "descent")
    assert spoken.out.startswith("Mini-batch gradient descent  idea\n")
    assert spoken == dltrain("describe", "mini-batch gradient descent")


def test_all_meanings_of_a_name_are_shown(dltrain: Describe) -> None:
    heads = [line for line in dltrain("describe", "dropout").out.splitlines() if line[:1].strip()]
    assert heads == ["Dropout  idea", "dropout  layer (Dropout)", "dropout  argument"]


def test_an_idea_without_a_key_says_so(dltrain: Describe) -> None:
    english = dltrain("describe", "transfer learning").out
    assert "\n  This version of dltrain has no key for it.\n" in english
    chinese = dltrain("describe", "迁移学习").out
    assert "\n  此版本的 dltrain 还没有对应的键。\n" in chinese
    assert "no key for it" not in dltrain("describe", "overfitting").out


def test_the_map_lists_every_idea_by_chapter(dltrain: Describe) -> None:
    lines = dltrain("describe").out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "Networks",
        "Learning by gradients",
        "Overfitting and its cures",
        "Data",
        "Hyperparameter search",
        "Evaluation",
        "Beyond one training",
        "`dltrain describe NAME` explains an idea, a key or a Keras name.",
    ]
    assert "  Epoch                               training.epochs" in lines
    assert "  Grid search                         no key in this version" in lines
    for concept in concepts().values():
        assert any(line.startswith(f"  {concept.title('en')}  ") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["overfiting"],
            "error: There is no key, Keras name or idea 'overfiting'.\n"
            "Did you mean 'overfitting'? `dltrain describe` lists the ideas.\n",
        ),
        (
            ["banana"],
            "error: There is no key, Keras name or idea 'banana'.\n"
            "`dltrain describe` lists the ideas.\n",
        ),
        (
            ["过拟何"],
            "error: 没有叫作“过拟何”的键、Keras 名字或概念。\n"
            "是否想查“过拟合”？`dltrain describe --lang zh` 列出所有概念。\n",
        ),
        (["Lambda"], "error: Lambda runs Python code and has no place in a YAML.\n"),
        (["dropout", "--lang", "fr"], "error: --lang is 'fr'; expected en or zh.\n"),
    ],
)
def test_what_can_not_be_explained_exits_2(
    dltrain: Describe, arguments: list[str], message: str
) -> None:
    assert dltrain("describe", *arguments) == Result(2, "", message)


@pytest.mark.parametrize("lang", LANGS)
def test_no_line_is_wider_than_the_terminal_but_examples(lang: Lang) -> None:
    wide = []
    for thing in everything():
        entry = make_entry(thing, lang)
        examples = str(getattr(entry, "example", None) or "").splitlines()
        for line in render_entry(entry, lang, 80):
            if line.plain.strip() not in {example.strip() for example in examples}:
                wide += [line.plain] if cell_len(line.plain) > 80 else []
    wide += [each.plain for each in render_map(make_map(lang), lang, 80) if each.cell_len > 80]
    assert wide == []


def test_chinese_is_wrapped_by_columns() -> None:
    lines = wrap("网络把训练样本背下来就是过拟合：训练损失（loss）继续下降。", 20)
    assert lines == ["网络把训练样本背下来", "就是过拟合：训练损失", "（loss）继续下降。"]


@pytest.mark.parametrize("width", range(20, 60, 7))
def test_a_mark_stays_with_its_word_wherever_a_line_breaks(width: int) -> None:
    for concept in concepts().values():
        text = concept.text["zh"]
        lines = wrap(text, width)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert [line for line in lines if line[0] in "，。；：！？、）” "] == []
        assert [line for line in lines if line[-1] in "（“ "] == []


def test_words_are_wrapped_between_words_and_long_ones_stay_whole() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("a_name_that_is_too_long yes", 8) == ["a_name_that_is_too_long", "yes"]
    assert wrap("", 8) == []


def test_arguments_called_shared_are_those_of_nearly_every_component_of_the_kind() -> None:
    for kind, names in SHARED_ARGUMENTS.items():
        among = components(kind).values()  # type: ignore[arg-type]
        for name in names:
            takers = sum(name in component.arguments for component in among)
            assert takers >= 0.85 * len(among), (kind, name, takers)


def run_with(encoding: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "80"}
    command = [*PROGRAM, "describe", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)


def test_an_ascii_terminal_gets_question_marks_and_a_note_but_json_stays_whole() -> None:
    done = run_with("ascii", "overfitting", "--lang", "zh")
    assert done.returncode == 0
    assert b"training.early_stopping" in done.stdout
    assert done.stderr == (
        b"note: stdout writes ascii, which has no Chinese characters; set PYTHONUTF8=1 or a UTF-8 "
        b"locale.\n"
    )
    documents = [
        json.loads(run_with(encoding, "overfitting", "--lang", "zh", "--json").stdout)
        for encoding in ("ascii", "utf-8")
    ]
    assert documents[0] == documents[1]
    assert run_with("utf-8", "overfitting", "--lang", "zh").stderr == b""
