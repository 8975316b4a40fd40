"""What does a training write to a terminal, to a file, and where the environment asks for less?"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import termios
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from killing import Nursery
from tiny_runs import REGRESSION, change

# A training that is long enough for a bar, whose epoch's line is longer than a narrow terminal.
CONFIG = change(REGRESSION, metrics=["mae", "rmse", "r2"])

COLOUR = re.compile(r"\x1b\[[\d;]*m")
CONTROL = re.compile(r"\x1b|\r(?!\n)")

Watch = Callable[..., str]


@pytest.fixture
def watch(nursery: Nursery, tmp_path: Path) -> Watch:
    """Return a function that trains CONFIG in a pseudo-terminal, and returns what was written."""
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))

    def watch(*arguments: str, columns: int = 80, **environment: str) -> str:
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        written: list[bytes] = []

        def read() -> None:
            while True:
                try:
                    written.append(os.read(master, 4096))
                except OSError:  # the last one who had it open is gone
                    return

        reader = threading.Thread(target=read)
        reader.start()
        ended = nursery.run(
            *("fit", "config.yaml", *arguments),
            folder=tmp_path,
            terminal=os.ttyname(slave),
            environment={"TERM": "xterm-256color", **environment},
        )
        os.close(slave)
        reader.join()
        os.close(master)
        text = b"".join(written).decode()
        assert ended.code == 0, text
        assert (ended.out, ended.err) == ("", "")
        return text

    return watch


def lines_of(text: str) -> list[str]:
    """Return the lines without colours, as wide as a terminal shows them."""
    return [COLOUR.sub("", line).rstrip() for line in text.split("\n")]


def test_a_terminal_has_a_bar_and_colours(watch: Watch) -> None:
    text = watch()
    assert COLOUR.search(text)
    assert "━" in text
    assert "\x1b[2K" in text or "\x1b[1A" in text, "a bar is drawn over"
    shown = re.split(r"\x1b\[2K|\r|\n", COLOUR.sub("", text))
    assert len([line for line in shown if re.match(r"epoch \d/3 [* ] loss ", line)]) == 3


def test_no_color_means_no_colours_and_still_a_bar(watch: Watch) -> None:
    text = watch(NO_COLOR="1")
    colours = {code for code in COLOUR.findall(text) if re.search(r"\[(?:\d+;)*(3|4|9|10)\d", code)}
    assert colours == set()
    assert "━" in text


def test_ci_means_no_bar_and_an_epoch_a_line(watch: Watch) -> None:
    text = watch(CI="true", NO_COLOR="1", columns=40)
    assert "━" not in text
    epochs = [line for line in lines_of(text) if line.startswith("epoch ")]
    assert len(epochs) == 3
    assert all(re.search(r" s$", line) for line in epochs), epochs
    # Bold and dim are no colours, but neither moves anything.
    assert CONTROL.search(COLOUR.sub("", text)) is None


def test_a_dumb_terminal_gets_plain_lines(watch: Watch) -> None:
    text = watch(TERM="dumb")
    assert CONTROL.search(text) is None
    assert "━" not in text


@pytest.mark.parametrize(
    ("columns", "environment", "width"), [(50, {}, 50), (80, {"COLUMNS": "60"}, 60)]
)
def test_the_width_is_the_terminal_s_unless_columns_sets_it(
    watch: Watch, columns: int, environment: dict[str, str], width: int
) -> None:
    text = watch("--quiet", columns=columns, CI="1", **environment)
    tables = [line for line in lines_of(text) if not line.startswith("best epoch")]
    assert max(len(line) for line in tables) <= width
    shown = watch("--epochs", "1", columns=columns, TERM="xterm", **environment)
    parts = re.split(r"\x1b\[2K|\r|\n", COLOUR.sub("", shown))
    epoch = [line for line in parts if re.match(r"epoch 1/1 [* ] ", line)]
    assert epoch
    assert max(len(line) for line in epoch) <= width


def test_without_a_terminal_there_is_a_line_an_epoch_and_no_control_character(
    nursery: Nursery, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    narrow = {"COLUMNS": "40", "TERM": "xterm-256color"}
    ended = nursery.run("fit", "config.yaml", folder=tmp_path, environment=narrow)
    assert ended.code == 0, ended.err
    for text in (ended.out, ended.err):
        assert not [char for char in text if ord(char) < 32 and char != "\n"]
    epochs = [line for line in ended.err.splitlines() if line.startswith("epoch ")]
    assert [line[:9] for line in epochs] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    for line in epochs:
        assert re.search(r"loss \S+  mae \S+  rmse \S+  r2 \S+  \d+\.\d s$", line), line
    (tmp_path / "runs").rename(tmp_path / "earlier")
    as_json = nursery.run("fit", "config.yaml", "--json", folder=tmp_path, environment=narrow)
    assert as_json.json["epochs"] == 3
    assert as_json.err == "" or "\x1b" not in as_json.err
