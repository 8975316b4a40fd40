"""Which layers are trained, and which are frozen? What `trainable:` may say, and what it means."""

from __future__ import annotations

from collections.abc import Sequence

from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe
from dltrain.config.wrong_values import add_wrong_value

Trainable = str | dict[str, int] | list[str]
"""`all` and `none` of the pretrained layers, the last so many of them ({"last_n": 20}), or a list:
these layers of `model.layers` and no other."""

WORDS = ("all", "none")


def check_trainable(
    raw: object, path: Path, problems: Problems, *, names: bool = False
) -> Trainable | None:
    """Return `raw` if it is a Trainable, or None after a problem; `names` allows a list of them."""
    expected = "all, none or last_n: a whole number >= 1" + (", or a list of layers" * names)
    if isinstance(raw, str):
        if raw in WORDS:
            return raw
    elif isinstance(raw, dict):
        if raw.keys() == {"last_n"}:
            count = raw["last_n"]
            if type(count) is int and count >= 1:
                return {"last_n": count}
            add_wrong_value((*path, "last_n"), count, "a whole number >= 1", problems)
            return None
    elif names and isinstance(raw, list) and all(isinstance(name, str) for name in raw):
        return list(raw)
    choices = (*WORDS, "last_n")
    suggestion = nearest(raw, choices) if isinstance(raw, str) else None
    problems.add(path, expected=expected, received=describe(raw), suggestion=suggestion)
    return None


def find_frozen(
    trainable: Trainable | None, *, layers: Sequence[str], pretrained: Sequence[str]
) -> set[str]:
    """Return which of `layers` (all of the model's, in order) are not trained.

    `pretrained` are those that start from other weights, in order. What a layer says of itself
    (`trainable: false`, an argument of Keras) is not asked.
    """
    if isinstance(trainable, list):
        return set(layers) - set(trainable)
    if isinstance(trainable, dict):
        return set(pretrained[: -trainable["last_n"]])
    return set(pretrained) if trainable == "none" else set()
