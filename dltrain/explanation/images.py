"""What do the methods for images say of some rows? Maps of their size, a method at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dltrain.explanation.grad_cam import compute_grad_cam
from dltrain.explanation.gradients import Floats, differentiate_inputs, score_inputs
from dltrain.explanation.integrated_gradients import Completeness, integrate_gradients
from dltrain.explanation.occlusion import compute_occlusion
from dltrain.explanation.saliency import compute_saliency
from dltrain.explanation.scores import Scorer

METHODS = ("saliency", "integrated_gradients", "grad_cam", "occlusion")

# The share of the brightest value: what a pixel is when it is "not there".
BASELINES = {"black": 0.0, "grey": 0.5, "white": 1.0}


def explain_images(
    scorer: Scorer,
    images: Floats,
    weights: Floats,
    *,
    methods: Sequence[str],
    fill: float,
    most_steps: int,
    note: Callable[[str], None],
) -> tuple[dict[str, NDArray[np.float32]], list[Completeness]]:
    """Return method → maps `(n, height, width)`, and how complete integrated gradients are.

    `images` `(n, height, width, channels)` hold the dataset's own values; a pixel of all `fill` is
    the baseline, and what covers the image in occlusion. `note` takes what is at work.
    """
    maps: dict[str, NDArray[np.float32]] = {}
    completeness: list[Completeness] = []
    for method in methods:
        note(method)
        if method == "saliency":
            maps[method] = compute_saliency(scorer, images, weights)
        elif method == "grad_cam":
            maps[method] = compute_grad_cam(scorer, images, weights)
        elif method == "occlusion":
            score = score_inputs(scorer)
            found = [
                compute_occlusion(score, image, own, fill=fill)
                for image, own in zip(images, weights, strict=True)
            ]
            maps[method] = np.stack(found)
        else:
            differentiate = differentiate_inputs(scorer)
            pairs = [
                integrate_gradients(
                    differentiate, image, np.full_like(image, fill), own, most_steps=most_steps
                )
                for image, own in zip(images, weights, strict=True)
            ]
            # A pixel's channels together.
            maps[method] = np.stack([found.sum(axis=-1) for found, _ in pairs])
            completeness = [measured for _, measured in pairs]
    return maps, completeness
