"""How is a stream left: by Ctrl-C, SIGTERM, or as nobody reads any more? In real processes."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from own_files import write_image
from processes import make_environment

DLTRAIN = [sys.executable, "-m", "dltrain"]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `dltrain predict tiny - ARGUMENTS`, whose stdin stays open."""

    def hear_interrupts() -> None:  # a shell's background job doesn't
        signal.signal(signal.SIGINT, signal.default_int_handler)

    return subprocess.Popen(
        [*DLTRAIN, "predict", "tiny", "-", *arguments],
        cwd=folder,
        env=make_environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )


def feed(process: subprocess.Popen[str], rows: int) -> None:
    assert process.stdin is not None
    process.stdin.write("a.png\n" * rows)
    process.stdin.flush()


@pytest.mark.parametrize(
    ("number", "word", "code"),
    [(signal.SIGINT, "Interrupted", 130), (signal.SIGTERM, "Terminated", 143)],
)
def test_a_signal_ends_an_endless_stream_with_whole_lines(
    copied_run: Path, workplace: Path, number: int, word: str, code: int
) -> None:
    write_image(Path("a.png"), np.zeros((8, 8)))
    process = start(workplace, "--format", "jsonl")
    try:
        feed(process, 300)
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(number)
        # stdin stays open: the signal itself must end it.
        process.wait(60)
        out, err = first + process.stdout.read(), process.stderr.read()  # type: ignore[union-attr]
    finally:
        process.kill()
    assert process.returncode == code
    assert out.endswith("\n")
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["input"] for row in rows} == {"a.png"}
    assert err == f"error: {word} after {len(rows):,} inputs.\n"


def test_a_terminated_stream_leaves_a_whole_parquet_file(copied_run: Path, workplace: Path) -> None:
    import pyarrow.parquet as pq

    write_image(Path("a.png"), np.zeros((8, 8)))
    process = start(workplace, "--output", "out.parquet", "--format", "parquet")
    try:
        feed(process, 10_000)
        # The first 8,192 rows are written together, into a file beside the one asked for. They are
        # all alike, and take 360 bytes; before them stand the four of the format's name.
        until = time.monotonic() + 100
        while all(path.stat().st_size <= 4 for path in workplace.glob(".*partial*")):
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.1)
        process.terminate()
        process.wait(60)
        err = process.stderr.read()  # type: ignore[union-attr]
    finally:
        process.kill()
    assert process.returncode == 143, err
    table = pq.read_table("out.parquet")
    assert 8_192 <= len(table) <= 10_000
    assert err == (
        f"{len(table):,} predictions written to out.parquet\n"
        f"error: Terminated after {len(table):,} inputs.\n"
    )
    assert list(workplace.glob(".*partial*")) == []


def test_a_reader_that_goes_away_ends_it_without_a_word(copied_run: Path, workplace: Path) -> None:
    write_image(Path("a.png"), np.zeros((8, 8)))
    command = shlex.join([*DLTRAIN, "predict", "tiny", "-", "--format", "csv"])
    script = f"yes a.png | {command} | head -n 1; echo ${{PIPESTATUS[1]}}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=workplace,
        env=make_environment(workplace),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("input,predicted,probability,error\n141\n", "")
