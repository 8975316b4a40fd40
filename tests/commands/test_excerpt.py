"""Is the line of a problem shown on a terminal, with the caret under the place, and only there?"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rich.cells import cell_len
from tiny_runs import Result

from dltrain.commands.excerpt import Sources, draw_excerpt
from dltrain.errors import Problem

WRONG = """\
name: wrong
dataset: {name: digits}
model:
  layers:
    - {type: dense, unit: 10}
training: {epochs: 0}
"""


def check_on_terminal(
    config: Path, *flags: str, columns: int = 80, environment: Mapping[str, str] | None = None
) -> str:
    """Run `dltrain check` with a pseudo-terminal as stderr; return what came out of it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    program = "from dltrain.cli import main; main()"
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        [sys.executable, "-c", program, "check", str(config), *flags],
        stderr=slave,
        stdout=subprocess.PIPE,
        env={**kept, "TERM": "xterm", "PYTHONUTF8": "1", **(environment or {})},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, b"")
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_gets_the_line_and_a_caret_under_the_place(workplace: Path) -> None:
    Path("wrong.yaml").write_text(WRONG)
    assert check_on_terminal(Path("wrong.yaml"), environment={"NO_COLOR": "1"}) == (
        "wrong.yaml:5:21  model.layers[0].unit\n"
        "  dense has no argument 'unit'. Did you mean 'units'?\n"
        "  5 |     - {type: dense, unit: 10}\n"
        "    |                     ^\n"
        "wrong.yaml:6:20  training.epochs\n"
        "  expected a number >= 1, received the number 0.\n"
        "  6 | training: {epochs: 0}\n"
        "    |                    ^\n"
        "2 problems in the config.\n"
    )


def test_a_terminal_gets_colours_unless_no_color_or_dumb(workplace: Path) -> None:
    Path("wrong.yaml").write_text(WRONG)
    assert "\x1b[1;31m^\x1b[0m" in check_on_terminal(Path("wrong.yaml"))
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = check_on_terminal(Path("wrong.yaml"), environment=environment)
        assert "\x1b" not in shown
        assert "    |                     ^\n" in shown


def test_a_file_or_a_pipe_gets_no_excerpt(dltrain: Callable[..., Result], workplace: Path) -> None:
    Path("wrong.yaml").write_text(WRONG)
    result = dltrain("check", "wrong.yaml")
    assert result.code == 2
    assert result.err == (
        "wrong.yaml:5:21  model.layers[0].unit\n"
        "  dense has no argument 'unit'. Did you mean 'units'?\n"
        "wrong.yaml:6:20  training.epochs\n"
        "  expected a number >= 1, received the number 0.\n"
        "2 problems in the config.\n"
    )


def test_a_flag_has_no_line_and_a_base_has_its_own(workplace: Path) -> None:
    Path("base.yaml").write_text(WRONG.replace("unit:", "units:"))
    Path("top.yaml").write_text("extends: base.yaml\nseed: x\n")
    shown = check_on_terminal(Path("top.yaml"), "--set", "loss=msee", environment={"NO_COLOR": "1"})
    assert shown == (
        "top.yaml:2:7  seed\n"
        "  expected a whole number, received the text 'x'.\n"
        "  2 | seed: x\n"
        "    |       ^\n"
        "base.yaml:6:20  training.epochs\n"
        "  expected a number >= 1, received the number 0.\n"
        "  6 | training: {epochs: 0}\n"
        "    |                    ^\n"
        "--set loss=msee  loss\n"
        "  there is no loss 'msee'. Did you mean 'mse'?\n"
        "3 problems in the config.\n"
    )


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_long_line_is_cut_to_the_width_of_the_terminal(workplace: Path, columns: int) -> None:
    texts = ", ".join(f"a{number}: {number}" for number in range(200))
    Path("long.yaml").write_text(f"{WRONG}optimizer: {{type: adam, {texts}}}\n")
    shown = check_on_terminal(
        Path("long.yaml"), columns=columns, environment={"NO_COLOR": "1"}
    ).splitlines()
    assert len(shown) == 4 * (2 + 200) + 1
    for line, caret in zip(shown[2::4], shown[3::4], strict=False):
        assert len(line) < columns
        assert len(caret) <= len(line) + 1
    for number in (0, 100, 199):
        place = next(i for i, line in enumerate(shown) if line.endswith(f"optimizer.a{number}"))
        line, caret = shown[place + 2 : place + 4]
        assert line[caret.index("^") :].startswith(f"a{number}: ")


