"""How are the IMDB reviews read, from `aclImdb_v1.tar.gz` or its folder?"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.dataset import Parsed, Rows
from dltrain.data.members import read_members
from dltrain.data.texts import pack_texts
from dltrain.errors import DataError

# ID_STARS.txt; `train/unsup`, the unlabelled reviews, is passed over.
_EXPECTED = re.compile(
    r"(?:aclImdb/)?(?P<path>(?P<split>train|test)/(?P<label>neg|pos)/\d+_\d+\.txt)"
)
_LABELS = {"neg": 0, "pos": 1}
# The longest published review has 13,708 characters.
_LARGEST_REVIEW_BYTES = 1024 * 1024


def read_aclimdb_dataset(path: Path, info: DatasetInfo) -> Parsed:
    """Read the labelled reviews as UTF-8 text, sorted by path, so that neg (0) precedes pos (1).

    Raises DataError if a review is not UTF-8 or there are more of them than `info` says.
    """
    reviews: dict[str, dict[str, bytes]] = {"train": {}, "test": {}}
    members = read_members(
        path,
        wanted=lambda name: _EXPECTED.fullmatch(name) is not None,
        largest_bytes=_LARGEST_REVIEW_BYTES,
    )
    for name, content in members:
        match = _EXPECTED.fullmatch(name)
        assert match is not None, name
        split = reviews[match["split"]]
        if match["path"] in split:
            raise DataError(f"{path} has {name} twice.")
        if len(split) >= max(info.train_rows, info.test_rows):
            raise DataError(f"{path} has more than {len(split):,} reviews in {match['split']}.")
        split[match["path"]] = _check_utf8(content, where=f"{path}: {name}")
    return Parsed(train=_to_rows(reviews["train"]), test=_to_rows(reviews["test"]), digests={})


def _check_utf8(content: bytes, *, where: str) -> bytes:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not UTF-8 text: {error}.") from error
    return content


def _to_rows(reviews: dict[str, bytes]) -> Rows:
    paths = sorted(reviews)
    labels = np.array([_LABELS[path.split("/")[1]] for path in paths], dtype=np.int64)
    return Rows(inputs=pack_texts(reviews[path] for path in paths), labels=labels)
