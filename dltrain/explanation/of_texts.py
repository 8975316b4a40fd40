"""How are rows of text explained? What each word brings to the score, as it is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from dltrain.data.texts import Texts
from dltrain.data.tokenize import UNKNOWN_ID
from dltrain.explanation.explained import Explanations, Word
from dltrain.explanation.gradients import Floats
from dltrain.explanation.opened import Opened
from dltrain.explanation.request import Request
from dltrain.explanation.sanity import shuffle_in_cascade
from dltrain.explanation.words import explain_words, share_pairs, tap_embeddings
from dltrain.training.listener import Listener


def explain_text_rows(
    opened: Opened, request: Request, methods: Sequence[str], listener: Listener
) -> Explanations:
    """Return the words of each row with their attributions. Raises as `tap_embeddings` does."""
    tapped = tap_embeddings(opened.scorer)
    ids = opened.data.tables[request.split].take(np.array(opened.rows, dtype=np.int64))
    classes = opened.explained_classes(request)
    weights = opened.scorer.weigh(classes)
    source = opened.data.sources[request.split]
    texts = source.rows.inputs
    assert isinstance(texts, Texts)
    rows = []
    for place, number in enumerate(opened.rows):
        listener.note(f"Computing integrated gradients of {opened.predictions.ids[number]}.")
        found, completeness = explain_words(tapped, ids[place], weights[place])
        words, cut, padding = _name_words(
            opened.data.tokenizer, texts[int(source.indices[number])], found
        )
        row = opened.make_row(place, int(classes[place]), completeness.score)
        rows.append(
            dataclasses.replace(
                row, words=words, cut=cut, padding=padding, completeness=completeness
            )
        )
    explanations = dataclasses.replace(opened.begin(request, methods), rows=rows)
    if not request.sanity:
        return explanations
    listener.note("Shuffling the model's weights, layer by layer.")

    def explain() -> dict[str, Sequence[Floats]]:
        found = [explain_words(tapped, row, own)[0] for row, own in zip(ids, weights, strict=True)]
        # Padding would count as so many equal ranks.
        return {methods[0]: [each[row != 0] for each, row in zip(found, ids, strict=True)]}

    shuffled = shuffle_in_cascade(opened.scorer.model, explain, seed=opened.loaded.config.seed)
    return dataclasses.replace(explanations, sanity=shuffled)


def _name_words(tokenizer: Any, text: str, attributions: Floats) -> tuple[list[Word], int, float]:
    """Return the words that the model sees, how many were cut off, and the padding's share."""
    encoded = tokenizer.encode(text)
    values = share_pairs(attributions, len(encoded.ids))
    words: list[Word] = []
    for place, (start, end) in enumerate(encoded.offsets):
        if encoded.attention_mask[place]:
            known = encoded.ids[place] != UNKNOWN_ID
            words.append((text[start:end], known, float(values[place])))
    cut = sum(sum(rest.attention_mask) for rest in encoded.overflowing)
    return words, cut, float(attributions.sum() - sum(value for _, _, value in words))
