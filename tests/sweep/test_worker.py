"""Does a worker do what its sweep says, and end with it?"""

from __future__ import annotations

import queue
import socket
from pathlib import Path

import pytest

from dltrain.errors import TrainingError
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import write_metrics
from dltrain.sweep.channel import Channel, Message
from dltrain.sweep.worker import _refuse_another_model, _Reporting
from dltrain.training.evaluate import Evaluation
from dltrain.training.listener import EpochReport
from dltrain.training.outcome import Stopped


def test_a_worker_whose_sweep_dies_while_it_waits_for_an_answer_ends_too() -> None:
    ours, theirs = socket.socketpair()
    answers: queue.Queue[Message | None] = queue.Queue()
    reporting = _Reporting(Channel(theirs), answers, waits=True)
    report = EpochReport(2, 5, {"val_loss": 0.5}, 0.1, True)
    answers.put({"go": "on"})
    reporting.end_epoch(report)
    assert Channel(ours).receive() == {"said": "epoch", "epoch": 2, "values": {"val_loss": 0.5}}
    answers.put(None)
    with pytest.raises(Stopped) as stopped:
        reporting.end_epoch(report)
    assert stopped.value.message == "its sweep was killed after 2 of 5 epochs"
    assert answers.get_nowait() is None  # what ends the loop over orders
    for end in (ours, theirs):
        end.close()


def test_a_worker_that_nobody_may_stop_waits_for_no_answer() -> None:
    ours, theirs = socket.socketpair()
    reporting = _Reporting(Channel(theirs), queue.Queue(), waits=False)
    reporting.end_epoch(EpochReport(2, 5, {"val_loss": 0.5}, 0.1, True))
    assert Channel(ours).receive() == {"said": "epoch", "epoch": 2, "values": {"val_loss": 0.5}}
    for end in (ours, theirs):
        end.close()


@pytest.mark.parametrize(("found", "is_refused"), [(0.5, False), (0.50001, False), (0.6, True)])
def test_a_winner_whose_saved_model_gives_other_numbers_is_not_scored(
    tmp_path: Path, found: float, is_refused: bool
) -> None:
    run = RunPaths(tmp_path)
    recorded = {"headline": "accuracy", "accuracy": {"value": 0.5}}
    write_metrics(run.metrics, {"validation": recorded}, data="real")
    scores = {"headline": "accuracy", "accuracy": {"value": found}}
    written = tmp_path / "evaluation-validation.json"
    evaluation = Evaluation(run, "validation", scores, {}, written, agrees=found == 0.5)

    if not is_refused:
        _refuse_another_model(run, evaluation)
        return
    with pytest.raises(TrainingError) as refused:
        _refuse_another_model(run, evaluation)
    assert refused.value.message == (
        f"{run.model} gives accuracy 0.6 on the validation rows, the trial gave 0.5."
    )
