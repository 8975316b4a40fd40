"""Which run can be used on new data? One that has finished, and has a model of its own."""

from __future__ import annotations

from dltrain.prediction.run_input import RunInput, read_run_input
from dltrain.runs.layout import RunPaths
from dltrain.runs.repeats import refuse_repeats
from dltrain.training.evaluate import check_finished


def open_run(paths: RunPaths, *, doing: str) -> RunInput:
    """Return what a finished run's model takes. Raises RunError, also if its model isn't there.

    `doing` names what is to be done with it, as in "used to predict".
    """
    refuse_repeats(paths, doing=doing)
    check_finished(paths)
    return read_run_input(paths)
