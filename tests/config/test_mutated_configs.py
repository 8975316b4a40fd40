"""Does every config, however broken, end soon in problems with a place or in a valid result?

The same 2,200 configs in every run. `EXPLORE=20000 pytest tests/config/test_mutated_configs.py`
tries as many others, new ones each time.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mutated_configs import FLAGS, mutated_configs

from dltrain.cli import run
from dltrain.config.dump import dump_config
from dltrain.config.load import load_config
from dltrain.config.syntax import LINE_BREAK

HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib", "tokenizers", "pooch")
EXAMPLES = 2_200
BOUND_SECONDS = 1.0
"""Of the processor's time, not of the clock's: another process can't make the test fail."""

HANG_SECONDS = 30


class Hangs(BaseException):
    """Raised by the timer; no `except Exception` of the code under test may swallow it."""


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any import of a heavy package fail, also of one that another test has imported."""
    for name in [*HEAVY, *sys.modules]:
        if name.partition(".")[0] in HEAVY:
            monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]


@pytest.fixture
def built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build the command line once: for every call it would take as long as the check itself."""
    monkeypatch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))


@pytest.fixture
def timer() -> Iterator[None]:
    """Let SIGALRM raise Hangs, wherever the code under test is."""

    def stop(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, stop)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def call(*arguments: str) -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr of a command that must end within the bound."""
    taken: list[float] = []
    for attempt in range(4):  # the least of four, where a busy machine made the first slow
        time.sleep(attempt)
        out, err = io.StringIO(), io.StringIO()
        gc.disable()  # as timeit does: hypothesis's own objects are many
        begun = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(list(arguments))
        except Hangs:
            break
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            taken.append(time.process_time() - begun)
            gc.enable()
        if taken[-1] < BOUND_SECONDS:
            return code, out.getvalue(), err.getvalue()
    raise AssertionError(f"longer than {BOUND_SECONDS} s: {taken}")


def check_problems(document: str, path: Path, text: str) -> None:
    """Assert that every problem has a place that the text has, and words that can be shown."""
    problems = json.loads(document)["problems"]
    lines = LINE_BREAK.split(text)
    places = []
    for problem in problems:
        assert problem["message"].strip().endswith((".", "!", "?")), problem
        json.dumps(problem).encode()
        if problem["file"] == str(path):
            assert problem["line"] <= len(lines), problem
            assert problem["column"] <= len(lines[problem["line"] - 1]) + 1, problem
            places.append((problem["line"], problem["column"]))
    assert problems
    assert places == sorted(places)


def check_valid(path: Path, flags: list[str]) -> None:
    """Assert that the resolved config is valid too, and resolves to itself."""
    overrides = flags[1::2]
    first = dump_config(load_config(path, overrides=overrides).config)
    again = path.with_name("again.yaml")
    again.write_text(first, encoding="utf-8")
    assert dump_config(load_config(again).config) == first


@pytest.mark.timeout(0)  # its timer is the same as ours
@pytest.mark.usefixtures("light", "built_once", "timer")
def test_mutated_configs_end_in_problems_or_a_valid_result(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    explored = int(os.environ.get("EXPLORE", "0"))
    ends = {0: 0, 2: 0}

    @settings(
        max_examples=explored or EXAMPLES,
        derandomize=not explored,
        database=None,
        deadline=None,  # the timer is stricter
        phases=[Phase.generate],  # shrinking takes minutes, and a config can be read as it is
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated_configs(), st.booleans(), st.lists(FLAGS, max_size=2))
    def end_well(text: str, as_json: bool, overrides: list[str]) -> None:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        flags = [part for override in overrides for part in ("--set", override)]
        if any("\0" in flag or not flag.isascii() for flag in flags):
            flags = []
        code, out, err = call("check", str(path), *flags, *(["--json"] if as_json else []))
        assert code in ends, err
        assert "Traceback" not in err
        ends[code] += 1
        if code == 0:
            check_valid(path, flags)
        elif as_json:
            assert err == ""
            check_problems(out, path, text)
        else:
            assert out == ""
            assert re.search(r"\d problems? in the config\.\n$", err), err

    end_well()
    if not explored:
        assert sum(ends.values()) >= 2_000
        assert min(ends.values()) > 50, ends
