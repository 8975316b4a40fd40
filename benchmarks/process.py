"""How long does a command take, an epoch of it, and how much memory? Measured from outside.

Whatever trains prints a line at the end of each epoch; the times between those lines are the
epochs, with all that belongs to one: training, validation, keeping the best model. So every side is
measured by the same clock, and none by its own word.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

# The end of an epoch: `epoch 2/5 …` of dltrain and of the PyTorch scripts, `422/422 - 1s - …` of
# Keras's verbose=2. `Epoch 2/5`, which Keras prints at an epoch's beginning, is not one.
_EPOCH_END = re.compile(r"^(epoch\s+\d+/\d+\b|\d+/\d+ - )")


@dataclass(frozen=True)
class Measurement:
    """What one process took: seconds in all, the end of each epoch from its start, peak memory.

    Peak memory is the largest resident set of the process itself.
    """

    seconds: float
    epoch_ends: tuple[float, ...]
    peak_memory_bytes: int
    output: str

    @property
    def steady_epoch_seconds(self) -> float:
        """Return the median of the epochs after the first. Raises ValueError if there are none."""
        pairs = zip(self.epoch_ends, self.epoch_ends[1:], strict=False)
        gaps = [end - begin for begin, end in pairs]
        if not gaps:
            raise ValueError(f"fewer than two epochs in:\n{self.output}")
        return median(gaps)


def measure_process(
    command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]
) -> Measurement:
    """Run `command` to its end in `cwd`, with `environment` added to this process's own.

    Raises RuntimeError, with the output, if it doesn't exit with 0.
    """
    # This file starts it, in a Python with next to nothing in it: Linux gives a new process its
    # parent's peak memory to begin with, and the caller's may be larger than what is measured.
    watcher = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), *command]
    answer = subprocess.run(
        watcher, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True
    )
    found = json.loads(answer.stdout)
    if found["exit_code"] != 0:
        raise RuntimeError(
            f"{' '.join(command)} exited with {found['exit_code']}:\n{found['output']}"
        )
    return Measurement(
        seconds=found["seconds"],
        epoch_ends=tuple(found["epoch_ends"]),
        peak_memory_bytes=found["peak_memory_bytes"],
        output=found["output"],
    )


def watch(command: Sequence[str]) -> dict[str, Any]:
    """Run `command`, read its stdout and stderr as they come, and return what it took."""
    lines: list[str] = []
    ends: list[float] = []
    begun = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if _EPOCH_END.match(line):
                ends.append(time.perf_counter() - begun)
            lines.append(line)
    # wait4 speaks of this child; getrusage(RUSAGE_CHILDREN) of all so far.
    _, status, usage = os.wait4(process.pid, 0)
    return {
        "seconds": time.perf_counter() - begun,
        "epoch_ends": ends,
        "peak_memory_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "exit_code": os.waitstatus_to_exitcode(status),
        "output": "".join(lines),
    }


if __name__ == "__main__":
    print(json.dumps(watch(sys.argv[1:])))
