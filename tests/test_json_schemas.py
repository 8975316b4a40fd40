"""Is what `--json` prints one document, and the one that docs/schemas says?"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from tiny_runs import CONFIG, REGRESSION, Result

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"
SCHEMAS = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)


# What only texts, only tables, or only integrated gradients have.
OF_ONE_KIND = {"explain.json": ("words", "words_cut", "padding", "columns", "completeness")}


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{name}.json"}, registry=REGISTRY)


def check(result: Result, name: str) -> Any:
    """Assert that stdout is one document of the schema `name`; return it."""
    document = json.loads(result.out)  # refuses a second document, and anything before or after
    json.loads(result.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    problems = [f"{error.json_path}: {error.message}" for error in errors(document, name)]
    assert problems == []
    return document


def errors(document: Any, name: str) -> Iterator[Any]:
    return validator(name).iter_errors(document)


def find_objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the path of every object in a document."""
    if isinstance(value, dict):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from find_objects(item, (*path, key))


def look_up(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one_of_draft_2020_12(name: str) -> None:
    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_fit_and_eval_of_a_classifier_print_their_documents(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    requirements = ("--require", "train.f1>=0", "--require", "epochs<=0")
    fitted = dltrain("fit", write_config(CONFIG), "--epochs", 1, "--json", *requirements)
    assert fitted.code == 5, fitted.err
    document = check(fitted, "fit")
    assert [row["met"] for row in document["requirements"]] == [True, False]
    assert set(document["splits"]) == {"train", "validation", "test"}
    evaluated = dltrain("eval", "tiny", "--json", "--require", "test.accuracy>=0")
    assert evaluated.code == 0, evaluated.err
    check(evaluated, "eval")
    np.savez("new.npz", x=np.zeros((4, 8, 8)), y=[1, 2, 3, 1])
    check(dltrain("eval", "tiny", "--data", "new.npz", "--json"), "eval-data")
    exported = dltrain("export", "tiny", "--format", "litert", "--quantize", "int8", "--json")
    assert exported.code == 0, exported.err
    assert check(exported, "export")["quantization"]["scored_rows"] == 359


def test_metrics_json_of_both_tasks_is_what_its_schema_says(
    dltrain: Cli, write_config: WriteConfig, copied_run: Path
) -> None:
    assert dltrain("fit", write_config(REGRESSION), "--quiet").code == 0
    for path in (copied_run / "metrics.json", Path("runs/line/0001/metrics.json")):
        document = json.loads(path.read_text())
        assert list(errors(document, "metrics")) == []
        assert document["training"]["best_epoch"] >= 1


def test_fit_and_eval_of_a_regression_print_their_documents(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    stopping = {"monitor": "val_loss", "patience": 1, "min_delta": 100.0}
    fitted = dltrain("fit", write_config(REGRESSION, training__early_stopping=stopping), "--json")
    assert fitted.code == 0, fitted.err
    assert check(fitted, "fit")["stopped_by"] == "early_stopping"
    resumed = dltrain("fit", "--resume", "line", "--json", "--epochs", 4)
    assert resumed.code == 0, resumed.err
    assert check(resumed, "fit")["resumed_from"] is not None
    assert check(dltrain("eval", "line", "--json"), "eval")["requirements"] == []


def test_a_training_of_no_time_prints_its_document(dltrain: Cli, write_config: WriteConfig) -> None:
    result = dltrain("fit", write_config(REGRESSION), "--max-seconds", 0, "--json")
    assert result.code == 0, result.err
    document = check(result, "fit")
    assert (document["epochs"], document["stopped_by"]) == (0, "max_seconds")


def test_a_class_without_rows_is_null_and_still_the_document(copied_run: Path) -> None:
    from dltrain.evaluation.baseline import score_baseline
    from dltrain.evaluation.classification import score_classification
    from dltrain.runs.atomic import to_json

    labels, names = np.zeros(3, np.int64), ("cat", "dog")
    scores = score_classification(labels, np.array([[0.9, 0.3]] * 3), class_names=names)
    scores["baseline"] = score_baseline("classification", labels, labels, names)
    details = {"threshold": None, "slices": [], "fairness": []}
    whole = {"run": "a", "split": "test", **scores, **details, "requirements": []}
    document = json.loads(to_json(whole))
    assert document["log_loss"]["value"] is None
    assert document["per_class"][1]["recall"] is None
    assert list(errors(document, "eval")) == []


def test_runs_prints_its_document_whatever_state_they_are_in(
    dltrain: Cli, copied_run: Path
) -> None:
    assert check(dltrain("runs", "--json"), "runs")[0]["status"] == "finished"
    status = json.loads((copied_run / "status.json").read_text())
    changed = {**status, "state": "running", "pid": 2**22 + 1}
    (copied_run / "status.json").write_text(json.dumps(changed))
    (copied_run / "metrics.json").unlink()
    assert check(dltrain("runs", "--json"), "runs")[0]["status"] == "killed"
    (copied_run / "status.json").write_text("{")
    assert check(dltrain("runs", "--json"), "runs")[0]["status"] == "damaged"
    assert check(dltrain("runs", "--json", "--runs-dir", "empty"), "runs") == []


def test_show_prints_its_document_of_whole_and_damaged_runs(dltrain: Cli, copied_run: Path) -> None:
    whole = check(dltrain("show", "tiny", "--json"), "show")
    assert (whole["state"], len(whole["history"]), whole["problems"]) == ("finished", 3, [])
    for path in sorted(copied_run.iterdir()):
        if path.is_file() and path.name != "status.json":
            path.unlink()
    damaged = check(dltrain("show", "tiny", "--json"), "show")
    assert (damaged["headline"], damaged["rows"], damaged["history"]) == (None, None, [])
    assert len(damaged["problems"]) >= 6


def test_repeats_and_what_shows_them_print_their_documents(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    fitted = dltrain(
        "fit", write_config(REGRESSION), "--repeats", 2, "--json", "--require", "test.r2<=1"
    )
    assert fitted.code == 0, fitted.err
    assert check(fitted, "fit-repeats")["done"] == 2
    assert check(dltrain("show", "line", "--json"), "show")["repeats"]["done"] == 2
    assert check(dltrain("runs", "--json"), "runs")[0]["repeats_goal"] == 2
    Path("runs/line/0001/repeats.json").write_text("{")
    damaged = check(dltrain("show", "line", "--json"), "show")
    assert damaged["repeats"]["done"] == 2
    assert check(dltrain("runs", "--json"), "runs")[0]["status"] == "damaged"


def test_a_sweep_and_what_shows_it_print_their_document(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    space = {"optimizer.learning_rate": {"choice": [0.05, 1e30]}}
    config = write_config(REGRESSION, sweep={"method": "grid", "space": space})
    swept = dltrain("sweep", config, "--json")
    assert swept.code == 0, swept.err
    document = check(swept, "sweep")
    assert [row["state"] for row in document["trials"]] == ["finished", "failed"]
    assert (document["best"], document["test"]["metric"]) == (1, "r2")
    assert check(dltrain("sweep", "show", "line", "--json"), "sweep") == document


def test_init_prints_the_list_of_templates(dltrain: Cli) -> None:
    assert len(check(dltrain("init", "--list", "--json"), "init")) >= 8


def test_check_prints_its_document_for_right_and_wrong_configs(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    config = write_config()
    assert check(dltrain("check", config, "--json"), "check")["valid"] is True
    loss = {"type": "sparse_categorical_crossentropy", "from_logits": False}
    warned = dltrain("check", write_config(loss=loss), "--json")
    assert len(check(warned, "check")["warnings"]) == 1
    infinite = dltrain("check", write_config(), "--json", "--set", "optimizer.clipnorm=.inf")
    check(infinite, "check")
    for arguments in (("absent.yaml",), (config, "--set", "training.epochs=0")):
        wrong = dltrain("check", *arguments, "--json")
        assert wrong.code == 2
        assert check(wrong, "check")["valid"] is False


def test_diff_prints_its_document_for_same_and_different_configs(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    one = write_config().rename("one.yaml")
    two = write_config(training__epochs=9, model__layers=["flatten", CONFIG["model"]["layers"][-1]])
    assert check(dltrain("diff", one, one, "--json"), "diff")["same"] is True
    document = check(dltrain("diff", one, two, "--json"), "diff")
    assert [each["change"] for each in document["differences"]] == ["removed", "removed", "changed"]


def test_data_list_and_add_print_their_documents(dltrain: Cli, workplace: Path) -> None:
    files = workplace / "files"
    files.mkdir()
    for prefix, rows in (("train", 60_000), ("t10k", 10_000)):
        for kind, shape in (("images-idx3", (rows, 28, 28)), ("labels-idx1", (rows,))):
            header = bytes((0, 0, 8, len(shape))) + np.array(shape, dtype=">u4").tobytes()
            content = gzip.compress(header + bytes(int(np.prod(shape))), 1)
            (files / f"{prefix}-{kind}-ubyte.gz").write_bytes(content)
    added = dltrain("data", "add", "mnist", files, "--data-dir", "data", "--json")
    assert added.code == 0, added.err
    check(added, "data-add")
    (workplace / "data" / "imdb").mkdir()
    listed = check(dltrain("data", "list", "--data-dir", "data", "--json"), "data-list")
    states = {entry["name"]: entry["state"] for entry in listed["datasets"]}
    assert set(states.values()) == {"built in", "here", "not here", "damaged"}


def test_smoke_prints_its_document_for_what_works_and_what_fails(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    one = dltrain("fit", write_config(REGRESSION), "--smoke", "--json")
    assert one.code == 0, one.err
    check(one, "smoke")
    several = dltrain("smoke", write_config(REGRESSION), write_wrong(), "--json")
    assert several.code == 2
    assert [row["passed"] for row in check(several, "smoke")["configs"]] == [True, False]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_describe_prints_its_document_for_the_map_and_for_every_kind_of_meaning(
    dltrain: Cli, lang: str
) -> None:
    map_ = dltrain("describe", "--json", "--lang", lang)
    assert len(check(map_, "describe")["chapters"]) > 5
    kinds = set()
    for name in ("l2", "training", "optimizer", "layers", "schedules", "glu", "name", "imdb"):
        answered = check(dltrain("describe", name, "--json", "--lang", lang), "describe")
        assert answered["lang"] == lang
        kinds |= {meaning["kind"] for meaning in answered["meanings"]}
    assert kinds == {"concept", "key", "kind", "component", "argument", "dataset"}


def write_wrong() -> Path:
    path = Path("wrong.yaml")
    path.write_text("name: wrong\n")
    return path


@pytest.mark.parametrize("split", ["test", "validation"])
def test_no_key_can_come_or_go_unnoticed(dltrain: Cli, copied_run: Path, split: str) -> None:
    document = dltrain("eval", "tiny", "--split", split, "--json").json
    paths = list(find_objects(document))
    assert len(paths) > 20
    for path in paths:
        longer = deepcopy(document)
        look_up(longer, path)["surprise"] = 1
        assert list(errors(longer, "eval")), path
        for key in look_up(document, path):
            shorter = deepcopy(document)
            del look_up(shorter, path)[key]
            assert list(errors(shorter, "eval")), (*path, key)


def test_no_key_of_thresholds_slices_and_fairness_can_come_or_go_unnoticed(
    dltrain: Cli, write_config: WriteConfig, workplace: Path
) -> None:
    lines = [f"{row % 7},{'fm'[row % 2]},{'yes' if row % 7 > 3 else 'no'}" for row in range(140)]
    (workplace / "rows.csv").write_text("\n".join(["x,sex,paid", *lines]))
    dataset = {"type": "csv", "path": "rows.csv", "target": "paid", "validation_split": 0.3}
    config = write_config(REGRESSION, dataset=dataset)
    assert dltrain("fit", config, "--quiet").code == 0
    options = ("--threshold", "best-f1", "--slice", "sex", "--slice", "x", "--sensitive", "sex")
    document = check(dltrain("eval", "line", *options, "--json"), "eval")
    free = ("numbers", "gaps")  # a key a metric
    for path in find_objects({key: document[key] for key in ("threshold", "slices", "fairness")}):
        if not path:
            continue
        longer = deepcopy(document)
        look_up(longer, path)["surprise"] = 1
        assert list(errors(longer, "eval")), path
        for key in look_up(document, path):
            shorter = deepcopy(document)
            del look_up(shorter, path)[key]
            assert path[-1] in free or list(errors(shorter, "eval")), (*path, key)


@pytest.mark.parametrize("name", [name for name in SCHEMAS if name != "common.json"])
def test_every_object_is_closed_and_every_key_required(name: str) -> None:
    def walk(schema: Any, path: str) -> None:
        if isinstance(schema, list):
            for index, item in enumerate(schema):
                walk(item, f"{path}[{index}]")
        if not isinstance(schema, dict):
            return
        if "properties" in schema and "type" in schema:
            optional = set(schema["properties"]) - set(schema["required"])
            assert optional <= {"problem", *OF_ONE_KIND.get(name, ())}, path
            closed = "additionalProperties" in schema or "unevaluatedProperties" in schema
            # A trial is closed where it is used.
            assert closed or path.endswith("trial"), path
        for key, value in schema.items():
            walk(value, f"{path}/{key}")

    walk(SCHEMAS[name], name)
