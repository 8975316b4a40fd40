"""What does a person see of a training? The model's table, a line an epoch, a progress bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console

from dltrain.commands.terminal import is_watched
from dltrain.training.listener import EpochReport, Listener, Plan

if TYPE_CHECKING:
    from rich.table import Table

# The bar is redrawn at most this often, in seconds: drawing must not slow small models down.
_REDRAW_SECONDS = 0.1


class TrainingView(Listener):
    """Show a training on stderr; where nobody watches there is no bar, one line an epoch."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.is_watched = is_watched(self.console)
        self._bar: Any = None
        self._task: Any = None
        self._drawn = 0.0
        self._steps = 0
        self._label = ""

    def note(self, text: str) -> None:
        """Print one line."""
        self._print(text, style="dim")

    def advance(self, label: str, *, done_bytes: int, total_bytes: int | None) -> None:
        """Show a download."""
        self._show(label, done_bytes, total_bytes)

    def plan(self, plan: Plan) -> None:
        """Print the layers and what is about to happen."""
        self.close()
        self.console.print(_make_layer_table(plan))
        rows = ", ".join(f"{count:,} {split}" for split, count in plan.rows.items())
        self._print(f"data      {plan.dataset}: {rows} rows")
        self._print(
            f"training  {plan.epochs} epochs of {plan.steps_per_epoch:,} steps, "
            f"batch size {plan.batch_size:,}, on {plan.device}"
        )
        self._print(f"run       {plan.run_directory}")
        if "validation" in plan.rows:
            self._print("epochs    values are training/validation; * marks the best so far")

    def begin_epoch(self, epoch: int, epochs: int, steps: int) -> None:
        """Show an empty bar."""
        self._steps = steps
        self._label = f"epoch {epoch}/{epochs}"

    def step(self, step: int, loss: float) -> None:
        """Move the bar."""
        now = time.monotonic()
        if now - self._drawn >= _REDRAW_SECONDS:
            self._drawn = now
            self._show(f"{self._label}  loss {loss:.4f}", step, self._steps)

    def end_epoch(self, report: EpochReport) -> None:
        """Print the epoch's line; a star marks the best so far."""
        self.close()
        width = len(str(report.epochs))
        star = "*" if report.is_best else " "
        head = f"epoch {report.epoch:>{width}}/{report.epochs} {star} "
        parts = [*_pair_values(report.values), f"{report.seconds:.1f} s"]
        # In a file or a CI's log an epoch is one line, however long.
        room = self.console.width if self.is_watched else sys.maxsize
        self._print(_fill(head, parts, room))

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _print(self, text: str, *, style: str = "") -> None:
        self.close()
        self.console.print(text, style=style, markup=False, soft_wrap=not self.is_watched)

    def _show(self, label: str, done: int, total: int | None) -> None:
        if not self.is_watched:
            return
        if self._bar is None:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeRemainingColumn(compact=True),
                console=self.console,
                transient=True,
                auto_refresh=False,
            )
            self._bar.start()
            self._task = self._bar.add_task(label, total=total)
        self._bar.update(self._task, description=label, completed=done, total=total, refresh=True)


def _make_layer_table(plan: Plan) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("layer", overflow="fold")
    table.add_column("type", overflow="fold")
    table.add_column("output shape", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    for row in plan.summary.layers:
        shape = "(" + ", ".join(str(size) for size in row.shape) + ")"
        kind = f"{row.type}, not trained" if row.is_frozen else row.type
        table.add_row(row.name, kind, shape, f"{row.parameters:,}")
    table.add_section()
    frozen = plan.summary.parameters - plan.summary.trainable_parameters
    note = f"{frozen:,} not trained" if frozen else ""
    table.add_row("total", note, "", f"{plan.summary.parameters:,}")
    return table


def _fill(head: str, parts: Sequence[str], width: int) -> str:
    """Return `head` and `parts` in lines of at most `width`; none is broken, the rest indented."""
    lines = [head]
    for index, part in enumerate(parts):
        gap = "  " if index else ""
        if index and len(lines[-1]) + len(gap) + len(part) > width:
            lines.append(" " * len(head) + part)
        else:
            lines[-1] += gap + part
    return "\n".join(lines)


def _pair_values(values: Mapping[str, float]) -> list[str]:
    """Return `loss 0.31/0.35`, `accuracy 0.91/0.90`, …: of training, then of validation."""
    names = [name for name in values if not name.startswith("val_") and name != "learning_rate"]
    names.sort(key=lambda name: name != "loss")
    parts = []
    for name in names:
        beside = f"/{_short(values[f'val_{name}'])}" if f"val_{name}" in values else ""
        parts.append(f"{name} {_short(values[name])}{beside}")
    return parts


def _short(value: float) -> str:
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e5):
        return f"{value:.2e}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.1f}"
