"""What does the winner give on the test rows? They are scored once, by a worker.

Of several processes, by the one whose folder holds the winner's run. Is that one gone, any that can
reach the folder may do it; else nobody does, and `describe_elsewhere` says where it can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dltrain.errors import MachineError
from dltrain.runs.layout import RunPaths
from dltrain.sweep.claims import Shared
from dltrain.sweep.crew import Crew
from dltrain.sweep.listener import SweepListener
from dltrain.sweep.places import Places
from dltrain.sweep.result import holding_run
from dltrain.sweep.study import SweepStudy

# So many workers may die of it.
_ATTEMPTS = 2


def score_shared(
    study: SweepStudy,
    claims: Shared,
    places: Places,
    best: int,
    *,
    score: Callable[[], Mapping[str, Any]],
    wait: Callable[[], bool],
) -> Mapping[str, Any] | None:
    """Return what the best trial of a study of several processes gives on the test rows.

    `score` computes it, if it is this process that should; `wait` waits a moment while another
    does, and tells whether there is time for that. None if nobody can.
    """
    while True:
        known = study.test
        if known is not None and known["trial"] == best:
            return {key: known[key] for key in ("metric", "value")}
        claims.look()
        place = claims.place_of(best)
        gone = place is not None and claims.is_gone(place.id)
        mine = place is None or (gone and places.can_reach(place))
        if mine and claims.claim_scoring():
            found = score()
            study.keep_test(best, found)
            claims.end_scoring()
            return found
        if (gone and not mine) or not wait():
            return None


def score_test(
    crew: Crew,
    order: Mapping[str, Any],
    *,
    listener: SweepListener,
    on_wait: Callable[[], None],
) -> dict[str, Any]:
    """Let a worker score the test rows by the model of the run that `order` names.

    Return the headline metric, and its value. `on_wait` is called again and again meanwhile.
    Raises MachineError if it can't be done, RunError as `holding_run` does.
    """
    message = None
    for attempt in range(_ATTEMPTS):
        with holding_run(RunPaths(Path(order["directory"]))):
            pass  # what a scoring that was killed has left is removed
        worker = next(crew.find_idle())
        crew.give(worker, 0, {"do": "test", **order})
        message = None
        while worker.trial is not None:
            on_wait()
            for heard, said in crew.hear(seconds=1.0):
                if heard is worker:
                    message, worker.trial = said, None
        if message is not None:
            break
        listener.note(f"The worker that scored the test rows died, {attempt + 1} times.")
    if message is None or message["said"] != "tested":
        raise MachineError(f"The test rows can't be scored: {(message or {}).get('reason')}")
    return {"metric": message["metric"], "value": message["value"]}
