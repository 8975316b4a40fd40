"""How does the page show what `dltrain explain` found? Its pictures, and a table's importances."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dltrain.runs.contents import RunContents

_METRICS = {"r2": "R²", "accuracy": "accuracy"}
_SCORES = {
    "logit": "the score of a class before softmax or sigmoid",
    "score": "the model's output for a class",
    "value": "the predicted value",
}


@dataclass(frozen=True)
class Picture:
    """Hold a picture as a `data:` address, and what it says to who can't see it."""

    address: str
    alt: str


@dataclass(frozen=True)
class Explained:
    """Hold the section: a sentence, pictures, and (column, mean, deviation) as printed.

    `is_stale`: they are of another model.keras than the run has now.
    """

    about: str
    is_stale: bool
    pictures: Sequence[Picture] = ()
    metric: str = ""
    columns: Sequence[tuple[str, str, str]] = field(default=())


def read_explained(contents: RunContents) -> Explained | None:
    """Return what the run's explanations/ holds; None if there is nothing to show.

    What is damaged is a problem of `contents`.
    """
    record = contents.explanations
    if record is None:
        return None
    path = contents.paths.explanations
    try:
        pictures = []
        for each in record["pictures"]:
            # A name only: the page takes in no file from elsewhere.
            file = path.parent / str(each["file"]).rpartition("/")[2]
            try:
                text = base64.b64encode(file.read_bytes()).decode("ascii")
            except OSError as error:
                contents.add_problem(f"{file} can't be read: {error.strerror}.")
                continue
            pictures.append(Picture(f"data:image/png;base64,{text}", str(each["alt"])))
        importances: dict[str, Any] = record["importances"] or {}
        columns = [
            (str(each["column"]), f"{each['mean']:.4f}", f"{each['deviation']:.4f}")
            for each in importances.get("columns", ())
        ]
        count, metric = len(record["rows"]), _METRICS.get(importances.get("metric", ""), "")
        said = "raises and lowers" if record["explains"] == "value" else "speaks for and against"
        about = f"What {said} {_SCORES[record['explains']]}."
        if count:
            what = "row" if count == 1 else "rows"
            about = f"{about[:-1]}, in {count} {what} of {record['split']}."
        if not pictures and not columns:
            return None
        return Explained(about, _is_stale(contents, record["model"]), pictures, metric, columns)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        contents.add_problem(f"{path} is damaged: {type(error).__name__}: {error}.")
        return None


def _is_stale(contents: RunContents, digest: str) -> bool:
    from dltrain.data.members import digest_of

    try:
        return digest_of(contents.paths.model, "sha256") != digest
    except OSError:  # without a model nothing says that it is another
        return False
