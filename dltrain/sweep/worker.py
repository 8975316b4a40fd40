"""What does a worker of a sweep do? It trains one trial after the other, in one process.

`python -m dltrain.sweep.worker DESCRIPTOR`: orders come on that socket, reports go back. When the
process of the sweep is gone the training stops after its step, with a checkpoint.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltrain.config.load import load_config
from dltrain.errors import DltrainError, RunError
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import hold_run, release_run
from dltrain.sweep.channel import Channel, Message
from dltrain.training.engine import begin_import, forget_models
from dltrain.training.evaluate import evaluate_run
from dltrain.training.fit import fit
from dltrain.training.listener import EpochReport, Listener
from dltrain.training.outcome import Interrupted, Stopped

# How long a run may still be held by the worker of a sweep that was killed.
_HELD_SECONDS = 60.0


class _Reporting(Listener):
    """Report each epoch, and do what the answer says before the next begins."""

    def __init__(self, channel: Channel, answers: queue.Queue[Message | None]) -> None:
        self._channel, self._answers = channel, answers

    def end_epoch(self, report: EpochReport) -> None:
        """Raise Stopped if the trial is pruned, or the sweep's time is over."""
        self._channel.send({"said": "epoch", "epoch": report.epoch, "values": dict(report.values)})
        answer = self._answers.get()
        reached = f"after {report.epoch} of {report.epochs} epochs"
        if answer is None:
            self._answers.put(None)  # for the worker, which waits for orders next
            raise Stopped(f"its sweep was killed {reached}", stopped_by="signal")
        if answer["go"] == "prune":
            raise Stopped(f"pruned {reached}", stopped_by="pruned")
        if answer["go"] == "pause":
            raise Stopped(f"the sweep's time was over {reached}", stopped_by="signal")


def main(descriptor: int) -> None:
    """Do what the process of the sweep says, until it hangs up."""
    channel = Channel(socket.socket(fileno=descriptor))
    orders: queue.Queue[Message | None] = queue.Queue()
    threading.Thread(target=_listen, args=(channel, orders), daemon=True).start()
    begin_import(device="auto")
    while (order := orders.get()) is not None:
        begun = time.perf_counter()
        try:
            told = _test(order) if order["do"] == "test" else _train(order, channel, orders)
        except Interrupted:
            return
        except Stopped as stop:
            word = "pruned" if stop.stopped_by == "pruned" else "paused"
            told = {"said": word, "reason": stop.message}
        except DltrainError as error:
            kind = type(error).__name__
            told = {"said": "failed", "kind": kind, "reason": error.message, "hint": error.hint}
        except Exception as error:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
            told = {"said": "failed", "kind": "defect", "reason": reason, "hint": ""}
        name, seconds = Path(order["directory"]).name, time.perf_counter() - begun
        print(f"{name} {told['said']} after {seconds:.3f} s", flush=True)
        channel.send(told)
        forget_models()  # while the process of the sweep thinks about what is next


def _listen(channel: Channel, orders: queue.Queue[Message | None]) -> None:
    """Hand on what comes; when the other end is gone, let the training stop as for SIGTERM."""
    while (message := channel.receive()) is not None:
        orders.put(message)
    orders.put(None)
    os.kill(os.getpid(), signal.SIGTERM)


def _train(order: Message, channel: Channel, orders: queue.Queue[Message | None]) -> Message:
    directory = Path(order["directory"])
    result = fit(
        load_config(Path(order["config"])),
        data_dir=Path(order["data_dir"]),
        runs_root=directory.parent,
        run_directory=directory,
        resume=_goes_on(RunPaths(directory)),
        offline=order["offline"],
        device=order["device"],
        score_test=False,
        command_line=order["command_line"],
        listener=_Reporting(channel, orders),
    )
    return {"said": "finished", "epochs": result.epochs_done}


def _goes_on(paths: RunPaths) -> bool:
    """Tell whether the run was begun before; what has no config yet is removed."""
    if not paths.root.is_dir():
        return False
    deadline = time.monotonic() + _HELD_SECONDS
    while True:
        try:
            hold_run(paths)
            break
        except RunError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    release_run(paths)
    if paths.config.is_file():
        return True
    shutil.rmtree(paths.root)
    return False


def _test(order: Message) -> Message:
    evaluation = evaluate_run(
        RunPaths(Path(order["directory"])),
        split="test",
        data_dir=Path(order["data_dir"]),
        offline=order["offline"],
        device=order["device"],
    )
    scores: Mapping[str, Any] = evaluation.scores
    metric = scores["headline"]
    return {"said": "tested", "metric": metric, "value": scores[metric]["value"]}


if __name__ == "__main__":
    main(int(sys.argv[1]))
