"""What does the winner give on the test rows? They are scored once, by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.errors import MachineError
from dltrain.sweep.crew import Crew
from dltrain.sweep.listener import SweepListener

# So many workers may die of it.
_ATTEMPTS = 2


def score_test(crew: Crew, order: Mapping[str, Any], *, listener: SweepListener) -> dict[str, Any]:
    """Let a worker score the test rows by the model of the run that `order` names.

    Return the headline metric, and its value. Raises MachineError if it can't be done.
    """
    message = None
    for attempt in range(_ATTEMPTS):
        worker = next(crew.find_idle())
        crew.give(worker, 0, {"do": "test", **order})
        message = None
        while worker.trial is not None:
            for heard, said in crew.hear(seconds=1.0):
                if heard is worker:
                    message, worker.trial = said, None
        if message is not None:
            break
        listener.note(f"The worker that scored the test rows died, {attempt + 1} times.")
    if message is None or message["said"] != "tested":
        raise MachineError(f"The test rows can't be scored: {(message or {}).get('reason')}")
    return {"metric": message["metric"], "value": message["value"]}
