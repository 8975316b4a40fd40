"""Does `dltrain data show` show what the training gets, and refuse what it can't write?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from own_files import write_lines
from PIL import Image
from tiny_runs import CONFIG, REGRESSION, Result

from dltrain.config.load import load_config
from dltrain.data.batches import order_rows
from dltrain.data.load import load_data
from dltrain.training.samples import augment_rows, choose_rows, read_texts

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]

AUGMENT = [
    {"type": "random_translation", "height_factor": 0.3, "width_factor": 0.3},
    {"type": "random_rotation", "factor": 0.1},
]


def load(path: Path) -> tuple[Any, Any]:
    loaded = load_config(path)
    config = loaded.config
    return loaded, load_data(config.dataset, seed=config.seed, data_dir=Path(), splits=("train",))


def test_augmented_images_become_a_picture(dltrain: Cli, write_config: WriteConfig) -> None:
    result = dltrain("data", "show", write_config(dataset__augment=AUGMENT))
    assert (result.code, result.out) == (0, "tiny-data.png\n"), result.err
    with Image.open("tiny-data.png") as image:
        assert image.width > 1200
        assert len(image.convert("L").getcolors() or ()) > 10


def test_rows_are_augmented_exactly_as_the_training_does(
    workplace: Path, write_config: WriteConfig
) -> None:
    loaded, data = load(write_config(dataset__augment=AUGMENT))
    rows = choose_rows(data.tables["train"].labels, 4)
    seen = augment_rows(loaded, data, rows, epochs=2)

    import tensorflow as tf

    from dltrain.training.prepare import prepare_augmentation

    table, config = data.tables["train"], loaded.config
    augment = prepare_augmentation(loaded, data, loaded.targets)
    assert augment is not None
    order = order_rows(len(table), seed=config.seed, epoch=1, shuffle=True)
    place = int(np.flatnonzero(order == rows[2])[0])
    step = place // 64
    batch = order[step * 64 : step * 64 + 64]
    numbers = [tf.constant(batch), tf.constant(1, tf.int64), tf.constant(step, tf.int64)]
    labels = tf.constant(table.labels[batch])
    images, _ = tf.function(augment, autograph=False)(
        tf.constant(table.take(batch), tf.float32), labels, *numbers
    )
    np.testing.assert_allclose(seen[2, 1], images[place - step * 64], atol=1e-4)
    assert np.abs(seen[2, 0] - seen[2, 1]).max() > 1, "each epoch has its own"


def test_images_that_are_not_augmented_are_shown_as_they_are(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    result = dltrain("data", "show", write_config(), "-o", "seen.svg")
    assert (result.code, result.out) == (0, "seen.svg\n"), result.err
    text = Path("seen.svg").read_text()
    assert "not augmented" in text
    assert text.count("<image") == 24


def test_a_table_is_printed_normalized(dltrain: Cli, write_config: WriteConfig) -> None:
    path = write_config(REGRESSION)
    result = dltrain("data", "show", path)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0].endswith("training rows, normalized by the training rows")
    assert lines[1].split() == [word for row in range(6) for word in ("row", str(row))]
    assert lines[-1].startswith("target")
    assert all(len(line) <= 80 for line in lines)
    _, data = load(path)
    scaled = (data.tables["train"].take(slice(6)) - data.scaling.mean) / data.scaling.scale
    assert lines[3].split()[2:] == [f"{value:.3f}" for value in scaled[:, 0]]
    assert dltrain("data", "show", path, "-o", "table.txt").out == "table.txt\n"
    assert Path("table.txt").read_text() == result.out


def test_texts_show_how_many_words_are_cut(
    dltrain: Cli, write_config: WriteConfig, workplace: Path
) -> None:
    for name, text in (("no", "bad " + "film " * 8), ("yes", "good fun " + "more " * 8)):
        (workplace / "texts" / name).mkdir(parents=True)
        for number in range(20):
            write_lines(workplace / "texts" / name / f"{number}.txt", f"{text} rare{number} $x$")
    dataset = {
        "type": "text_folder",
        "path": str(workplace / "texts"),
        "max_words": 8,
        "max_length": 6,
        "truncate": "end",
        "validation_split": 0.2,
        "test_split": 0.2,
    }
    layers = [
        {"type": "embedding", "input_dim": 8, "output_dim": 4},
        {"type": "global_average_pooling1d"},
        {"type": "dense", "units": 1},
    ]
    path = write_config(
        {**CONFIG, "dataset": dataset, "model": {"layers": layers}}, training__batch_size=8
    )
    _, data = load(path)
    seen = read_texts(data, range(len(data.tables["train"])))
    longest = next(text for text in seen if text.words[0][0] == "good")
    assert len(longest.words) == 12
    assert [kind for _, kind in longest.words].count("cut") == 6
    assert longest.padding == 0
    result = dltrain("data", "show", path, "-o", "seen.svg")
    assert (result.code, result.out) == (0, "seen.svg\n"), result.err
    svg = Path("seen.svg").read_text()
    assert "0 of padding" in svg
    assert "6 cut off" in svg


def test_a_place_that_can_not_be_written_is_refused_before_anything_is_loaded(
    dltrain: Cli, write_config: WriteConfig, workplace: Path
) -> None:
    path = write_config()
    for output, reason in (
        (".", ". is a directory; expected the path of a file."),
        ("a.gif", "expected a name that ends in .png or .svg, received a.gif."),
        ("absent/a.png", "there is no directory absent."),
    ):
        result = dltrain("data", "show", path, "--output", output)
        assert (result.code, result.err) == (2, f"error: --output: {reason}\n")
