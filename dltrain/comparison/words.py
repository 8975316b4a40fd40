"""What is said about a comparison in sentences: how was it tested, what does that mean?"""

from __future__ import annotations

from collections.abc import Sequence

from dltrain.comparison.config_rows import tabulate_configs
from dltrain.comparison.metrics import METRICS
from dltrain.comparison.result import Change, ComparedRun, Comparison

MEANING = (
    "This tells whether these trained models differ on rows like these, not whether one recipe is "
    "better: another seed gives another model. For that, train several seeds of each: "
    "`dltrain fit --repeats`."
)


def describe_method(comparison: Comparison) -> str:
    """Return how the differences were tested; "" if none was."""
    tests = {
        change.test: name
        for run in comparison.runs
        for name, change in run.changes.items()
        if change.test
    }
    if not tests:
        return ""
    parts = []
    if "mcnemar" in tests:
        parts.append("accuracy by McNemar's exact test")
    if "bootstrap" in tests:
        others = [name for name in comparison.tested if name != "accuracy"]
        what = METRICS[others[0]].label if len(comparison.tested) == 1 else "the others"
        if "mcnemar" not in tests and len(comparison.tested) > 1:
            what = "all"
        parts.append(f"{what} by the paired bootstrap ({comparison.resamples:,} resamples)")
    text = f"Tested on the same {comparison.split} rows: {', '.join(parts)}"
    count = comparison.comparisons
    if count > 1:
        by_metric = ", metric by metric" if len(comparison.tested) > 1 else ""
        text += f"; p after Holm's correction for {count} runs{by_metric}"
    text += ". More than chance: p < 0.05."
    if len(comparison.tested) > 1:
        text += f" Of {len(comparison.tested)} metrics, look at the one you chose beforehand."
    return text


def list_notes(comparison: Comparison) -> list[str]:
    """Return what a reader must know of single runs: unfinished, damaged, on other data."""
    notes = []
    for run in comparison.runs:
        notes += _list_run_notes(run, comparison.first)
    if twin := _find_twin(comparison):
        notes.append(twin)
    return notes


def _list_run_notes(run: ComparedRun, first: ComparedRun) -> list[str]:
    contents = run.contents
    notes = []
    if run.data_difference:
        notes.append(
            f"{run.label}: {run.data_difference}. No test; a difference to {first.label} may be "
            "the data's."
        )
    if contents.data in ("subset", "stand-in"):
        notes.append(f"{run.label} is a smoke test: its numbers mean nothing.")
    if contents.status is not None and contents.state != "finished":
        epochs = f"{contents.status.epochs_done} of {contents.status.epochs_goal} epochs"
        notes.append(f"{run.label} is {contents.state}, after {epochs}.")
    problems = list(contents.problems)
    if run.left_out:
        problems.append(f"Left out: {', '.join(run.left_out)}.")
    if problems:
        notes.append(f"{run.label}: {' '.join(problems)}")
    return notes


def _find_twin(comparison: Comparison) -> str | None:
    """Return a note on two runs of which only the seed differs: that is the noise of training."""
    if len(comparison.runs) != 2:
        return None
    rows = tabulate_configs(comparison.runs)
    if any(run.config_differences is None for run in comparison.runs):
        return None
    keys: Sequence[str] = [row.key for row in rows]
    if keys == ["seed"]:
        return "the configs differ in nothing but the seed: this is how far training alone varies."
    return None


def format_difference(change: Change | None) -> str:
    """Return the difference with its sign, in four decimals; a dash where there is none."""
    if change is None:
        return "-"
    size = abs(change.difference)
    if size == 0:
        return "0.0000"
    if size >= 1000:
        return f"{change.difference:+,.1f}"
    return f"{change.difference:+.4f}" if size >= 5e-5 else f"{change.difference:+.2g}"


def format_p(change: Change | None) -> str:
    """Return the adjusted p in three decimals; a dash without a test."""
    if change is None or change.adjusted_p is None:
        return "-"
    p = change.adjusted_p
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def format_size(size: int | None) -> str:
    """Return a file's size for people: `42.6 KiB`."""
    if size is None:
        return "-"
    return f"{size / 2**10:.1f} KiB" if size < 2**20 else f"{size / 2**20:.1f} MiB"
