"""What data of one's own do the tests write? Small, and learnable where it is trained on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt


def write_lines(path: Path, *lines: str) -> Path:
    """Write lines of text in UTF-8."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_flowers(path: Path, *, rows: int = 150) -> Path:
    """Write a CSV of three classes that length and colour tell apart, with missing values."""
    chance = random.Random(0)
    lines = ["id,length,colour,species"]
    for row in range(rows):
        species = "abc"[row % 3]
        length = "" if row % 17 == 0 else f"{'abc'.index(species) + chance.gauss(0, 0.1):.2f}"
        colour = {"a": "red", "b": "", "c": "blue"}[species]
        lines.append(f"row {row},{length},{colour},{species}")
    return write_lines(path, *lines)


def write_houses(path: Path, *, rows: int = 150) -> Path:
    """Write a CSV, as pandas writes its index, whose price follows from rooms, area and town."""
    chance = random.Random(0)
    lines = [",rooms,area,town,price"]
    for row in range(rows):
        rooms, area = chance.randint(1, 6), chance.uniform(20, 200)
        town = chance.choice(["Ulm", '"Graz, Süd"'])
        price = 50_000 * rooms + 1_500 * area + (80_000 if town == "Ulm" else 0)
        lines.append(f"{row},{rooms},{area:.1f},{town},{price + chance.gauss(0, 5_000):.2f}")
    return write_lines(path, *lines)


def write_visits(path: Path, *, rows: int = 150) -> Path:
    """Write a CSV with dates and sentences, both of which tell the class."""
    chance = random.Random(0)
    lines = ["visited,said,nights,again"]
    for row in range(rows):
        again = row % 2
        words = ["lovely", "quiet"] if again else ["noisy", "cold"]
        said = " ".join([*chance.choices(["room", "bed", "street"], k=4), *words, f"r{row}"])
        day = f"2025-{chance.randint(1, 6) + 6 * again:02}-{chance.randint(1, 28):02}"
        lines.append(f"{day},{said},{chance.randint(1, 9)},{'yes' if again else 'no'}")
    return write_lines(path, *lines)


def write_json_reviews(path: Path, *, texts: int = 60) -> Path:
    """Write a file of JSON lines of two classes, `texts` of each, told apart by their words."""
    chance = random.Random(0)
    lines = []
    for row in range(2 * texts):
        words = ["awful", "boring"] if row % 2 else ["great", "lovely"]
        text = chance.choices(["film", "actor", "scene", "it"], k=8) + chance.choices(words, k=3)
        chance.shuffle(text)
        record = {"id": row, "review": " ".join(text), "label": "bad" if row % 2 else "good"}
        lines.append(json.dumps(record))
    return write_lines(path, *lines)


def write_parquet_houses(path: Path) -> Path:
    """Write the houses of `write_houses` as a Parquet file."""
    import pyarrow.csv
    import pyarrow.parquet

    table = pyarrow.csv.read_csv(write_houses(path.with_suffix(".csv")))
    names = [name or "id" for name in table.column_names]
    pyarrow.parquet.write_table(table.rename_columns(names), path)
    return path


def write_npz_photos(path: Path, *, images: int = 80) -> Path:
    """Write dark and light grey images of 20 by 24 pixels as the arrays x and y."""
    rng = np.random.default_rng(0)
    labels = np.arange(images) % 2
    pixels = rng.integers(0, 120, (images, 20, 24)) + 130 * labels[:, None, None]
    np.savez(path, x=pixels.astype(np.uint8), y=labels)
    return path


def write_reviews(path: Path, *, texts: int = 60) -> Path:
    """Write a folder of texts of two classes, `texts` of each, told apart by one word."""
    chance = random.Random(0)
    for name, words in (("bad", ["awful", "boring"]), ("good", ["great", "lovely"])):
        (path / name).mkdir(parents=True)
        for number in range(texts):
            text = chance.choices(["film", "actor", "scene", "it"], k=8) + chance.choices(
                words, k=3
            )
            chance.shuffle(text)
            write_lines(path / name / f"{number}.txt", " ".join(text))
    return path


def write_image(path: Path, pixels: npt.ArrayLike, **options: object) -> Path:
    """Write an image of `(height, width)` or `(height, width, channels)` pixels."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.asarray(pixels)
    array = array if array.dtype == np.uint16 else array.astype(np.uint8)
    Image.fromarray(array).save(path, **options)  # type: ignore[arg-type]
    return path


def write_photos(path: Path, *, splits: Iterable[str] = ("",), images: int = 40) -> Path:
    """Write a folder of dark and light images of 20 by 24 pixels, `images` a class and split."""
    rng = np.random.default_rng(0)
    for split in splits:
        for name, offset in (("dark", 0), ("light", 130)):
            for number in range(images):
                suffix = ("png", "jpg", "webp")[number % 3]
                pixels = rng.integers(0, 120, (20, 24, 3)) + offset
                write_image(path / split / name / f"{number}.{suffix}", pixels)
    return path
