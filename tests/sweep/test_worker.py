"""Does a worker do what its sweep says, and end with it?"""

from __future__ import annotations

import queue
import socket

import pytest

from dltrain.sweep.channel import Channel, Message
from dltrain.sweep.worker import _Reporting
from dltrain.training.listener import EpochReport
from dltrain.training.outcome import Stopped


def test_a_worker_whose_sweep_dies_while_it_waits_for_an_answer_ends_too() -> None:
    ours, theirs = socket.socketpair()
    answers: queue.Queue[Message | None] = queue.Queue()
    reporting = _Reporting(Channel(theirs), answers)
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
