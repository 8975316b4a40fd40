"""Is every mistake in `trackers:` told with place and nearest name, and is a default written?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from dltrain.config.dump import dump_config
from dltrain.config.json_schema import make_json_schema
from dltrain.config.load import load_config
from dltrain.errors import ConfigError
from dltrain.training.resume import list_differences

BASE = """
dataset: digits
model: {layers: [flatten, {type: dense, units: 10}]}
"""
VALIDATOR = jsonschema.Draft202012Validator(make_json_schema())


def load(folder: Path, text: str) -> Any:
    path = folder / "c.yaml"
    path.write_text(f"{BASE}trackers: {text}\n")
    return load_config(path)


def is_accepted_by_editors(text: str) -> bool:
    return VALIDATOR.is_valid(yaml.safe_load(f"{BASE}trackers: {text}\n"))


def test_a_bare_name_stands_for_all_defaults_and_comes_back_the_same(tmp_path: Path) -> None:
    loaded = load(tmp_path, "[tensorboard, {type: mlflow}, {type: wandb, project: null}]")
    assert loaded.config.trackers == [
        {"type": "tensorboard", "histogram_freq": 1, "timeout_seconds": 60.0},
        {"type": "mlflow", "log_model": True, "timeout_seconds": 60.0},
        {"type": "wandb", "tags": [], "log_model": True, "timeout_seconds": 60.0},
    ]
    again = tmp_path / "again.yaml"
    again.write_text(dump_config(loaded.config))
    assert load_config(again).config == loaded.config
    assert is_accepted_by_editors(again.read_text().partition("trackers:")[2])


@pytest.mark.parametrize(
    "text",
    [
        "{type: mlflow, tracking_uri: 'http://127.0.0.1:5000', experiment_name: a}",
        "{type: mlflow, tracking_uri: sqlite:///runs.db, registered_model_name: m}",
        "{type: mlflow, tracking_uri: databricks, log_model: false}",
        "{type: wandb, mode: offline, entity: us, group: g, tags: [a, b], timeout_seconds: 5}",
        "{type: tensorboard, histogram_freq: 0}",
    ],
)
def test_what_is_right_is_taken_by_check_and_by_editors(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, f"[{text}]").config.trackers
    assert is_accepted_by_editors(f"[{text}]")


SECRET = "a config holds no secret; {} takes it from the environment. Use {}."
MISTAKES = {
    "[tensorbord]": (
        "trackers[0]",
        "there is no tracker 'tensorbord'. Did you mean 'tensorboard'?",
    ),
    "[{type: comet}]": (
        "trackers[0].type",
        "there is no tracker 'comet'. There are tensorboard, mlflow, wandb.",
    ),
    "[{typ: mlflow}]": (
        "trackers[0]",
        "a tracker needs `type:`, the name of one; 'typ' is there. Did you mean 'type'?",
    ),
    "[{project: x}]": (
        "trackers[0]",
        "a tracker needs `type:`, the name of one. One of tensorboard, mlflow, wandb.",
    ),
    "[3]": (
        "trackers[0]",
        "expected a tracker by name or a mapping with type:, received the number 3.",
    ),
    "[{type: 3}]": (
        "trackers[0].type",
        "expected the name of a tracker, received the number 3.",
    ),
    "{type: wandb}": ("trackers", "expected a list, received a mapping."),
    "[{type: mlflow, experiment: a}]": (
        "trackers[0].experiment",
        "mlflow has no key 'experiment'. Did you mean 'experiment_name'?",
    ),
    "[{type: mlflow, port: 1}]": (
        "trackers[0].port",
        "mlflow has no key 'port'. It takes type, tracking_uri, experiment_name, "
        "registered_model_name, log_model, timeout_seconds.",
    ),
    "[{type: wandb, mode: ofline}]": (
        "trackers[0].mode",
        "expected one of online, offline, received the text 'ofline'. Did you mean 'offline'?",
    ),
    "[{type: wandb, tags: [1]}]": (
        "trackers[0].tags[0]",
        "expected a text, received the number 1.",
    ),
    "[{type: wandb, project: ''}]": (
        "trackers[0].project",
        "expected a text of at least one character, received the text ''.",
    ),
    "[{type: tensorboard, histogram_freq: -1}]": (
        "trackers[0].histogram_freq",
        "expected a number >= 0, received the number -1.",
    ),
    "[{type: tensorboard, timeout_seconds: 0}]": (
        "trackers[0].timeout_seconds",
        "expected a number > 0, received the number 0.",
    ),
    "[{type: mlflow, tracking_uri: ./mlruns}]": (
        "trackers[0].tracking_uri",
        "MLflow keeps runs in a server or a database, no longer in a folder of files. "
        "For example http://127.0.0.1:5000, or sqlite:///mlflow.db.",
    ),
    "[{type: mlflow, tracking_uri: 'file:///mlruns'}]": (
        "trackers[0].tracking_uri",
        "MLflow keeps runs in a server or a database, no longer in a folder of files. "
        "For example http://127.0.0.1:5000, or sqlite:///mlflow.db.",
    ),
    "[{type: mlflow, tracking_uri: 'https://me:secret@host'}]": (
        "trackers[0].tracking_uri",
        SECRET.format("mlflow", "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
    ),
    "[{type: wandb, api_key: abc}]": (
        "trackers[0].api_key",
        SECRET.format("wandb", "WANDB_API_KEY, or `wandb login`"),
    ),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_and_underlined_by_editors(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    (problem,) = caught.value.problems
    assert (problem.key, f"{problem.message} {problem.hint}".strip()) == MISTAKES[text]
    assert problem.line == 4
    assert not is_accepted_by_editors(text)


def test_a_tracker_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "[mlflow, tensorboard, {type: mlflow, experiment_name: a}]")
    (problem,) = caught.value.problems
    assert str(problem).endswith(
        "  trackers[2]\n  mlflow stands twice among the trackers. Leave one of them out."
    )


def test_trackers_may_change_when_a_run_goes_on(tmp_path: Path) -> None:
    one = load(tmp_path, "[tensorboard, {type: wandb, mode: online}]").config
    other = load(tmp_path, "[{type: wandb, mode: offline}, mlflow]").config
    assert list_differences(one, other) == []
