"""Which config would suit the arrays of an .npz file? A network for images, or for a table."""

from __future__ import annotations

from pathlib import Path

from dltrain.config.npz_arrays import plan_npz, read_array
from dltrain.config.proposed_layers import (
    write_convolutions,
    write_dense_network,
    write_target_scale,
)
from dltrain.config.proposed_text import (
    LEAST_ROWS,
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
from dltrain.errors import DataError


def propose_arrays(path: Path) -> Proposal:
    """Propose a config for an .npz file. Raises DataError if it can't be trained on.

    Whole numbers in two dimensions are taken for a table; a comment says how to take them for ids.
    """
    plan = plan_npz({"path": path})
    info = plan.info
    if info.train_rows < LEAST_ROWS:
        raise DataError(
            f"{path} has {count(info.train_rows, 'row')}; expected at least {LEAST_ROWS}, for "
            "training and validation rows."
        )
    classes = dict(zip(info.class_names, info.class_counts, strict=True))
    check_class_counts(str(path), classes)
    share = 0 if info.test_rows else TEST_SPLIT
    left = round(info.train_rows * (1 - share))
    rarest = min(classes.values()) * (1 - share) if classes else left
    validation = choose_validation_split(left, int(rarest))
    is_image = info.modality == "image"
    tests = f", and {info.test_rows:,} of a test split" if info.test_rows else ""
    what = "image" if is_image else "row"
    shape = " by ".join(str(side) for side in info.shape)
    seen = [f"{count(info.train_rows, what)} of {shape}{'' if is_image else ' features'}{tests}"]
    if classes:
        seen += [f"{len(classes)} classes, with their rows:", *describe_classes(classes)]
    scale = None if classes else _measure_target(plan.path, plan.names[1])
    if is_image:
        layers = write_convolutions(info.shape[0], info.shape[1], len(classes))
        layers += () if scale is None else (write_target_scale(*scale),)
    else:
        layers = write_dense_network(info.train_rows, len(classes), target=scale)
    dataset = [f"task: {info.task}"]
    if not is_image:
        dataset.append("modality: tabular # try, if x holds ids of words: tokens")
    dataset.append(
        f"validation_split: {validation} # share of the training rows that says when to stop"
    )
    if not info.test_rows:
        dataset.append(f"test_split: {TEST_SPLIT} # share of the rows kept for the last word")
    network = "small convolutional network" if is_image else "dense network"
    return Proposal(
        title=f"A {network} for the arrays of {say(path.name)}",
        type="npz",
        seen=tuple(seen),
        dataset=tuple(dataset),
        layers=layers,
        loss=write_loss(len(classes)),
        training=write_training(round(left * (1 - validation)), epochs=50, patience=8),
    )


def _measure_target(path: Path, name: str) -> tuple[float, float]:
    labels = read_array(path, name)
    return float(labels.mean()), float(labels.std()) or 1.0
