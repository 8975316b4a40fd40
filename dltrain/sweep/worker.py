"""What does a worker of a sweep do? It trains one trial after the other, in one process.

`python -m dltrain.sweep.worker DESCRIPTOR`: orders come on that socket, reports go back. When the
process of the sweep is gone the training stops after its step, with a checkpoint.
"""

from __future__ import annotations

import contextlib
import math
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
from dltrain.errors import DltrainError, TrainingError
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import release_run, wait_for_run
from dltrain.runs.metrics import read_metrics
from dltrain.runs.status import read_status
from dltrain.sweep.channel import Channel, Message
from dltrain.training.engine import begin_import, forget_models
from dltrain.training.evaluate import Evaluation, Split, evaluate_run
from dltrain.training.fit import fit
from dltrain.training.listener import EpochReport, Listener
from dltrain.training.outcome import Interrupted, Stopped

# How long a run may still be held by the worker of a sweep that was killed.
_HELD_SECONDS = 60.0

# How long a worker whose sweep is gone may take for its step and a checkpoint.
_ENDING_SECONDS = 45.0


# Numbers of the same model, computed on another machine, differ by less than this.
_SAME = 1e-3


class _Reporting(Listener):
    """Report each epoch, and do what the answer says before the next begins.

    Without `waits` no answer comes: nothing but the sweep's own end, a signal, stops the trial.
    """

    def __init__(
        self, channel: Channel, answers: queue.Queue[Message | None], *, waits: bool
    ) -> None:
        self._channel, self._answers, self._waits = channel, answers, waits

    def end_epoch(self, report: EpochReport) -> None:
        """Raise Stopped if the trial is pruned, or the sweep's time is over."""
        self._channel.send({"said": "epoch", "epoch": report.epoch, "values": dict(report.values)})
        if not self._waits:
            return
        answer = self._answers.get()
        reached = f"after {report.epoch} of {report.epochs} epochs"
        if answer is None:
            self._answers.put(None)  # for `main`, which would wait for an order that never comes
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
            with contextlib.suppress(OSError):  # a disk that is full takes no log either
                traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
            told = {"said": "failed", "kind": "defect", "reason": reason, "hint": ""}
        name, seconds = Path(order["directory"]).name, time.perf_counter() - begun
        with contextlib.suppress(OSError):
            print(f"{name} {told['said']} after {seconds:.3f} s", flush=True)
        channel.send(told)
        forget_models()  # while the process of the sweep thinks about what is next


def _listen(channel: Channel, orders: queue.Queue[Message | None]) -> None:
    """Hand on what comes; when the other end is gone, let the training stop as for SIGTERM."""
    while (message := channel.receive()) is not None:
        orders.put(message)
    orders.put(None)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ENDING_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)  # the second one ends it at once


def _train(order: Message, channel: Channel, orders: queue.Queue[Message | None]) -> Message:
    directory = Path(order["directory"])
    goes_on = _goes_on(RunPaths(directory))
    if goes_on and _has_finished(RunPaths(directory)):  # by the worker of a sweep that was killed
        return {"said": "finished"}
    fit(
        load_config(Path(order["config"])),
        data_dir=Path(order["data_dir"]),
        runs_root=directory.parent,
        run_directory=directory,
        resume=goes_on,
        offline=order["offline"],
        device=order["device"],
        score_test=False,
        command_line=order["command_line"],
        listener=_Reporting(channel, orders, waits=order["waits"]),
    )
    return {"said": "finished"}


def _goes_on(paths: RunPaths) -> bool:
    """Tell whether the run was begun before; what has no config yet is removed."""
    if not paths.root.is_dir():
        return False
    wait_for_run(paths, seconds=_HELD_SECONDS)
    release_run(paths)
    if paths.config.is_file():
        return True
    shutil.rmtree(paths.root)
    return False


def _has_finished(paths: RunPaths) -> bool:
    return paths.status.is_file() and read_status(paths.status).state == "finished"


def _test(order: Message) -> Message:
    """Score the test rows, if the saved model still gives what its trial gave.

    No trial compares its saved model with the live one, as `fit` does: this one counts.
    """
    run = RunPaths(Path(order["directory"]))
    scores: dict[str, Mapping[str, Any]] = {}
    splits: tuple[Split, ...] = ("validation", "test")
    for split in splits:
        evaluation = evaluate_run(
            run,
            split=split,
            data_dir=Path(order["data_dir"]),
            offline=order["offline"],
            device=order["device"],
        )
        scores[split] = evaluation.scores
        if split == "validation":
            _refuse_another_model(run, evaluation)
    metric = scores["test"]["headline"]
    return {"said": "tested", "metric": metric, "value": scores["test"][metric]["value"]}


def _refuse_another_model(run: RunPaths, evaluation: Evaluation) -> None:
    """Raise TrainingError if the validation rows give another number than they gave the trial."""
    if evaluation.agrees:
        return
    recorded = read_metrics(run.metrics)["validation"]
    metric = recorded["headline"]
    before, after = recorded[metric]["value"], evaluation.scores[metric]["value"]
    if not math.isclose(before, after, rel_tol=_SAME, abs_tol=_SAME):  # another machine's last bits
        raise TrainingError(
            f"{run.model} gives {metric} {after:.6g} on the validation rows, the trial gave "
            f"{before:.6g}.",
            hint="A layer is not saved as it is; please report it with the config.",
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))
