"""Is the curve in the terminal right, narrow enough, and plain where it must be?"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from rich.console import Console

from dltrain.commands.curve_view import can_show_braille, draw_curves, show_curves

FALLING = [
    {"epoch": epoch, "loss": 2 / epoch, "val_loss": 2.5 / epoch, "accuracy": 1 - 1 / epoch}
    for epoch in range(1, 21)
]


def draw(history: Sequence[dict[str, float]], **options: object) -> list[str]:
    given = {"monitor": "val_loss", "best_epoch": 20, "unicode": False, **options}
    return [line.plain for line in draw_curves(history, **given)]  # type: ignore[arg-type]


def dots(line: str) -> int:
    return sum((ord(char) - 0x2800).bit_count() for char in line if 0x2800 <= ord(char) < 0x2900)


def test_a_straight_line_is_drawn_where_it_is_and_the_best_epoch_is_marked() -> None:
    history = [{"epoch": epoch, "loss": 7.0 - epoch} for epoch in range(1, 7)]
    lines = draw(history, width=40, best_epoch=3)
    assert lines[0].rstrip() == "loss  . training"
    rows = [line[7:] for line in lines[1:7]]
    assert lines[1].startswith("6.000 |.")
    assert lines[6].startswith("1.000 |")
    lasts = [row.rstrip().rfind(".") for row in rows]
    assert all(one < other for one, other in pairwise(lasts))
    assert (lasts[-1], rows[0][0]) == (32, ".")
    # Epoch 3 of 1 to 6 lies at two fifths of the 33 columns.
    assert lines[7][7:].index("^") == round(2 / 5 * 32)
    assert lines[8].split() == ["1", "best", "3", "6"]


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [32, 50, 64, 80])
@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy", "accuracy"])
@pytest.mark.parametrize("best", [1, 2, 10, 19, 20])
def test_no_line_is_wider_than_asked_nor_are_there_more_than_nine(
    width: int, monitor: str, best: int, unicode: bool
) -> None:
    lines = draw(FALLING, width=width, monitor=monitor, best_epoch=best, unicode=unicode)
    assert len(lines) == 9
    assert max(len(line) for line in lines) <= width
    assert f"best {best}" in lines[-1]
    assert unicode or all(line.isascii() for line in lines)


def test_the_monitored_value_stands_beside_the_loss_where_there_is_room() -> None:
    wide = draw(FALLING, monitor="accuracy")
    assert wide[0].split("accuracy")[0].startswith("loss")
    assert all("|" in line[41:] for line in wide[1:7])
    assert "accuracy" not in draw(FALLING, monitor="accuracy", width=60)[0]
    assert "accuracy" not in draw(FALLING, monitor="val_loss")[0]


def test_training_is_dotted_beside_validation_and_solid_alone() -> None:
    flat = [{"epoch": epoch, "loss": 1.0, "val_loss": 2.0} for epoch in range(1, 5)]
    lines = draw(flat, unicode=True)
    assert dots(lines[1]) >= 2.8 * dots(lines[6]) > 0
    alone = [{"epoch": epoch, "loss": 1.0} for epoch in range(1, 5)]
    assert sum(map(dots, draw(alone, unicode=True)[1:7])) == dots(lines[1])
    assert "⠒⠒ training" in draw(alone, unicode=True)[0]


def test_a_loss_that_falls_by_much_is_on_a_logarithmic_scale() -> None:
    assert draw(FALLING)[0].startswith("loss  ")
    steep = [{"epoch": epoch, "loss": 10.0**-epoch} for epoch in range(1, 7)]
    lines = draw(steep, width=40)
    assert lines[0].startswith("loss (log)")
    assert [line[8:].rstrip().rfind(".") > 0 for line in lines[1:7]] == [True] * 6


def test_what_is_no_number_or_missing_leaves_a_gap_and_nothing_breaks() -> None:
    history = [
        {"epoch": 1, "loss": 1.0, "val_loss": math.nan},
        {"epoch": 2, "loss": math.inf},
        {"epoch": 3, "loss": 0.5, "val_loss": 0.0},
        {"epoch": 4, "loss": 0.5, "val_loss": -1.0},
    ]
    lines = draw(history, best_epoch=9)
    assert lines[1].startswith(" 1.000 |")
    assert lines[6].startswith("-1.000 |")
    assert "best" not in lines[-1]
    assert draw([{"epoch": 1, "loss": math.nan}, {"epoch": 2, "loss": math.nan}]) == []


def test_one_epoch_has_no_curve_and_prints_nothing() -> None:
    assert draw(FALLING[:1]) == []
    assert draw([]) == []
    console = Console(file=io.StringIO(), width=80)
    show_curves(console, FALLING[:1], monitor="loss", best_epoch=1)
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]


def test_a_hundred_thousand_epochs_keep_their_single_spike() -> None:
    history = [{"epoch": epoch, "loss": 1.0} for epoch in range(1, 100_001)]
    history[50_000]["loss"] = 9.0
    lines = draw(history, width=40, best_epoch=1)
    assert lines[1].startswith("9.000 |")
    assert abs(lines[1][7:].index(".") - 16) <= 1


def test_braille_needs_a_terminal_of_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    assert can_show_braille(Console(file=Terminal(io.BytesIO(), encoding="utf-8")))
    assert not can_show_braille(Console(file=Terminal(io.BytesIO(), encoding="latin-1")))
    assert not can_show_braille(Console(file=Terminal(io.BytesIO(), encoding="ascii")))
    assert not can_show_braille(Console(file=io.StringIO()))
    assert not can_show_braille(Console(file=io.StringIO(), force_terminal=True))
    monkeypatch.setenv("TERM", "dumb")
    assert not can_show_braille(Console(file=Terminal(io.BytesIO(), encoding="utf-8")))
