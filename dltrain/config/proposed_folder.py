"""Which config would suit a folder of images or of texts? A small network of the usual kind."""

from __future__ import annotations

import statistics
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dltrain.config.class_folders import ClassFiles, list_class_files
from dltrain.config.proposed_layers import write_convolutions
from dltrain.config.proposed_text import (
    TEST_SPLIT,
    Proposal,
    check_class_counts,
    choose_validation_split,
    count,
    describe_classes,
    say,
    write_loss,
    write_training,
)
from dltrain.config.proposed_words import SAMPLED_TEXTS, look_at_texts
from dltrain.errors import DataError

_SAMPLED_IMAGES = 300
_LONGEST_SIDE = 96
_SHORTEST_SIDE = 16


def propose_images(path: Path) -> Proposal:
    """Propose a config for a folder of images. Raises DataError if it can't be trained on."""
    files = list_class_files(path, "image_folder")
    sizes, is_grey = _look_at_images(files)
    (height, width), fit = _choose_size(sizes)
    color = "grey # no colour was seen" if is_grey else "rgb # try: grey, if colour tells nothing"
    rows = sum(len(each) for each in (*files.train, *files.test))
    megabytes = rows * height * width * (1 if is_grey else 3) / 1e6
    heights, widths = zip(*sizes, strict=True)
    seen = (
        *_describe_files(files, "image"),
        f"Height {_say_range(heights)}, width {_say_range(widths)}: {len(sizes):,} were looked at",
    )
    split, trained = _write_splits(files)
    return Proposal(
        title=f"A small convolutional network for the images of {say(path.name)}",
        type="image_folder",
        seen=seen,
        dataset=(
            f"image_size: [{height}, {width}] # {fit}; all take {megabytes:,.1f} MB of memory",
            f"color: {color}",
            *split,
            "augment: # shown differently in every epoch; in training only",
            "  - {type: random_translation, height_factor: 0.1, width_factor: 0.1}",
            "  # try, if a mirrored image is still one of its class:",
            "  # - {type: random_flip, mode: horizontal}",
        ),
        layers=write_convolutions(height, width, len(files.class_names)),
        loss=write_loss(len(files.class_names)),
        training=write_training(trained, epochs=50, patience=8),
    )


def propose_texts(path: Path) -> Proposal:
    """Propose a config for a folder of texts. Raises DataError if it can't be trained on."""
    files = list_class_files(path, "text_folder")
    sample = _sample(files, SAMPLED_TEXTS)
    whole = len(sample) == sum(len(each) for each in files.train)
    facts = look_at_texts((_read(each) for each in sample), whole=whole)
    split, trained = _write_splits(files)
    return Proposal(
        title=f"The average of the words' embeddings, for the texts of {say(path.name)}",
        type="text_folder",
        seen=(*_describe_files(files, "text"), *facts.describe()),
        dataset=(*facts.write_options(), *split),
        layers=facts.write_layers(len(files.class_names)),
        loss=write_loss(len(files.class_names), rate="3e-3"),
        training=write_training(trained, epochs=50, patience=5),
    )


def _describe_files(files: ClassFiles, noun: str) -> list[str]:
    counts = {name: len(each) for name, each in zip(files.class_names, files.train, strict=True)}
    check_class_counts(str(files.path), counts)
    tests = sum(len(each) for each in files.test)
    beside = f", and {tests:,} in test/" if tests else ""
    return [
        f"{count(sum(counts.values()), noun)} in {len(counts)} classes{beside}:",
        *describe_classes(counts),
    ]


def _write_splits(files: ClassFiles) -> tuple[list[str], int]:
    """Return the lines on the splits, and how many rows are then trained on."""
    share = 0 if files.test else TEST_SPLIT
    rows = sum(len(each) for each in files.train) * (1 - share)
    rarest = min(len(each) for each in files.train) * (1 - share)
    validation = choose_validation_split(int(rows), int(rarest))
    lines = [f"validation_split: {validation} # share of the training rows that says when to stop"]
    if not files.test:
        lines.append(f"test_split: {TEST_SPLIT} # share of the rows kept for the last word")
    return lines, round(rows * (1 - validation))


def _sample(files: ClassFiles, most: int) -> Sequence[Path]:
    paths = [path for each in files.train for path in each]
    return paths[:: -(-len(paths) // most)]


def _look_at_images(files: ClassFiles) -> tuple[list[tuple[int, int]], bool]:
    """Return height and width of a sample, and whether none has colours; only headers are read."""
    from PIL import Image

    sizes, grey = [], True
    for path in _sample(files, _SAMPLED_IMAGES):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as image:
                    turned = image.getexif().get(0x0112, 1) >= 5  # EXIF's Orientation
                    width, height = image.size
                    grey = grey and image.mode[0] in "1LI"
        except Exception as error:  # a damaged file raises whatever its decoder stumbles over
            raise DataError(f"{path} is no JPEG, PNG or WebP image: {error}.") from error
        sizes.append((width, height) if turned else (height, width))
    return sizes, grey


def _say_range(sides: Sequence[int]) -> str:
    if min(sides) == max(sides):
        return f"{sides[0]}"
    return f"{min(sides)} to {max(sides)} (median {statistics.median_low(sides)})"


def _choose_size(sizes: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], str]:
    """Return height and width for all images, in the usual proportion, and why."""
    (common, times) = Counter(sizes).most_common(1)[0]
    if times == len(sizes) and min(common) >= _SHORTEST_SIDE and max(common) <= _LONGEST_SIDE:
        return common, "the size of every image"
    height = statistics.median_low([size[0] for size in sizes])
    width = statistics.median_low([size[1] for size in sizes])
    factor = min(1.0, _LONGEST_SIDE / max(height, width))
    sides = tuple(max(_SHORTEST_SIDE, round(side * factor / 8) * 8) for side in (height, width))
    return (sides[0], sides[1]), "height and width; larger sees more and takes longer"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text: {error}.",
            hint=f"Convert it, for example with: iconv -f LATIN1 -t UTF-8 {path.name}",
        ) from error
