"""Which of the valid names did the writer probably mean?"""

from __future__ import annotations

from collections.abc import Iterable

# difflib's own default (0.6) proposes far-fetched names for short words: `rate` for `name`.
_CUTOFF = 0.65


def _key(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def _initials(name: str) -> str:
    """Return `lr` for `learning_rate`, and nothing for names of one word."""
    words = name.split("_")
    return "".join(word[:1] for word in words) if len(words) > 1 else ""


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like `name`, or None when none is close.

    Case, underscores, hyphens and spaces don't count, and initials do: `lr` is close to
    `learning_rate`, `bn` to `batch_normalization`. Among equally close candidates the first
    in alphabetical order wins, so that messages don't change from run to run.
    """
    by_key: dict[str, str] = {}
    for candidate in sorted(candidates):
        by_key.setdefault(_key(candidate), candidate)
    key = _key(name)
    if key in by_key:
        return by_key[key]
    short = [candidate for candidate in sorted(by_key.values()) if _initials(candidate) == key]
    if len(short) == 1:
        return short[0]
    import difflib  # only a mistake needs it

    matches = difflib.get_close_matches(key, by_key, n=1, cutoff=_CUTOFF)
    return by_key[matches[0]] if matches else None
