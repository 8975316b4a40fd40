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


def _build(specs: list[dict[str, Any]]) -> Any:
    from dltrain.model.components import build_component

    return build_augmentation(specs, lambda spec: build_component("layers", spec), largest=255.0)


def _map(augment: Any, keys: list[tuple[int, int]]) -> list[np.ndarray]:
    """Augment the same images under each key inside a parallel tf.data map."""
    import tensorflow as tf

    images = tf.constant(_images())
    batches = tf.data.Dataset.from_tensor_slices(np.array(keys, dtype=np.int32))
    batches = batches.map(lambda key: augment(images, key), num_parallel_calls=4)
    return [batch.numpy() for batch in batches]


def test_equal_keys_give_equal_images_and_other_keys_others() -> None:
    first, same, other = _map(_build(CHAIN), [(1, 2), (1, 2), (3, 4)])
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).mean() > 1
    assert np.abs(first - _images()).mean() > 1


def test_second_pass_and_a_second_build_give_the_same_images() -> None:
    keys = [(number, 7) for number in range(8)]
    augment = _build(CHAIN)
    runs = [_map(augment, keys), _map(augment, keys), _map(_build(CHAIN), keys)]
    for run in runs[1:]:
        np.testing.assert_array_equal(np.stack(run), np.stack(runs[0]))


def test_rows_of_a_batch_differ_from_each_other() -> None:
    import tensorflow as tf

    augment = _build([{"type": "random_translation", "height_factor": 0.3, "width_factor": 0.3}])
    one = np.repeat(_images()[:1], 8, axis=0)
    out = augment(tf.constant(one), tf.constant([1, 2])).numpy()
    assert len({image.tobytes() for image in out}) > 4


def test_two_layers_of_one_kind_do_not_draw_the_same() -> None:
    twice = [{"type": "random_flip", "mode": "horizontal"}] * 2
    outputs = _map(_build(twice), [(number, 0) for number in range(8)])
    # Two flips that always agreed would cancel each other in every image.
    assert any(not np.array_equal(output, _images()) for output in outputs)


@pytest.mark.parametrize("name", LAYERS)
def test_every_random_image_layer_works_in_a_map(name: str) -> None:
    augment = _build([{"type": name, **_ARGUMENTS.get(name, {})}])
    first, same, *_ = _map(augment, [(1, 2), (1, 2), (5, 6)])
    assert first.shape == (4, 32, 32, 3)
    assert np.isfinite(first).all()
    assert first.min() >= -1e-3
    assert first.max() <= 255 + 1e-3
    np.testing.assert_array_equal(first, same)
