"""Do augmented images depend on the key alone, and does every random image layer work?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.catalog.components import components
from dltrain.config.placement import is_augmentation
from dltrain.data.augment import build_augmentation

# What the layers that need arguments are tried with; the others have defaults.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "random_brightness": {"factor": 0.2},
    "random_color_degeneration": {"factor": 0.3},
    "random_contrast": {"factor": 0.2},
    "random_crop": {"height": 32, "width": 32},
    "random_hue": {"factor": 0.2},
    "random_posterization": {"factor": 4},
    "random_rotation": {"factor": 0.1},
    "random_saturation": {"factor": 0.2},
    "random_sharpness": {"factor": 0.2},
    "random_shear": {"x_factor": 0.2},
    "random_translation": {"height_factor": 0.1, "width_factor": 0.1},
    "random_zoom": {"height_factor": 0.2},
}
_MIXES = {"mix_up", "cut_mix"}
LAYERS = [name for name in components("layers") if is_augmentation(name) and name not in _MIXES]

CHAIN = [
    {"type": "random_flip", "mode": "horizontal"},
    {"type": "random_translation", "height_factor": 0.2, "width_factor": 0.2},
    {"type": "random_brightness", "factor": 0.3},
]


def _images() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)


def _build(specs: list[dict[str, Any]], *, seed: int = 1) -> Any:
    """Return the augmentation as NumPy sees it: (images, rows, epoch, step) -> images.

    With labels among the arguments it gives both.
    """
    import tensorflow as tf

    from dltrain.model.components import build_component

    augment = build_augmentation(
        specs, lambda spec: build_component("layers", spec), largest=255.0, seed=seed
    )
    traced = tf.function(augment, autograph=False)

    def call(
        images: np.ndarray, rows: Any = range(4), epoch: int = 0, step: int = 0, labels: Any = None
    ) -> Any:
        key = [tf.constant(value, tf.int64) for value in (list(rows), epoch, step)]
        given = np.zeros((len(images), 1), np.float32) if labels is None else labels
        changed, mixed = traced(tf.constant(images), tf.constant(given), *key)
        return changed.numpy() if labels is None else (changed.numpy(), mixed.numpy())

    return call


def test_an_image_is_augmented_alike_whatever_batch_it_comes_in() -> None:
    augment, images = _build(CHAIN), _images()
    whole = augment(images, rows=[5, 6, 7, 8])
    turned = augment(images[::-1], rows=[8, 7, 6, 5], step=9)[::-1]
    parts = [augment(images[at : at + 1], rows=[5 + at], step=at) for at in range(4)]
    np.testing.assert_array_equal(whole, turned)
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert np.abs(whole - images).mean() > 1


def test_another_seed_epoch_or_row_gives_another_image() -> None:
    images = np.repeat(_images()[:1], 4, axis=0)
    outputs = [
        _build(CHAIN)(images, epoch=0),
        _build(CHAIN)(images, epoch=1),
        _build(CHAIN, seed=2)(images, epoch=0),
    ]
    assert len({image.tobytes() for output in outputs for image in output}) == 12


def test_a_second_build_gives_the_same_images() -> None:
    first, second = (_build(CHAIN)(_images(), epoch=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_two_layers_of_one_kind_do_not_draw_the_same() -> None:
    twice = _build([{"type": "random_flip", "mode": "horizontal"}] * 2)
    # Two flips that always agreed would cancel each other in every image.
    outputs = twice(np.repeat(_images(), 8, axis=0), rows=range(32))
    assert not np.array_equal(outputs, np.repeat(_images(), 8, axis=0))


@pytest.mark.parametrize("name", LAYERS)
def test_every_random_image_layer_repeats_itself_within_the_range(name: str) -> None:
    spec = {"type": name, **_ARGUMENTS.get(name, {})}
    first, same = (_build([spec])(_images(), rows=[3, 1, 4, 2], step=2) for _ in range(2))
    assert first.shape == (4, 32, 32, 3)
    assert np.isfinite(first).all()
    assert first.min() >= -1e-3
    assert first.max() <= 255 + 1e-3
    np.testing.assert_array_equal(first, same)


def _shares(images: np.ndarray, mixed: np.ndarray) -> np.ndarray:
    """Return how much of each of `images`, one value each, is in each of `mixed`."""
    values = images[:, 0, 0, 0]
    return np.array([[(image == value).mean() for value in values] for image in mixed])


@pytest.mark.parametrize("name", sorted(_MIXES))
def test_labels_are_mixed_as_the_images_are(name: str) -> None:
    labels = np.eye(8, dtype=np.float32)
    # Powers of two: a mean of two of them tells which two and how much of each.
    images = np.broadcast_to(2.0 ** np.arange(8).reshape(8, 1, 1, 1), (8, 40, 40, 3))
    images = images.astype(np.float32)
    spec = {"type": name, **({"alpha": 0.9} if name == "mix_up" else {})}
    mixed, shares = _build([spec])(images, rows=range(8), labels=labels)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    if name == "mix_up":
        expected = shares @ images[:, 0, 0, 0]
        np.testing.assert_allclose(mixed[:, 5, 7, 1], expected, rtol=1e-4)
        assert np.ptp(mixed, axis=(1, 2, 3)).max() == 0
    else:
        # A patch's edges fall between pixels: 40 of them a side.
        np.testing.assert_allclose(_shares(images, mixed), shares, atol=0.06)
    assert ((shares > 0.02) & (shares < 0.98)).any(axis=1).sum() >= 3, "rows were mixed"


@pytest.mark.parametrize("name", sorted(_MIXES))
def test_what_is_mixed_follows_from_seed_epoch_and_step(name: str) -> None:
    images, labels = _images(), np.eye(4, dtype=np.float32)

    def mix(seed: int = 1, **place: int) -> bytes:
        mixed, shares = _build([{"type": name}], seed=seed)(images, labels=labels, **place)
        return mixed.tobytes() + shares.tobytes()

    assert mix(epoch=1, step=2) == mix(epoch=1, step=2)
    assert len({mix(epoch=0), mix(epoch=1), mix(step=1), mix(seed=2)}) == 4
