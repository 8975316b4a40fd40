"""How do runs stand against one of them: numbers, tests, configs, cost?

Nothing of TensorFlow or scikit-learn is imported, and predictions are read only for what is tested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dltrain.comparison.metrics import METRICS
from dltrain.comparison.result import Change, ComparedRun, Comparison
from dltrain.comparison.same_data import find_data_difference, match_rows
from dltrain.comparison.significance import judge_changes
from dltrain.config.compare import compare_configs
from dltrain.errors import RunError
from dltrain.runs.contents import RunContents
from dltrain.runs.layout import RunPaths

if TYPE_CHECKING:
    from dltrain.runs.predictions import Predictions

FEW = 5
"""Up to so many runs stand side by side, and every metric is tested."""

_SPLITS = ("test", "validation", "train")


def compare_runs(
    paths: Sequence[RunPaths],
    *,
    baseline: int = 0,
    split: str | None = None,
    metric: str | None = None,
    force: bool = False,
) -> Comparison:
    """Compare the runs of `paths` with the one at `baseline`.

    `split` defaults to the first of test, validation and train that all evaluated runs have.
    `metric` alone is tested if it is given; otherwise every metric of few runs, and the headline
    of many. Raises RunError if the runs were made on different data, unless `force`: they then
    have no test. Raises RunError too if no run has scores of `split`, or `metric`.
    """
    contents = [RunContents(path) for path in paths]
    split = _choose_split(contents, split)
    labels = _make_labels(paths)
    first = contents[baseline]
    runs = [
        ComparedRun(
            contents=one,
            label=label,
            rows=_count_rows(one, split),
            values=_find_values(one, split),
            data_difference=find_data_difference(first, one, split or ""),
        )
        for one, label in zip(contents, labels, strict=True)
    ]
    # In the order of METRICS, those that at least one run has.
    metrics = [name for name in METRICS if any(name in run.values for run in runs)]
    tested = _choose_tested(metrics, metric, len(runs), split)
    runs, predictions = _read_predictions(runs, baseline, split, tested)
    differing = [run for run in runs if run.data_difference]
    if differing and not force:
        raise _refuse(runs[baseline], differing)
    changes = [_subtract(run, runs[baseline]) for run in runs]
    changes[baseline] = {}
    changes, resamples = judge_changes(changes, predictions, baseline=baseline, tested=tested)
    runs = [
        _compare_config(replace(run, changes=changed), first)
        for run, changed in zip(runs, changes, strict=True)
    ]
    runs = [_name_left_out(run, tested, is_first=run.contents is first) for run in runs]
    if len(runs) > FEW and tested:
        runs = _sort(runs, tested[0])
    places = [run.contents for run in runs]
    return Comparison(
        runs=runs,
        baseline=places.index(first),
        split=split,
        metrics=metrics,
        tested=tested,
        resamples=resamples,
        comparisons=max(
            (sum(m in r.changes and r.changes[m].p is not None for r in runs) for m in tested),
            default=0,
        ),
    )


def _choose_split(contents: Sequence[RunContents], split: str | None) -> str | None:
    evaluated = [one.splits for one in contents if one.splits]
    if split is not None:
        if not any(split in splits for splits in evaluated):
            raise RunError(
                f"None of the runs has scores of {split}.",
                hint="Splits that they have: "
                + (", ".join(dict.fromkeys(name for one in evaluated for name in one)) or "none")
                + ".",
            )
        return split
    for every in (all, any):
        for name in _SPLITS:
            if evaluated and every(name in splits for splits in evaluated):
                return name
    return None


def _choose_tested(
    metrics: Sequence[str], metric: str | None, runs: int, split: str | None
) -> list[str]:
    if metric is not None:
        if metric not in metrics:
            raise RunError(
                f"--metric '{metric}': none of the runs has it on {split or 'any split'}.",
                hint=f"Metrics that they have: {', '.join(metrics) or 'none'}.",
            )
        return [metric]
    # METRICS begins with the headline of either task.
    return list(metrics) if runs <= FEW else list(metrics[:1])


def _make_labels(paths: Sequence[RunPaths]) -> list[str]:
    """Return NAME/0001 of each, and the whole path of those whose label another one has."""
    labels = [path.label for path in paths]
    return [
        str(path.root) if labels.count(label) > 1 else label
        for path, label in zip(paths, labels, strict=True)
    ]


def _count_rows(one: RunContents, split: str | None) -> int | None:
    rows = one.splits.get(split or "", {}).get("rows")
    return rows if type(rows) is int and rows > 0 else None


def _find_values(one: RunContents, split: str | None) -> dict[str, Mapping[str, Any]]:
    """Return metric → its number; one that is damaged is left out, and among the problems."""
    scores = one.splits.get(split or "", {})
    values = {}
    for name, metric in METRICS.items():
        try:
            found = metric.find(scores)
        except ValueError as error:
            one.problems.append(f"{one.paths.metrics} is damaged: {split}.{error}.")
            continue
        if found is not None:
            values[name] = found
    return values


def _subtract(run: ComparedRun, first: ComparedRun) -> dict[str, Change]:
    changes = {}
    for name in run.values:
        value, before = run.value(name), first.value(name)
        if value is not None and before is not None:
            changes[name] = Change(difference=value - before)
    return changes


def _read_predictions(
    runs: list[ComparedRun], baseline: int, split: str | None, tested: Sequence[str]
) -> tuple[list[ComparedRun], dict[int, Predictions]]:
    """Read what is needed to test: run's place → predictions, their rows in the baseline's order.

    A run whose rows are others gets its `data_difference`.
    """
    from dltrain.comparison.resampled import NEEDS_PROBABILITIES

    if split is None or not tested:
        return runs, {}
    probabilities = not NEEDS_PROBABILITIES.isdisjoint(tested)

    def read(run: ComparedRun) -> Predictions | None:
        return run.contents.predictions(split, probabilities=probabilities)

    first = read(runs[baseline])
    found: dict[int, Predictions] = {}
    for place, run in enumerate(runs):
        predictions = first if place == baseline else read(run)
        if first is None or predictions is None or run.data_difference:
            continue
        order = match_rows(first, predictions, split)
        if isinstance(order, str):
            runs[place] = replace(run, data_difference=order)
            continue
        found[place] = replace(
            predictions,
            ids=first.ids,
            true=first.true,
            predicted=predictions.predicted[order],
            probabilities=None
            if predictions.probabilities is None
            else predictions.probabilities[order],
        )
    return runs, found


def _refuse(first: ComparedRun, differing: Sequence[ComparedRun]) -> RunError:
    lines = [f"  {run.label}: {run.data_difference}." for run in differing[:10]]
    if len(differing) > 10:
        lines.append(f"  and {len(differing) - 10} more.")
    return RunError(
        f"Not compared: the data are not those of {first.label}.\n" + "\n".join(lines),
        hint="--force shows the numbers side by side, without a test of their differences.",
    )


def _compare_config(run: ComparedRun, first: RunContents) -> ComparedRun:
    one, two = first.loaded_config, run.contents.loaded_config
    if one is None or two is None:
        return run
    return replace(run, config_differences=[] if one is two else compare_configs(one, two))


def _name_left_out(run: ComparedRun, tested: Sequence[str], *, is_first: bool) -> ComparedRun:
    """Look at what else is shown of a run, and name what isn't there."""
    one = run.contents
    untested = any(name in run.changes and run.changes[name].p is None for name in tested)
    missing = {
        "its numbers": not run.values,
        "the test of its differences": untested and not is_first and run.data_difference is None,
        "what differs in its config": run.config_differences is None,
        "its curves": not one.history,
        "its parameters": one.parameters is None,
        "the size of its model": one.model_bytes is None,
    }
    return replace(run, left_out=tuple(name for name, absent in missing.items() if absent))


def _sort(runs: Sequence[ComparedRun], metric: str) -> list[ComparedRun]:
    """Return the best first, and those without the metric last."""
    sign = 1 if METRICS[metric].lower_is_better else -1

    def rank(run: ComparedRun) -> tuple[bool, float]:
        value = run.value(metric)
        return value is None, sign * (value or 0.0)

    return sorted(runs, key=rank)
