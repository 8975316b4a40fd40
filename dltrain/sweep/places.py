"""Where does the run of each trial lie? Here, or in the folder of another process of the study."""

from __future__ import annotations

from dltrain.config.dump import dump_config
from dltrain.config.load import LoadedConfig, check_document
from dltrain.errors import DltrainError
from dltrain.runs.atomic import write_text
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import hold_run, release_run
from dltrain.runs.sweeps import SweepPaths, read_sweep_record
from dltrain.shapes.infer import infer_shapes
from dltrain.sweep.claims import Alone, Member, Shared
from dltrain.sweep.space import Point


class Places:
    """The runs of a study as this process can reach them."""

    def __init__(self, paths: SweepPaths, claims: Alone) -> None:
        self._paths, self._claims = paths, claims

    def run_of(self, trial: int) -> RunPaths:
        """Return where the run of a trial lies, on this machine's disks or another's."""
        place = self._claims.place_of(trial)
        return (self._paths if place is None else SweepPaths(place.folder)).trial(trial)

    def choose(self, trial: int) -> str:
        """Return the member in whose folder this process should train a trial that it takes over.

        The folder where it was begun, if that can be reached and nobody works on the run: it goes
        on from its checkpoint there. Else this process's own, from the beginning.
        """
        assert isinstance(self._claims, Shared)
        place = self._claims.place_of(trial)
        if place is None or not self.can_reach(place):
            return self._claims.me.id
        run = self.run_of(trial)
        if not run.config.is_file():
            return self._claims.me.id
        try:
            hold_run(run)
        except DltrainError:  # in use, or not to be written
            return self._claims.me.id
        release_run(run)
        return place.id

    def can_reach(self, member: Member) -> bool:
        """Tell whether a member's folder is on a disk of this machine, and not one named alike."""
        try:
            return read_sweep_record(SweepPaths(member.folder)).get("member") == member.id
        except DltrainError:
            return False


def write_trial_config(paths: SweepPaths, trial: int, point: Point) -> LoadedConfig:
    """Check the config of a trial, and write it to configs/ if it isn't there.

    Raises ConfigError if the values can't be trained.
    """
    loaded = check_document(point.document)
    infer_shapes(loaded).raise_any()
    if not paths.trial_config(trial).is_file():
        write_text(paths.trial_config(trial), dump_config(loaded.config))
    return loaded
