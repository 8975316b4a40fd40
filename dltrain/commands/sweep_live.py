"""What does a terminal show of a sweep at work? The best so far, the running trials, the rest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from dltrain.report.numbers import format_duration
from dltrain.sweep.standing import Running, Standing, TimeLeft, estimate_time_left
from dltrain.sweep.words import describe_short

if TYPE_CHECKING:
    from rich.live import Live

# A second is the unit of what it says; half of one lets an epoch's value show soon.
_REDRAWS_PER_SECOND = 2

# With less room for them the values of running trials would be a few letters each.
_NARROWEST_VALUES = 16

_BEST_VALUES_LINES = 3
_INDENT = "  "

# Lines that aren't running trials: the best, its values, the headings, the counts, the times.
_OTHER_LINES = 9


class LiveTable:
    """Draws `standing` below what is printed, again and again, until it is closed."""

    def __init__(self, console: Console, metrics: Sequence[str]) -> None:
        self._console, self._metrics = console, metrics
        self._live: Live | None = None
        self.standing: Standing | None = None

    def open(self, standing: Standing) -> None:
        """Begin to draw."""
        from rich.live import Live

        self.standing = standing
        self._live = Live(
            get_renderable=lambda: _Drawing(self.standing or standing, self._metrics),
            console=self._console,
            transient=True,
            refresh_per_second=_REDRAWS_PER_SECOND,
            redirect_stdout=False,
        )
        self._live.start()
        # Rich hides it; a process that is killed could not bring it back.
        self._console.show_cursor(True)

    def close(self) -> None:
        """Remove the table from the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None


class _Drawing:
    """One standing as Rich draws it, for whatever size the terminal has then."""

    def __init__(self, standing: Standing, metrics: Sequence[str]) -> None:
        self._standing, self._metrics = standing, metrics

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        now = time.monotonic()
        room = max(1, (options.height or console.height) - _OTHER_LINES)
        yield draw_standing(
            self._standing, self._metrics, now=now, width=options.max_width, rows=room
        )


def draw_standing(
    standing: Standing, metrics: Sequence[str], *, now: float, width: int, rows: int
) -> Group:
    """Return the table for a terminal of `width` columns, with at most `rows` running trials."""
    parts: list[Any] = [Text()]
    parts.extend(_describe_best(standing, metrics))
    if standing.running:
        parts.append(_make_running(standing.running[:rows], metrics[0], width))
    if len(standing.running) > rows:
        parts.append(Text(f"and {len(standing.running) - rows} more at work", style="dim"))
    parts.append(_count_trials(standing))
    parts.append(Text(_describe_time(standing, now)))
    return Group(*parts)


def _describe_best(standing: Standing, metrics: Sequence[str]) -> list[Text | _Cut]:
    best = standing.best
    if best is None:
        return [Text("best so far: no trial has finished yet", style="dim")]
    gave = ", ".join(
        f"{metric} {value:.4f}" for metric, value in zip(metrics, best["results"], strict=True)
    )
    line = Text(f"best so far: trial {best['trial']}, {gave}", style="bold")
    if len(metrics) > 1 and standing.front > 1:
        line.append(f"; {standing.front} on the front", style="not bold")
    return [line, _Cut(Text(describe_short(best["values"])), lines=_BEST_VALUES_LINES)]


class _Cut:
    """A text, indented, in so many lines at most; the last tells that there is more of it."""

    def __init__(self, text: Text, *, lines: int) -> None:
        self._text, self._lines = text, lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(1, options.max_width - len(_INDENT))
        wrapped = list(self._text.wrap(console, width))
        for place, line in enumerate(wrapped[: self._lines], 1):
            line.rstrip()
            if place == self._lines < len(wrapped):
                line.truncate(max(1, width - 2), overflow="crop")
                line.append(" …")
            yield Text(_INDENT) + line


def _make_running(running: Sequence[Running], metric: str, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    cells = [_list_cells(each) for each in running]
    heads = ("running", "epoch", metric)
    taken = sum(
        max(len(head), *(len(row[place]) for row in cells)) + 2 for place, head in enumerate(heads)
    )
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True, overflow="ellipsis")
    left = width - taken
    with_values = left >= _NARROWEST_VALUES
    if with_values:
        table.add_column("values", no_wrap=True, overflow="ellipsis", max_width=left)
    for each, row in zip(running, cells, strict=True):
        table.add_row(*row, *([Text(describe_short(each.values))] if with_values else []))
    return table


def _list_cells(running: Running) -> tuple[str, str, str]:
    name = str(running.trial) if running.seed is None else f"{running.trial}, seed {running.seed}"
    epochs = f"{running.epoch}/{running.epochs}" if running.epochs is not None else "–"
    return name, epochs, "–" if running.value is None else f"{running.value:.4f}"


def _count_trials(standing: Standing) -> Text:
    counts = ", ".join(f"{count} {state}" for state, count in standing.counts.items() if count)
    line = f"{standing.done} of {standing.goal} trials done"
    if counts:
        line += f" ({counts})"
    left = standing.goal - standing.done
    if left:
        line += f", {left} left"
    if standing.elsewhere:
        line += f", {standing.elsewhere} of them at work elsewhere"
    if standing.finalists and left:
        line += f", then {standing.finalists} with other seeds"
    elif standing.finalists:
        line += f"; with other seeds {standing.finalists_done} of {standing.finalists}"
    return Text(line)


def _describe_time(standing: Standing, now: float) -> str:
    """Return `2 min 05 s so far, about 4 min left`."""
    so_far = f"{format_duration(float(round(now - standing.began)))} so far".replace(".0 s", " s")
    return f"{so_far}, {describe_time_left(estimate_time_left(standing, now))}"


def describe_time_left(left: TimeLeft | None) -> str:
    """Return `about 4 min left`, no finer than it can be known."""
    if left is None:
        return "time left unknown"
    if left.limited:
        return f"at most {_round(left.seconds)} left, by max_seconds"
    return f"about {_round(left.seconds)} left"


def _round(seconds: float) -> str:
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours / 24:.0f} days"
