"""How are rows of images explained? Every method's maps, and whether they depend on the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from dltrain.explanation.explained import Explanations
from dltrain.explanation.grad_cam import find_feature_maps
from dltrain.explanation.gradients import Floats, score_inputs
from dltrain.explanation.images import BASELINES, explain_images
from dltrain.explanation.integrated_gradients import FEWEST_STEPS, MOST_STEPS
from dltrain.explanation.opened import Opened
from dltrain.explanation.request import Request
from dltrain.explanation.sanity import shuffle_in_cascade
from dltrain.training.listener import Listener


def explain_image_rows(
    opened: Opened, request: Request, methods: Sequence[str], listener: Listener
) -> Explanations:
    """Return the maps of each row. Raises UsageError as `compute_grad_cam` does.

    Without convolutions Grad-CAM is left out, with a warning, unless it was asked for.
    """
    if not request.methods and find_feature_maps(opened.scorer.model) is None:
        methods = [method for method in methods if method != "grad_cam"]
        listener.warn("Grad-CAM is left out: the model has no convolution of two dimensions.")
    table = opened.data.tables[request.split]
    images = table.take(np.array(opened.rows, dtype=np.int64)).astype(np.float32)
    classes = opened.explained_classes(request)
    weights = opened.scorer.weigh(classes)
    largest = opened.data.largest
    fill = BASELINES[request.baseline] * largest
    maps, completeness = explain_images(
        opened.scorer,
        images,
        weights,
        methods=methods,
        fill=fill,
        most_steps=MOST_STEPS,
        note=lambda method: listener.note(f"Computing {method.replace('_', ' ')}."),
    )
    scores = score_inputs(opened.scorer)(images, weights)
    shown = np.clip(np.rint(images * (255 / largest)), 0, 255).astype(np.uint8)
    rows = []
    for place, pixels in enumerate(shown):
        row = opened.make_row(place, int(classes[place]), float(scores[place]))
        own = {method: found[place] for method, found in maps.items()}
        measured = completeness[place] if completeness else None
        rows.append(
            dataclasses.replace(
                row,
                pixels=pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., 0],
                maps=own,
                completeness=measured,
            )
        )
    found = dataclasses.replace(opened.begin(request, methods), rows=rows)
    if not request.sanity:
        return found
    listener.note("Shuffling the model's weights, layer by layer.")

    def explain() -> dict[str, Sequence[Floats]]:
        found, _ = explain_images(
            opened.scorer,
            images,
            weights,
            methods=methods,
            fill=fill,
            most_steps=FEWEST_STEPS,
            note=lambda _: None,
        )
        return {method: list(each) for method, each in found.items()}

    seed = opened.loaded.config.seed
    shuffled = shuffle_in_cascade(opened.scorer.model, explain, seed=seed)
    return dataclasses.replace(found, sanity=shuffled)
