"""Does `dltrain compare` print what there is to know, within 80 columns, and refuse the rest?"""

from __future__ import annotations

import csv
import io
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import run_dltrain
from test_json_schemas import check
from tiny_runs import REGRESSION, Result
from written_runs import classify, estimate, make_run, score_accuracy

Cli = Callable[..., Result]


def squeeze(text: str) -> list[str]:
    """Return the lines that say something, with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip(" ─")]


@pytest.fixture
def pair(workplace: Path) -> list[Path]:
    """Make two runs of which the second is better."""
    return [
        make_run("a/0001", classify(0.80, seed=1)),
        make_run("a/0002", classify(0.90, seed=2), optimizer__learning_rate=0.1),
    ]


def test_two_runs_stand_side_by_side_in_80_columns(pair: list[Path], tmp_path: Path) -> None:
    result = run_dltrain("compare", "a/1", "a/2", folder=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert max(map(len, result.out.splitlines())) <= 80
    assert "…" not in result.out
    lines = squeeze(result.out)
    assert lines[:5] == [
        "A: a/0001 (baseline)",
        "B: a/0002",
        "test: 300 rows",
        "p <",
        "metric A B B - A 95% interval p 0.05",
    ]
    accuracy = lines[5].split()
    assert accuracy[0] == "accuracy"
    assert float(accuracy[3]) == pytest.approx(float(accuracy[2]) - float(accuracy[1]), abs=2e-4)
    assert accuracy[3].startswith("+")
    assert accuracy[-1] == "yes"
    assert [line.split()[0] for line in lines[6:12]] == [
        "precision", "recall", "F1", "F1", "AUC-ROC", "log",
    ]  # fmt: skip
    assert lines[12:] == [
        "cost",
        "A B",
        "best epoch 2/3 2/3",
        "training 1.5s 1.5s",
        "parameters 650 650",
        "model file 2.0 KiB 2.0 KiB",
        "what differs in the configs",
        "key A B",
        "optimizer.learning_rate 0.01 0.1",
        "Tested on the same test rows: accuracy by McNemar's exact test, the others by",
        "the paired bootstrap (1,000 resamples). More than chance: p < 0.05. Of 7",
        "metrics, look at the one you chose beforehand.",
        "This tells whether these trained models differ on rows like these, not whether",
        "one recipe is better: another seed gives another model. For that, train several",
        "seeds of each: `dltrain fit --repeats`.",
    ]


def test_five_runs_fit_80_columns_with_the_difference_below_each_value(tmp_path: Path) -> None:
    for number in range(1, 6):
        make_run(
            f"a/000{number}",
            estimate(200.0 * number, seed=number),
            root=tmp_path / "runs",
            config=REGRESSION,
        )
    result = run_dltrain("compare", "a", "--baseline", "a/3", folder=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert max(map(len, result.out.splitlines())) <= 80
    assert "…" not in result.out
    lines = squeeze(result.out)
    assert lines[2] == "C: a/0003 (baseline)"
    assert lines[5] == "test: 80 rows; below each value the difference to C, and p"
    assert lines[6] == "metric A B C D E"
    mse = next(index for index, line in enumerate(lines) if line.startswith("MSE"))
    assert len(lines[mse].split()) == 6
    assert len(lines[mse + 1].split()) == 4
    assert lines[mse + 2].count("p ") == 4
    assert " *" in lines[mse + 2]
    assert "p after Holm's correction for 4 runs" in " ".join(lines)
    assert "The configs mean the same." in lines


def test_more_runs_are_rows_the_best_first(dltrain: Cli) -> None:
    for number in range(1, 8):
        make_run(
            f"a/000{number}",
            classify(0.6 + number / 20, seed=number),
            training__epochs=number,
        )
    result = dltrain("compare", "a")
    assert (result.code, result.err) == (0, "")
    assert max(map(len, result.out.splitlines())) <= 80
    lines = squeeze(result.out)
    assert lines[0] == "test: 300 rows, 7 runs, differences to a/0001"
    assert lines[1] == "run accuracy difference p training parameters"
    values = [float(line.split()[1]) for line in lines[2:9]]
    assert values == sorted(values, reverse=True)
    assert lines[8].split()[0] == "a/0001"
    assert lines[8].split()[2] == "baseline"
    assert lines[2].split()[3:5] == ["<0.001", "*"]
    assert lines[9] == "what differs from the config of a/0001"
    assert lines[11] == "a/0007 training.epochs: 7"


def test_one_name_alone_means_all_its_runs(dltrain: Cli, pair: list[Path]) -> None:
    assert dltrain("compare", "a").out == dltrain("compare", "a/0001", "a/2").out
    assert dltrain("compare", "runs/a").out == dltrain("compare", "runs/a/0001", "runs/a/0002").out


def test_a_baseline_from_elsewhere_comes_first(dltrain: Cli, pair: list[Path]) -> None:
    make_run("b/0001", classify(0.85, seed=3))
    document = check(dltrain("compare", "a/1", "a/2", "--baseline", "b", "--json"), "compare")
    assert document["baseline"] == "b/0001"
    assert [run["run"] for run in document["runs"]] == ["b/0001", "a/0001", "a/0002"]
    document = dltrain("compare", "a/1", "a/2", "--baseline", "a/2", "--json").json
    assert [run["run"] for run in document["runs"]] == ["a/0001", "a/0002"]
    assert document["runs"][1]["metrics"]["accuracy"]["change"] is None


def test_json_is_the_document_of_its_schema_whatever_the_runs_lack(
    dltrain: Cli, pair: list[Path]
) -> None:
    document = check(dltrain("compare", "a", "--json"), "compare")
    change = document["runs"][1]["metrics"]["accuracy"]["change"]
    assert change["test"] == "mcnemar"
    assert change["more_than_chance"] is True
    assert document["runs"][1]["config_differences"] == [
        {
            "change": "changed",
            "key_baseline": "optimizer.learning_rate",
            "key": "optimizer.learning_rate",
            "baseline": 0.01,
            "value": 0.1,
        }
    ]
    make_run("b/0001", None, training__epochs=0)
    make_run("c/0001", estimate(1.0), data="subset")
    (pair[1] / "status.json").unlink()
    (pair[1] / "predictions.parquet").write_bytes(b"PAR1")
    result = dltrain("compare", "a/1", "a/2", "b", "c", "--force", "--json")
    assert check(result, "compare")["runs"][2]["config_differences"] is None
    for text in (
        "note: a/0002: runs/a/0002/status.json is missing. runs/a/0002/predictions.parquet is "
        "damaged: ",
        "note: c/0001: its numbers are of a subset, not of the real data. No test; a difference "
        "to a/0001 may be the data's.\n",
        "note: c/0001 is a smoke test: its numbers mean nothing.\n",
    ):
        assert text in result.err


def test_csv_has_a_row_a_run_and_a_column_a_key_that_differs(
    dltrain: Cli, pair: list[Path]
) -> None:
    result = dltrain("compare", "a", "--csv", "-")
    assert result.err == ""
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [row["run"] for row in rows] == ["a/0001", "a/0002"]
    assert [row["baseline"] for row in rows] == ["yes", "no"]
    assert [row["config.optimizer.learning_rate"] for row in rows] == ["0.01", "0.1"]
    assert rows[0]["accuracy.difference"] == ""
    difference = float(rows[1]["accuracy"]) - float(rows[0]["accuracy"])
    assert float(rows[1]["accuracy.difference"]) == difference
    assert 0 < float(rows[1]["accuracy.difference.p"]) < 0.05
    assert rows[1]["model_bytes"] == "2048"
    written = dltrain("compare", "a", "--csv", "table.csv")
    assert written.err == "written to table.csv\n"
    assert Path("table.csv").read_text() == result.out
    assert written.out.startswith("A: a/0001 (baseline)\n")


def test_one_run_twice_or_with_nothing_beside_it_is_refused(dltrain: Cli, pair: list[Path]) -> None:
    make_run("b/0001", classify(0.8))
    assert dltrain("compare", "a/1") == Result(
        2,
        "",
        "error: a/0001 is one run: there is nothing to compare it with.\n"
        "Name a second one, or `dltrain compare a` for all runs of a name.\n",
    )
    assert dltrain("compare", "b").err == (
        "error: b/0001 is one run: there is nothing to compare it with.\n"
        "Name a run of another name beside it; `dltrain runs` lists them.\n"
    )
    assert dltrain("compare", "a", "a/0002").err == (
        "error: a/0002 is named twice; expected runs that are different.\n"
    )
    assert dltrain("compare", "a/1", "c") == Result(
        2, "", "error: There is no run 'c' in runs.\nThe runs there: a, b.\n"
    )


def test_other_data_is_refused_and_force_shows_it(dltrain: Cli, pair: list[Path]) -> None:
    make_run("line/0001", estimate(1.0), config=REGRESSION, dataset={"name": "line"})
    assert dltrain("compare", "a/1", "line") == Result(
        2,
        "",
        "error: Not compared: the data are not those of a/0001.\n"
        "  line/0001: its dataset is line, not digits.\n"
        "--force shows the numbers side by side, without a test of their differences.\n",
    )
    result = dltrain("compare", "a/1", "line", "--force")
    assert (result.code, result.err) == (
        0,
        "note: line/0001: its dataset is line, not digits. No test; a difference to a/0001 may "
        "be the data's.\n",
    )
    lines = squeeze(result.out)
    assert "R² - 0." in " ".join(lines)
    assert not any(line.startswith("Tested on") for line in lines)


def test_what_cannot_be_written_or_is_no_metric_is_refused_first(
    dltrain: Cli, pair: list[Path]
) -> None:
    for arguments, message in (
        (("--csv", "runs"), "--csv: runs is a directory; expected the path of a file.\n"),
        (("--html", "no/a.html"), "--html: there is no directory no.\n"),
        (
            ("--json", "--csv", "-"),
            "--json and --csv -: both write to stdout.\nGive --csv a file.\n",
        ),
        (
            ("--metric", "acuracy"),
            "--metric 'acuracy': expected one of accuracy, precision.macro, recall.macro, "
            "f1.macro, f1.weighted, binary.precision, binary.recall, binary.f1, auc_roc.macro, "
            "log_loss, r2, rmse, mae, mse.\nDid you mean 'accuracy'?\n",
        ),
    ):
        assert dltrain("compare", "a", *arguments) == Result(2, "", f"error: {message}")


def test_names_and_configs_cannot_steer_the_terminal(dltrain: Cli, workplace: Path) -> None:
    red = "\x1b[31mred"
    make_run("a/0001", classify(0.8, seed=1))
    make_run(red, classify(0.8, seed=2), metrics=["accuracy", {"type": "precision", "name": red}])
    make_run("a/0003", classify(0.8, seed=3), training__monitor=red)
    result = dltrain("compare", "a/1", red, "a/3")
    assert result.code == 0, result.err
    assert "\x1b" not in result.out + result.err
    assert "B: \\x1b[31mred" in result.out
    assert "name: \\x1b[31mred" in " ".join(squeeze(result.out))
    assert "training.monitor: no epoch produces the text '\\x1b[31mred'" in result.err


def test_fifty_runs_are_compared_in_three_seconds_without_heavy_imports(tmp_path: Path) -> None:
    for number in range(50):
        make_run(
            f"many/{number + 1:04d}",
            classify(0.95 + number / 2000, rows=10_000, seed=number),
            root=tmp_path / "runs",
            score=score_accuracy,
            epochs=30,
            optimizer__learning_rate=0.001 * (number + 1),
        )
    program = (
        "import sys; sys.argv[0] = 'dltrain'\n"
        "from dltrain.cli import run\n"
        "code = run(sys.argv[1:])\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run_dltrain("compare", "many", folder=tmp_path, program=program)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (result.code, result.err) == (0, "[]\n")
    # Seconds of the processor: those of the clock depend on what else the machine does.
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert seconds < 3, f"it took {seconds:.2f} s"
    lines = squeeze(result.out)
    assert lines[0] == "test: 10,000 rows, 50 runs, differences to many/0001"
    assert sum(line.startswith("many/") for line in lines) == 50 + 49
