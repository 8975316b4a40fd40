"""Do the shipped configs build, and do they reach on the real data what their headers promise?

The slow ones want the datasets prepared (`dltrain data fetch`, or `data add`) and take half an
hour on two cores: `pytest -m slow tests/test_configs.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dltrain.config.load import load_config

CONFIGS = Path(__file__).parent.parent / "configs"

# Config → (headline metric on test must reach, seconds for the whole command on two cores).
PROMISES = {
    "quickstart": (0.96, 30),
    "mnist_mlp": (0.982, None),
    "mnist_mlp_sweep": (0.982, None),  # `fit` trains it as it stands
    "mnist_cnn": (0.993, 600),
    "cifar10_cnn": (0.78, 1200),
    "imdb_fasttext": (0.895, 240),
    "imdb_cnn": (0.87, 600),
    "imdb_lstm": (0.85, 1200),
    "imdb_transformer": (0.86, 1200),
    "imbalanced": (0.96, None),
    "mnist_pretrain": (0.99, 240),
    "regression": (0.8, None),
    "diabetes": (0.40, None),
}


def names() -> list[str]:
    return sorted(path.stem for path in CONFIGS.glob("*.yaml"))


@pytest.mark.parametrize("name", names())
def test_shipped_config_is_right_and_says_what_it_shows(name: str) -> None:
    load_config(CONFIGS / f"{name}.yaml")
    header = (CONFIGS / f"{name}.yaml").read_text().split("\nname:")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "Reaches" in header


def test_every_shipped_config_has_a_promise() -> None:
    assert set(names()) == set(PROMISES) | {"cifar10_resnet20", "mnist_finetune"}


def test_every_shipped_config_stands_in_the_readme_table() -> None:
    readme = (CONFIGS.parent / "README.md").read_text()
    missing = [name for name in names() if f"(configs/{name}.yaml)" not in readme]
    assert not missing


def test_resnet20_has_the_parameters_of_the_paper() -> None:
    from dltrain.model.network import InputSpec, build_network

    loaded = load_config(CONFIGS / "cifar10_resnet20.yaml")
    model = build_network(loaded.layers, InputSpec((32, 32, 3), "float32"), name="resnet20")
    trainable = sum(int(weight.numpy().size) for weight in model.trainable_weights)
    # He et al. 2015, table 6: 0.27 M. Projections instead of padded shortcuts add 2,752.
    assert round(trainable / 1e6, 2) == 0.27
    assert sum(layer.type == "conv2d" for layer in loaded.layers) == 19 + 2


def run_dltrain(*arguments: str | Path) -> str:
    command = [sys.executable, "-m", "dltrain", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", PROMISES)
def test_config_reaches_its_promise_on_real_data(name: str, tmp_path: Path) -> None:
    least, most_seconds = PROMISES[name]
    run = tmp_path / "run"
    begun = time.monotonic()
    run_dltrain("fit", CONFIGS / f"{name}.yaml", "--run-dir", run, "--quiet")
    seconds = time.monotonic() - begun
    scores = json.loads((run / "metrics.json").read_text())["splits"]["test"]
    value = scores[scores["headline"]]["value"]
    status = json.loads((run / "status.json").read_text())
    epochs = status["epochs_done"]
    print(f"\n{name}: {scores['headline']} {value:.4f}, {seconds:.0f} s, {epochs} epochs")
    assert value >= least
    assert most_seconds is None or seconds < most_seconds
    again = json.loads(run_dltrain("eval", run, "--json"))
    assert {key: again[key] for key in scores} == scores


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_imbalanced_finds_the_rare_class_more_often_than_without_a_cure(tmp_path: Path) -> None:
    recalls = []
    for name, flags in {"cured": (), "not": ("--set", "training.balance=null")}.items():
        run = tmp_path / name
        run_dltrain("fit", CONFIGS / "imbalanced.yaml", "--run-dir", run, "--quiet", *flags)
        scores = json.loads((run / "metrics.json").read_text())["splits"]["test"]
        (rare,) = [each for each in scores["per_class"] if each["class"] == "3"]
        assert rare["support"] == 1010, "test rows all stay"
        recalls.append(rare["recall"])
    print(f"\nimbalanced: recall of the threes {recalls[0]:.3f}, without a cure {recalls[1]:.3f}")
    assert recalls[0] >= 0.8
    assert recalls[0] > recalls[1] + 0.1


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_finetune_gains_over_new_weights_on_the_mean_of_three_seeds(tmp_path: Path) -> None:
    source, config = tmp_path / "source", CONFIGS / "mnist_finetune.yaml"
    run_dltrain("fit", CONFIGS / "mnist_pretrain.yaml", "--run-dir", source, "--quiet")
    ways = {
        "tuned": (f"model.from_run.run={source}",),
        "new": ("model.from_run=null", "training.phases=null", "training.epochs=40"),
    }
    means = {}
    for name, values in ways.items():
        flags = [part for value in values for part in ("--set", value)]
        run = tmp_path / name
        told = run_dltrain(
            "fit", config, "--repeats", "3", "--run-dir", run, "--quiet", "--json", *flags
        )
        means[name] = json.loads(told)["splits"]["test"]["accuracy"]["mean"]
    print(f"\nmnist_finetune: {means['tuned']:.4f}, from new weights {means['new']:.4f}")
    assert means["tuned"] >= 0.9
    assert means["tuned"] > means["new"] + 0.02


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_resnet20_trains_an_epoch_on_real_data(tmp_path: Path) -> None:
    run = tmp_path / "run"
    config = CONFIGS / "cifar10_resnet20.yaml"
    run_dltrain("fit", config, "--epochs", "1", "--run-dir", run, "--quiet")
    scores = json.loads((run / "metrics.json").read_text())["splits"]["test"]
    print(f"\nresnet20 after one epoch: {scores['accuracy']['value']:.4f}")
    assert scores["accuracy"]["value"] > 2 * scores["baseline"]["accuracy"]["value"]
