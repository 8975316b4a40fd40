"""How is a table explained? What each column is worth on the whole, and in single rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.data.batches import Table
from dltrain.errors import UsageError
from dltrain.evaluation.predict import to_probabilities
from dltrain.explanation.explained import Explanations
from dltrain.explanation.gradients import score_inputs
from dltrain.explanation.opened import Opened
from dltrain.explanation.permutation import REPEATS, Columns, measure_importances
from dltrain.explanation.request import Request
from dltrain.explanation.shapley import BACKGROUND_ROWS, check_shap, compute_shap
from dltrain.explanation.shown_values import show_value
from dltrain.training.listener import Listener

# More rows change the importances by less than their spread.
_MOST_ROWS = 5_000


def explain_table(
    opened: Opened, request: Request, methods: Sequence[str], listener: Listener
) -> Explanations:
    """Return the importance of each column, and the SHAP values of the rows.

    SHAP is left out, with a note, where its library isn't installed and nobody asked for it.
    """
    if "shap" in methods and not request.methods:
        try:
            check_shap()
        except UsageError as error:
            listener.note(f"SHAP is left out: the library shap is not installed. {error.hint}")
            methods = [method for method in methods if method != "shap"]
    columns = find_columns(opened)
    found = opened.begin(request, methods)
    if "permutation_importance" in methods:
        listener.note(f"Shuffling each of {len(columns)} columns {REPEATS} times.")
        found = _add_importances(found, opened, request, columns)
    if "shap" in methods:
        listener.note(f"Computing SHAP values of {len(opened.rows)} rows.")
        found = _add_shap(found, opened, request, columns)
    return found


def find_columns(opened: Opened) -> Columns:
    """Return the table's columns with the inputs made of each; without names, they are numbered."""
    features = opened.data.info.features
    inputs: dict[str, list[int]] = {}
    if features:
        for place, feature in enumerate(features):
            inputs.setdefault(feature.column, []).append(place)
    else:
        names = opened.data.sources["train"].feature_names
        for place in range(int(np.prod(opened.data.row_shape))):
            inputs[names[place] if names else f"feature {place}"] = [place]
    return list(inputs.items())


def _add_importances(
    found: Explanations, opened: Opened, request: Request, columns: Columns
) -> Explanations:
    table, seed = opened.data.tables[request.split], opened.loaded.config.seed
    chosen = np.arange(len(table))
    if len(table) > _MOST_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, _MOST_ROWS, replace=False))
    labels = table.labels[chosen]
    is_regression = opened.predictions.task == "regression"

    def score(rows: NDArray[Any]) -> float:
        outputs = opened.predict(Table(rows, labels))
        if is_regression:
            from sklearn.metrics import r2_score

            return float(r2_score(labels, outputs[:, 0]))
        predicted = to_probabilities(outputs, opened.targets).argmax(axis=1)
        return float((predicted == labels).mean())

    rows = table.take(chosen)
    return dataclasses.replace(
        found,
        importances=measure_importances(score, rows, columns, seed=seed),
        importance_metric="r2" if is_regression else "accuracy",
        importance_score=score(rows),
        importance_rows=len(rows),
        repeats=REPEATS,
    )


def _add_shap(
    found: Explanations, opened: Opened, request: Request, columns: Columns
) -> Explanations:
    seed = opened.loaded.config.seed
    table, train = opened.data.tables[request.split], opened.data.tables["train"]
    count = min(BACKGROUND_ROWS, len(train))
    places = np.sort(np.random.default_rng(seed).choice(len(train), count, replace=False))
    background = train.take(places)
    rows = table.take(np.array(opened.rows, dtype=np.int64))
    classes = opened.explained_classes(request)
    weights = opened.scorer.weigh(classes)
    compute = score_inputs(opened.scorer)
    explained, means = [], []
    for place, row in enumerate(rows):
        own = weights[place]

        def score(mixed: NDArray[Any], own: NDArray[np.float32] = own) -> NDArray[Any]:
            repeated = np.repeat(own[None], len(mixed), axis=0)
            return compute(mixed.astype(np.float32), repeated)

        values, mean = compute_shap(score, row[None], background, columns, seed=seed)
        means.append(mean)
        base = opened.make_row(place, int(classes[place]), float(score(row[None])[0]))
        described = [
            (name, _show_value(opened, row, name, inputs), float(value))
            for (name, inputs), value in zip(columns, values[0], strict=True)
        ]
        explained.append(dataclasses.replace(base, columns=described))
    # Of several classes each has its own mean.
    mean_score = means[0] if len(set(classes.tolist())) == 1 else None
    return dataclasses.replace(found, rows=explained, mean_score=mean_score)


def _show_value(opened: Opened, row: NDArray[Any], name: str, inputs: Sequence[int]) -> str:
    """Return a column's value as a person reads it."""
    features = opened.data.info.features
    if not features:
        return f"{float(row[inputs[0]]):.4g}"
    columns = {column.name: column for column in opened.data.preprocessing.columns}
    words = columns[name].words if name in columns else ()
    return show_value(row, {place: features[place] for place in inputs}, words)
