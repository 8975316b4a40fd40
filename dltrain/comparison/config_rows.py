"""In which keys do the configs of several runs differ, and what does each run have there?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dltrain.comparison.result import ComparedRun
from dltrain.config.compare import format_value

NOT_THERE = "(not there)"


@dataclass(frozen=True)
class ConfigRow:
    """A key in which some run differs from the baseline, with its value in each run, as YAML.

    The key is the baseline's, or the run's for what the baseline doesn't have. A value is None
    where the run's config couldn't be compared.
    """

    key: str
    baseline: str
    values: tuple[str | None, ...]

    def differs(self, place: int) -> bool:
        """Tell whether the run at `place` is known to have another value than the baseline."""
        return self.values[place] not in (None, self.baseline)


def tabulate_configs(runs: Sequence[ComparedRun]) -> list[ConfigRow]:
    """Return a row for each key in which some run differs from the baseline."""
    baselines: dict[tuple[bool, str], str] = {}
    changed: dict[tuple[bool, str], dict[int, str]] = {}
    for place, run in enumerate(runs):
        for each in run.config_differences or ():
            added = each.first_key is None
            row = added, str(each.second_key if added else each.first_key)
            baselines[row] = NOT_THERE if added else format_value(each.first)
            there = each.second_key is not None
            changed.setdefault(row, {})[place] = format_value(each.second) if there else NOT_THERE
    return [
        ConfigRow(
            key=row[1],
            baseline=before,
            values=tuple(
                None if run.config_differences is None else changed[row].get(place, before)
                for place, run in enumerate(runs)
            ),
        )
        for row, before in baselines.items()
    ]
