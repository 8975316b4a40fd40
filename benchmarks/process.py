"""How long does a command take, an epoch of it, and how much memory? Measured from outside.

Whatever trains prints a line at the end of each epoch; the times between those lines are the
epochs, with all that belongs to one: training, validation, keeping the best model. So every side is
measured by the same clock, and none by its own word.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# The end of an epoch: `epoch 2/5 …` of dltrain and of the PyTorch scripts, `422/422 - 1s - …` of
# Keras's verbose=2. `Epoch 2/5`, which Keras prints at an epoch's beginning, is not one.
_EPOCH_END = re.compile(r"^(epoch\s+\d+/\d+\b|\d+/\d+ - )")


@dataclass(frozen=True)
class Measurement:
    """What one process took: seconds in all, the end of each epoch from its start, peak memory."""

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
    """Run `command` to its end in `cwd`, with stdout and stderr read as they come.

    Peak memory is the process's own largest resident set. Raises RuntimeError, with the output, if
    it doesn't exit with 0.
    """
    lines: list[str] = []
    ends: list[float] = []
    begun = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        cwd=cwd,
        env={**os.environ, **environment},
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
    # wait4, unlike getrusage(RUSAGE_CHILDREN), speaks of this child and not of all so far.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    output = "".join(lines)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}:\n{output}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Measurement(seconds, tuple(ends), usage.ru_maxrss * unit, output)
