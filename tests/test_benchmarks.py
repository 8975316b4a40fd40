"""Do the two sides of a benchmark train the same, and is what they take measured right?"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dltrain.config.load import LoadedConfig, load_config
from dltrain.model.network import InputSpec, Normalization, build_network

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
WORKS = ["mnist_dense", "mnist_cnn", "imdb_pooling", "imdb_lstm"]
PARAMETERS = {
    "mnist_dense": 784 * 128 + 128 + 128 * 10 + 10,
    "mnist_cnn": 34_826,
    "imdb_pooling": 20_000 * 64 + 64 + 1,
    "imdb_lstm": 10_000 * 32 + 2 * 4 * (32 * 32 + 32 * 32 + 32) + 64 + 1,
}

works = pytest.mark.parametrize("work", WORKS)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that imports a file of benchmarks/ by its name."""
    monkeypatch.syspath_prepend(FOLDER)
    before = set(sys.modules)

    def load_module(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load_module
    own = {path.stem for path in FOLDER.glob("*.py")}
    for name in set(sys.modules) - before & own:
        sys.modules.pop(name, None)


def read(work: str) -> LoadedConfig:
    return load_config(FOLDER / f"{work}.yaml")


def build_from_config(work: str) -> Any:
    loaded = read(work)
    is_text = loaded.info.modality == "text"
    spec = InputSpec(
        (loaded.config.dataset.max_length,) if is_text else loaded.info.shape,
        "int32" if is_text else "float32",
        None if is_text else Normalization(scale=(255.0,)),
    )
    return build_network(loaded.layers, spec, name=work)


def describe_layers(model: Any) -> list[Any]:
    """Return each layer's class, settings and parameters, without input, scaling and names."""
    descriptions = []
    for layer in model.layers:
        if type(layer).__name__ in ("InputLayer", "Rescaling"):
            continue
        settings = layer.get_config()
        kept = ("units", "filters", "kernel_size", "activation", "rate", "pool_size", "mask_zero")
        descriptions.append(
            (
                type(layer).__name__,
                {name: settings[name] for name in kept if name in settings},
                layer.count_params(),
                tuple(layer.output.shape),
            )
        )
    return descriptions


@works
def test_the_script_builds_the_model_of_the_config(work: str, load: Any) -> None:
    dataset, model = work.split("_")
    script = load(f"keras_{dataset}")
    of_script = script.MODELS[model]()
    of_config = build_from_config(work)
    assert describe_layers(of_script) == describe_layers(of_config)
    assert of_script.count_params() == of_config.count_params() == PARAMETERS[work]


@works
def test_the_script_takes_the_configs_batches_words_and_learning_rate(work: str, load: Any) -> None:
    dataset, model = work.split("_")
    config = read(work).config
    script = load(f"keras_{dataset}")
    assert config.training.batch_size == script.BATCH_SIZE
    assert config.training.monitor == "val_accuracy"
    assert config.optimizer == {"type": "adam", "learning_rate": 1e-3}
    assert "keras.optimizers.Adam(1e-3)" in Path(script.__file__).read_text()
    if dataset == "imdb":
        assert config.dataset.max_words == script.WORDS[model]
        assert config.dataset.max_length == script.LENGTH[model]


@pytest.mark.parametrize("work", ["mnist_dense", "mnist_cnn"])
def test_the_pytorch_model_has_as_many_parameters(work: str, load: Any) -> None:
    pytest.importorskip("torch")
    model = load("torch_mnist").MODELS[work.split("_")[1]]()
    assert sum(parameter.numel() for parameter in model.parameters()) == PARAMETERS[work]


def test_the_tuner_builds_the_models_of_the_sweep_in_its_space(load: Any) -> None:
    tuner = pytest.importorskip("keras_tuner")
    script, benchmark = load("keras_tuner_digits"), load("sweep")
    loaded = read("quickstart_sweep")
    config, space = loaded.config, loaded.sweep
    assert space is not None
    assert config.name == benchmark.NAME
    assert (config.training.batch_size, config.training.epochs) == (
        script.BATCH_SIZE,
        script.EPOCHS,
    )
    assert config.training.early_stopping is not None
    assert config.training.early_stopping.patience == script.PATIENCE
    hp = tuner.HyperParameters()
    script.build(hp)
    units, rate, learning_rate = (hp._hps[name][0] for name in ("units", "rate", "learning_rate"))
    mine = {each.key: each for each in space.dimensions}
    assert set(mine) == set(benchmark.PATHS.values())
    assert tuple(units.values) == tuple(mine["model.layers[1].units"].points or ())
    for theirs, key in ((rate, "model.layers[2].rate"), (learning_rate, "optimizer.learning_rate")):
        assert (theirs.min_value, theirs.max_value) == (mine[key].low, mine[key].high)
    assert (rate.sampling, learning_rate.sampling) == ("linear", "log")
    given = {"units": 64, "rate": 0.2, "learning_rate": 3e-3}
    hp.values.update(given)
    assert describe_layers(script.build(hp)) == describe_layers(
        build_network(
            loaded.layers,
            InputSpec(loaded.info.shape, "float32", Normalization(scale=(16.0,))),
            name="sweep",
        )
    )


def test_what_a_trial_takes_beyond_its_training_is_a_median_over_trials(load: Any) -> None:
    took = {"0001": 2.0, "0002": 3.5, "0003": 9.0}
    epochs = {"0001": [1.0, 0.5, 0.25], "0002": [1.5, 0.5, 0.5], "0003": [4.0, 4.0]}
    assert load("sweep").measure_overhead(took, epochs) == {
        "trial_seconds": 3.5,
        "overhead_seconds": 1.0,  # of 0.25, 1.0, 1.0
        "steady_overhead_seconds": 1.0,  # of 0.5, 2.0, 1.0
    }


def test_a_sweeps_table_holds_rates_ratios_and_goals(load: Any) -> None:
    rates = {"sweep": [60.0, 90.0], "fit": [10.0, 10.0], "keras_tuner": [50.0, 90.0]}
    own = {"overhead_seconds": 0.31, "steady_overhead_seconds": 0.5, "trial_seconds": 1.25}
    records = [
        {"side": side, "pair": pair, "trials_per_minute": rate, **(own if side == "sweep" else {})}
        for side, both in rates.items()
        for pair, rate in enumerate(both)
    ]
    assert load("sweep").make_table(records).splitlines()[2:] == [
        "| sweep | 75.0 |  |",
        "| fit | 10.0 | 7.50 (6.00 to 9.00) (≥ 5: yes) |",
        "| keras_tuner | 70.0 | 1.10 (1.00 to 1.20) (≥ 1.5: NO) |",
        "",
        "a trial: 1.25 s, of which 0.31 s beyond its epochs (< 0.3: NO), "
        "0.50 s with the tracing of its first",
    ]


def test_a_script_knows_nothing_of_dltrain() -> None:
    scripts = [*FOLDER.glob("*_mnist.py"), *FOLDER.glob("*_imdb.py"), *FOLDER.glob("*_digits.py")]
    assert len(scripts) == 5
    for script in scripts:
        assert "import dltrain" not in script.read_text()
        assert "from dltrain" not in script.read_text()


PROGRAM = """
import sys, time
print("Epoch 1/3")
for epoch in (1, 2, 3):
    block = bytearray(200_000_000 if epoch == 2 else 1)
    block[::4096] = b"x" * len(block[::4096])
    time.sleep(0.6 if epoch == 1 else 0.2)
    print(*LINE, sep="", flush=True)
    print("epoch of noise", file=sys.stderr, flush=True)
sys.exit(CODE)
"""


@pytest.mark.parametrize("line", ["'epoch ', epoch, '/3 * loss 0.1'", "'7/7 - 1s - loss: 0.1'"])
def test_epochs_time_and_memory_are_measured_from_outside(
    line: str, load: Any, tmp_path: Path
) -> None:
    code = PROGRAM.replace("*LINE", line).replace("CODE", "0")
    took = load("process").measure_process(
        [sys.executable, "-c", code], cwd=tmp_path, environment={}
    )
    assert len(took.epoch_ends) == 3
    assert took.epoch_ends[0] >= 0.6
    assert 0.2 <= took.steady_epoch_seconds < 0.6
    assert took.seconds >= 1.0
    assert 200e6 < took.peak_memory_bytes < 400e6


def test_a_process_that_fails_is_an_error_with_its_output(load: Any, tmp_path: Path) -> None:
    code = PROGRAM.replace("*LINE", "'words of the program'").replace("CODE", "3")
    with pytest.raises(RuntimeError, match=r"exited with 3:\n(.*\n)*words of the program"):
        load("process").measure_process([sys.executable, "-c", code], cwd=tmp_path, environment={})


def test_a_ratio_is_the_median_of_the_ratios_of_the_pairs(load: Any) -> None:
    seconds = {"dltrain": [1.0, 2.0, 9.0], "keras": [2.0, 8.0, 10.0]}
    records = [
        {
            "work": "mnist_cnn",
            "side": side,
            "pair": pair,
            "steady_epoch_seconds": value,
            "seconds": value,
            "peak_memory_bytes": 2**20,
            "test_accuracy": 0.9 + 0.01 * pair,
        }
        for side, values in seconds.items()
        for pair, value in enumerate(values)
    ]
    summary = load("summary")
    (found,) = summary.summarize(records)
    assert found["pairs"] == 3
    assert found["seconds"] == {
        "dltrain": 2.0,
        "script": 8.0,
        "ratio": 0.5,
        "lowest": 0.25,
        "highest": 0.9,
    }
    assert found["test_accuracy"]["dltrain"] == {"mean": 0.91, "deviation": 0.01}
    assert found["test_accuracy"]["difference"] == {"mean": 0.0, "deviation": 0.0}
    table = summary.make_table([found])
    assert "| mnist_cnn | keras | **0.50** (≤ 1: yes), 2.00 / 8.00 s |" in table
    assert "**1.00** (≤ 1.1: yes), 1 / 1 MiB | 0.9100 ± 0.0100 | 0.9100 ± 0.0100 |" in table