def draw(text: str, column: int, *, width: int = 80, encoding: str = "utf-8") -> tuple[str, str]:
    problem = Problem("c.yaml", 12, column, "", "wrong.")
    excerpt = draw_excerpt(text, problem, width=width, encoding=encoding)
    return excerpt.line, excerpt.caret


@pytest.mark.parametrize(
    ("text", "column", "line", "caret"),
    [
        ("a: b", 4, "  12 | a: b", "     |    ^"),
        ("a:\tb", 4, "  12 | a:    b", "     |       ^"),
        ("数字: b", 5, "  12 | 数字: b", "     |       ^"),
        ("🦊: b", 4, "  12 | 🦊: b", "     |     ^"),
        ("e\u0301: b", 5, "  12 | e\u0301: b", "     |    ^"),
        ("\x1b[31mb: c", 6, "  12 | \\x1b[31mb: c", "     |         ^"),
        ("\u202ea\u200b: b", 5, "  12 | \\u202ea\\u200b: b", "     |               ^"),
        ("a:\xa0b", 4, "  12 | a:\\xa0b", "     |       ^"),
        ("a: b", 5, "  12 | a: b", "     |     ^"),
        ("a: b", 99, "  12 | a: b", "     |     ^"),
        ("", 1, "  12 | ", "     | ^"),
    ],
)
def test_the_caret_stands_under_the_place(text: str, column: int, line: str, caret: str) -> None:
    assert draw(text, column) == (line, caret)


def test_what_the_terminal_can_not_write_is_an_escape() -> None:
    assert draw("é数: b", 5, encoding="ascii") == (
        "  12 | \\xe9\\u6570: b",
        "     |             ^",
    )
    assert draw("é数: b", 5, encoding="latin-1") == ("  12 | é\\u6570: b", "     |          ^")
    assert draw("é: b", 4, encoding="no such thing") == ("  12 | \\xe9: b", "     |       ^")


@pytest.mark.parametrize("character", ["x", "数", "\t", "\x01", "e\u0301"])
@pytest.mark.parametrize("column", [1, 2, 30, 499, 500, 501])
def test_every_excerpt_fits_the_width_with_the_caret_inside(character: str, column: int) -> None:
    line, caret = draw((character * 500)[:500], column, width=60)
    assert cell_len(line) < 60
    assert len(caret) <= cell_len(line) + 1
    assert "..." in line


def test_lines_are_counted_as_the_parser_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes("\ufeffa: 1\r\nb: 2\rc: 3\n# \x85d: \xff4\u2028e: 5".encode())
    sources = Sources()

    def line(number: int) -> str | None:
        return sources.line(Problem(str(path), number, 1, "", ""))

    assert [line(number) for number in range(8)] == [
        *(None, "a: 1", "b: 2", "c: 3", "# ", "d: \xff4", "e: 5", None)
    ]


def test_what_can_not_be_read_again_has_no_excerpt(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for source in (pipe, tmp_path, tmp_path / "absent", "a\0b"):
        assert Sources().line(Problem(str(source), 1, 1, "", "")) is None


def test_control_characters_of_a_config_never_reach_the_terminal(workplace: Path) -> None:
    Path("evil.yaml").write_text(f'{WRONG}"\\e[2J": 1\nloss: "\\e]0;owned\\a"\n')
    shown = check_on_terminal(Path("evil.yaml"), environment={"NO_COLOR": "1"})
    assert "\x1b" not in shown
    assert "\a" not in shown
    assert "evil.yaml:7:1  \\x1b[2J\n  a config has no key '\\x1b[2J'." in shown
    assert "there is no loss '\\x1b]0;owned\\x07'." in shown
