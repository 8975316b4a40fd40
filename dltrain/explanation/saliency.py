"""Which pixels would change the score most, moved a little? The size of its gradient.

Simonyan et al. 2013, "Deep Inside Convolutional Networks", arXiv:1312.6034, section 3.1.
"""

from __future__ import annotations

import numpy as np

from dltrain.explanation.gradients import Floats, differentiate_inputs
from dltrain.explanation.scores import Scorer


def compute_saliency(scorer: Scorer, images: Floats, weights: Floats) -> Floats:
    """Return `(n, height, width)` from 0: a pixel's largest absolute gradient over its channels.

    `images` `(n, height, width, channels)` hold the dataset's own values, so it is the change of
    the score by one grey level.
    """
    _, gradients = differentiate_inputs(scorer)(images, weights)
    found: Floats = np.abs(gradients).max(axis=-1)
    return found
