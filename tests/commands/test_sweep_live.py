"""What does the table of a sweep at work say, and does it leave a clean screen?"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from processes import make_environment
from rich.console import Console
from tiny_runs import REGRESSION, change

from dltrain.commands.sweep_live import describe_time_left, draw_standing
from dltrain.sweep.standing import Running, Standing, TimeLeft

BEST = {
    "trial": 12,
    "results": [0.97223],
    "values": {"optimizer": {"type": "sgd", "momentum": 0.9}, "optimizer.learning_rate": 0.0123},
}
STANDING = Standing(
    goal=40,
    workers=2,
    began=0.0,
    counts={"finished": 8, "pruned": 3, "failed": 1},
    best=BEST,
    running=(
        Running(13, None, {"model.layers[0].units": 64}, 90.0, epoch=4, epochs=10, value=0.5),
        Running(14, None, {"model.layers[0].units": 128}, 100.0),
    ),
    took=(20.0,) * 12,
)


def draw(
    standing: Standing, *, width: int = 80, rows: int = 10, metrics: tuple[str, ...] = ("val_r2",)
) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(draw_standing(standing, metrics, now=100.0, width=width, rows=rows))
    written: Any = console.file
    return [line.rstrip() for line in written.getvalue().splitlines()]


def test_the_table_tells_the_best_the_running_the_counts_and_the_time() -> None:
    assert draw(STANDING) == [
        "",
        "best so far: trial 12, val_r2 0.9722",
        "  optimizer=sgd(momentum=0.9), learning_rate=0.0123",
        "running  epoch  val_r2  values",
        "     13   4/10  0.5000  units=64",
        "     14      –       –  units=128",
        "12 of 40 trials done (8 finished, 3 pruned, 1 failed), 28 left",
        "1 min 40 s so far, about 5 min left",
    ]


def test_before_the_first_trial_has_ended_nothing_is_claimed() -> None:
    assert draw(Standing(goal=40, workers=2, began=40.0, finalists=9)) == [
        "",
        "best so far: no trial has finished yet",
        "0 of 40 trials done, 40 left, then 9 with other seeds",
        "1 min 00 s so far, time left unknown",
    ]


def test_several_objectives_and_other_seeds_are_told() -> None:
    standing = replace(
        STANDING,
        best={**BEST, "results": [0.9, 1.5]},
        front=4,
        counts={"finished": 40},
        running=(Running(12, 43, {}, 95.0),),
        finalists=9,
        finalists_done=2,
    )
    lines = draw(standing, metrics=("val_r2", "val_loss"))
    best = "best so far: trial 12, val_r2 0.9000, val_loss 1.5000; 4 on the front"
    assert lines[1] == best
    assert lines[4].split() == ["12,", "seed", "43", "–", "–"]
    assert lines[5] == "40 of 40 trials done (40 finished); with other seeds 2 of 9"


@pytest.mark.parametrize("width", [20, 30, 44, 60, 80, 200])
def test_long_values_are_cut_and_no_line_is_wider_than_the_terminal(width: int) -> None:
    many = {f"model.layers[{place}].units": 10**place for place in range(40)}
    standing = replace(
        STANDING,
        best={**BEST, "values": many},
        running=tuple(Running(number, None, many, 0.0) for number in range(30)),
    )
    lines = draw(standing, width=width, rows=5)
    assert max(map(len, lines)) <= width
    assert sum(line.startswith("  layers") for line in lines) <= 3
    assert sum("–" in line for line in lines) == 5
    assert any(line.startswith("and 25 more at work") for line in lines)
    assert any(line.endswith(" …") for line in lines[2:6])


def test_what_a_value_says_cannot_steer_the_terminal() -> None:
    standing = replace(STANDING, running=(Running(1, None, {"a": "\x1b[2J"}, 0.0),))
    assert draw(standing)[4].endswith("a=\\x1b[2J")


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (None, "time left unknown"),
        (TimeLeft(0.0, limited=False), "about 5 s left"),
        (TimeLeft(33.0, limited=False), "about 35 s left"),
        (TimeLeft(70.0, limited=False), "about 1 min left"),
        (TimeLeft(3_570.0, limited=False), "about 1 h 00 min left"),
        (TimeLeft(7_860.0, limited=True), "at most 2 h 11 min left, by max_seconds"),
        (TimeLeft(300_000.0, limited=False), "about 3 days left"),
    ],
)
def test_the_time_left_is_no_finer_than_it_is_known(left: TimeLeft | None, text: str) -> None:
    assert describe_time_left(left) == text


class Terminal:
    """`dltrain sweep config.yaml` in `folder`, with a pseudo-terminal of 80 columns as stderr."""

    def __init__(self, folder: Path, **changes: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dltrain", "sweep", "config.yaml"],
            cwd=folder,
            env=make_environment(folder, changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        os.close(slave)
        self.shown = ""

    def read_until(self, text: str | None) -> None:
        """Read until `text` was shown, or for None to the end."""
        deadline = time.monotonic() + 150
        while text is None or text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            try:
                piece = os.read(self.master, 4096)
            except OSError:  # Linux's way to say that the other end is closed
                piece = b""
            if not piece:
                assert text is None, self.shown
                os.close(self.master)
                self.process.communicate(timeout=60)
                return
            self.shown += piece.decode()


def test_ctrl_c_takes_the_table_off_the_screen(tmp_path: Path) -> None:
    space = {"optimizer.learning_rate": {"log_uniform": [1e-3, 0.1]}}
    config = change(REGRESSION, sweep={"trials": 3, "space": space}, training__epochs=100_000)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    terminal = Terminal(tmp_path, NO_COLOR="1")
    terminal.read_until("/100000")
    assert "best so far: no trial has finished yet" in terminal.shown
    terminal.process.send_signal(signal.SIGINT)
    terminal.read_until(None)
    assert terminal.process.returncode == 130
    assert "Stopping: the running trials write a checkpoint." in terminal.shown
    # An empty line, the best, the headings, the trial, the counts and the time.
    last = terminal.shown.rindex("time left unknown") + len("time left unknown")
    rest = terminal.shown[last:].replace("\r\n", "\n")
    # Whoever is killed can't bring back a cursor: it was never gone for long.
    assert rest.startswith("\n\x1b[?25h\r" + "\x1b[1A\x1b[2K" * 6 + "error: "), repr(rest)
    assert "error: The sweep was interrupted: 0 of 3 trials are done." in rest
    assert not re.search(r"\x1b\[[\d;]*3\dm", terminal.shown), "NO_COLOR was set"


@pytest.mark.parametrize("changes", [{"CI": "true"}, {"TERM": "dumb"}])
def test_where_nobody_watches_there_are_lines_only(tmp_path: Path, changes: dict[str, str]) -> None:
    rates = {"optimizer.learning_rate": {"choice": [0.01]}}
    config = change(REGRESSION, sweep={"method": "grid", "space": rates}, training__epochs=1)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    terminal = Terminal(tmp_path, **changes)
    terminal.read_until(None)
    assert terminal.process.returncode == 0
    assert "best so far" not in terminal.shown
    assert "\x1b[1A" not in terminal.shown
    assert re.search(
        r"trial     1/1  \d+\.\d{4} \*  optimizer\.learning_rate=0\.01", terminal.shown
    )
