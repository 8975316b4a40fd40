"""Which config would suit a file of JSON lines with texts? Its two keys, words averaged."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from dltrain.config.own_table import plan_table
from dltrain.config.proposed_text import (
    LEAST_ROWS,
    TEST_SPLIT,
    Proposal,
    check_class_counts,
    choose_validation_split,
    count,
    describe_classes,
    quote,
    say,
    write_loss,
    write_training,
)
from dltrain.config.proposed_words import SAMPLED_TEXTS, look_at_texts
from dltrain.config.words import find_words
from dltrain.errors import DataError

_LABEL_NAMES = ("label", "target", "class", "y", "category", "stars", "rating")
_SAMPLED_LINES = 200


def propose_lines(path: Path) -> Proposal:
    """Propose a config for a file of JSON lines. Raises DataError if it can't be trained on."""
    text, target = _choose_keys(path)
    plan = plan_table({"type": "jsonl", "path": path, "text": text, "target": target})
    info = plan.info
    if info.train_rows < LEAST_ROWS:
        raise DataError(
            f"{path} has {count(info.train_rows, 'row')}; expected at least {LEAST_ROWS}, for "
            "training, validation and test rows."
        )
    classes = dict(zip(info.class_names, info.class_counts, strict=True))
    check_class_counts(str(path), classes)
    at, step = plan.scan.names.index(text), -(-info.train_rows // SAMPLED_TEXTS)
    facts = look_at_texts(
        (values[at] for _, values in islice(plan.scan.read_rows(), 0, None, step)), whole=step == 1
    )
    left = round(info.train_rows * (1 - TEST_SPLIT))
    rarest = min(classes.values()) * (1 - TEST_SPLIT) if classes else left
    validation = choose_validation_split(left, int(rarest))
    seen = [f"{count(info.train_rows, 'text')} in '{text}'", *facts.describe()]
    if classes:
        seen += [f"{len(classes)} classes, with their rows:", *describe_classes(classes)]
    return Proposal(
        title=f"The average of the words' embeddings, for the texts of {say(path.name)}",
        type="jsonl",
        seen=tuple(seen),
        dataset=(
            f"text: {quote(text)} # the key of the text",
            f"target: {quote(target)} # the key of what to predict",
            f"task: {info.task}",
            *facts.write_options(),
            f"validation_split: {validation} # share of the training rows that says when to stop",
            f"test_split: {TEST_SPLIT} # share of the rows kept for the last word",
        ),
        layers=facts.write_layers(len(classes)),
        loss=write_loss(len(classes), rate="3e-3"),
        training=write_training(round(left * (1 - validation)), epochs=50, patience=5),
    )


def _choose_keys(path: Path) -> tuple[str, str]:
    """Return the key of the longest texts, and the one that is called like a label, or is left."""
    records = _read_records(path)
    keys = list(dict.fromkeys(key for record in records for key in record))
    texts = [key for key in keys if all(isinstance(each.get(key), str) for each in records)]
    if not texts:
        raise DataError(
            f"{path} has no key that is a text in every line.",
            hint='Expected lines such as {"text": "…", "label": "…"}.',
        )
    text = max(texts, key=lambda key: _measure_words([record[key] for record in records]))
    others = [key for key in keys if key != text]
    if not others:
        raise DataError(
            f"{path} has the key '{text}' alone; expected what to predict beside it.",
            hint='Expected lines such as {"text": "…", "label": "…"}.',
        )
    named = [key for name in _LABEL_NAMES for key in others if key.lower() == name]
    return text, (named or others[::-1])[0]


def _read_records(path: Path) -> list[dict[str, Any]]:
    """Return the objects of the first lines; lines that are none are left for the scan to tell."""
    records = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for line in islice(file, _SAMPLED_LINES):
                try:
                    record = json.loads(line)
                except (json.JSONDecodeError, RecursionError):
                    continue
                if isinstance(record, dict):
                    records.append(record)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    if not records:
        raise DataError(
            f"{path} holds no JSON object a line.",
            hint='Expected lines such as {"text": "…", "label": "…"}.',
        )
    return records


def _measure_words(texts: Sequence[str]) -> float:
    return statistics.mean(len(find_words(text)) for text in texts)
