"""Does a folder of more images than memory should hold train with flat memory?"""

from __future__ import annotations

import json
import random
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from own_files import write_image, write_lines
from processes import run_dltrain

# As `python -m dltrain`, and at the end the most memory that the process had, in kB (Linux).
MEASURING = """
import os, resource
from pathlib import Path
from dltrain.cli import main
from dltrain.data import own_images
own_images.LARGEST_IN_MEMORY = {limit}
leave = os._exit
def measure_and_leave(code):
    Path("peak.txt").write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
    leave(code)
os._exit = measure_and_leave
try:
    main()
except SystemExit as end:
    measure_and_leave(end.code or 0)
"""
SIDE = 256
BYTES = SIDE * SIDE * 3


def write_shades(folder: Path, images: int) -> None:
    """Write tiny images, dark and light ones, that are decoded to SIDE by SIDE pixels."""
    chance = random.Random(0)
    for number in range(64):
        pixels = np.full((8, 8, 3), chance.randint(0, 99) + 150 * (number % 2))
        pixels[number // 8, number % 8] = 255  # no two are the same
        write_image(folder / ("dark", "light")[number % 2] / f"{number}.png", pixels)
    for number in range(64, images):
        kind = ("dark", "light")[number % 2]
        shutil.copy(folder / kind / f"{number % 64}.png", folder / kind / f"{number}.png")


def train(workplace: Path, *, images: int, limit: int) -> tuple[dict[str, float], int]:
    """Train on a new folder of images; return its test scores and the most memory it took."""
    write_shades(workplace / "photos", images)
    write_lines(
        workplace / "c.yaml",
        "dataset:",
        "  type: image_folder",
        "  path: photos",
        f"  image_size: [{SIDE}, {SIDE}]",
        "  validation_split: 0.3",
        "model:",
        "  layers:",
        "    - {type: average_pooling2d, pool_size: 64}",
        "    - flatten",
        "    - {type: dense, units: 1}",
        "optimizer: {type: adam, learning_rate: 0.05}",
        "training: {batch_size: 32, epochs: 1, input: stream}",
    )
    result = run_dltrain(
        *("fit", "c.yaml", "--device", "cpu", "--json", "--run-dir", "run", "--data-dir", "data"),
        folder=workplace,
        program=MEASURING.format(limit=limit),
        timeout=3_000,
    )
    assert result.code == 0, result.err
    peak_bytes = int((workplace / "peak.txt").read_text()) * 1024
    metrics = json.loads((workplace / "run" / "metrics.json").read_text())
    return metrics.get("splits", metrics)["test"], peak_bytes


@pytest.mark.timeout(600)
def test_memory_does_not_grow_with_the_images(tmp_path: Path) -> None:
    peaks = []
    for images in (1_300, 5_200):  # each split has more rows than a batch of predictions
        (tmp_path / str(images)).mkdir()
        _, peak = train(tmp_path / str(images), images=images, limit=1 << 20)
        peaks.append(peak)
    grown = peaks[1] - peaks[0]
    assert grown < 0.5 * 3_900 * BYTES, f"{grown / 1e6:.0f} MB more for {3_900 * BYTES / 1e6:.0f}"


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_four_gigabytes_of_images_train_below_two_and_a_half(tmp_path: Path) -> None:
    images = -(-4 * 2**30 // BYTES)
    begin = time.monotonic()
    scores, peak = train(tmp_path, images=images, limit=1 << 30)
    print(  # docs/data.md has these figures; shown with -s
        f"{images:,} images, {images * BYTES / 1e9:.2f} GB decoded: peak {peak / 1e9:.2f} GB, "
        f"{time.monotonic() - begin:.0f} s with the making of the files"
    )
    assert peak < 2.5e9, f"{peak / 1e9:.2f} GB"
    assert scores["accuracy"]["value"] > 0.9  # type: ignore[index]
