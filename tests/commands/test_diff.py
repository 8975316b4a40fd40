"""Does `dltrain diff` show in what two configs or runs differ, and exit 0 either way?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml
from tiny_runs import CONFIG, Result, change

Cli = Callable[..., Result]


def write_run(number: int, **changes: object) -> Path:
    """Write what `diff` reads of a run; nothing is trained."""
    run = Path("runs") / "tiny" / f"{number:04d}"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(yaml.safe_dump(change(CONFIG, **changes)))
    return run


def test_two_configs_differ_in_a_table(dltrain: Cli, workplace: Path) -> None:
    Path("a.yaml").write_text(yaml.safe_dump(CONFIG))
    layers = [*CONFIG["model"]["layers"]]
    layers.insert(2, "relu")
    changed = change(CONFIG, model__layers=layers, training__epochs=5, optimizer__learning_rate=1)
    Path("b.yaml").write_text(yaml.safe_dump(changed))
    result = dltrain("diff", "a.yaml", "b.yaml")
    assert (result.code, result.err) == (0, "")
    lines = [line.split() for line in result.out.splitlines() if line.strip(" ─")]
    assert lines == [
        ["A:", "a.yaml"],
        ["B:", "b.yaml"],
        ["key", "A", "B"],
        ["model.layers[2]", "(not", "there)", "relu"],
        ["optimizer.learning_rate", "0.01", "1"],
        ["training.epochs", "3", "5"],
        ["3", "differences."],
    ]
    assert all(len(line) <= 80 for line in result.out.splitlines())


def test_no_difference_is_said_in_words_and_exits_0(dltrain: Cli, workplace: Path) -> None:
    Path("a.yaml").write_text(yaml.safe_dump(CONFIG))
    Path("b.yaml").write_text(
        yaml.safe_dump(CONFIG).replace("flatten", "{type: Flatten}").replace("0.01", "1e-2")
    )
    assert dltrain("diff", "a.yaml", "b.yaml") == Result(
        0, "No difference: a.yaml and b.yaml mean the same.\n", ""
    )


def test_runs_are_named_as_eval_names_them(dltrain: Cli, workplace: Path) -> None:
    write_run(1)
    write_run(2, training__epochs=4)
    Path("c.yaml").write_text(yaml.safe_dump(CONFIG))
    for first, second in (("tiny/0001", "tiny"), ("tiny/1", "runs/tiny/0002"), ("c.yaml", "tiny")):
        result = dltrain("diff", first, second, "--json")
        assert (result.code, result.err) == (0, "")
        assert result.json["b"] == "runs/tiny/0002/config.yaml"
        assert result.json["differences"] == [
            {
                "change": "changed",
                "key_a": "training.epochs",
                "key_b": "training.epochs",
                "a": 3,
                "b": 4,
            }
        ]
    Path("runs").rename("elsewhere")
    result = dltrain("diff", "tiny/1", "tiny/2", "--runs-dir", "elsewhere")
    assert (result.code, result.out.splitlines()[-1]) == (0, "1 difference.")


def test_the_key_in_b_is_shown_where_it_is_another(dltrain: Cli, workplace: Path) -> None:
    Path("a.yaml").write_text(yaml.safe_dump(CONFIG))
    layers = ["flatten", "relu", {"type": "dense", "units": 8, "activation": "relu"}]
    changed = change(CONFIG, model__layers=[*layers, *CONFIG["model"]["layers"][2:]])
    Path("b.yaml").write_text(yaml.safe_dump(changed))
    out = dltrain("diff", "a.yaml", "b.yaml").out
    assert "model.layers[1].units" in out
    assert "(B: model.layers[2].units)" in out


def test_what_is_no_config_and_no_run_is_refused(dltrain: Cli, workplace: Path) -> None:
    Path("a.yaml").write_text(yaml.safe_dump(CONFIG))
    write_run(1)
    assert dltrain("diff", "a.yaml", "b.yaml") == Result(
        2, "", "error: b.yaml doesn't exist.\nGive the path of a YAML config file.\n"
    )
    assert dltrain("diff", "tiny", "tiny/9").err == (
        "error: There is no run 'tiny/9' in runs.\nThe latest of that name: 0001.\n"
    )
    Path("b.yaml").write_text(yaml.safe_dump(change(CONFIG, training__epochs=0)))
    result = dltrain("diff", "a.yaml", "b.yaml")
    assert result.code == 2
    assert "expected a number >= 1, received the number 0." in result.err


def test_the_help_says_that_a_difference_is_no_failure(dltrain: Cli) -> None:
    assert "The exit code is 0 whether they differ or not." in dltrain("diff", "--help").out
