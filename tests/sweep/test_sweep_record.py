"""Does sweep.json say of the best trial only what is so of that one?"""

from __future__ import annotations

from pathlib import Path

import yaml
from tiny_runs import REGRESSION, change

from dltrain.config.load import load_config
from dltrain.runs.sweeps import SweepPaths, make_folders
from dltrain.sweep.record import Head, SweepRecord
from dltrain.sweep.study import SweepStudy

HEAD = Head(name="line", study="line", storage=None, member=None, threads=None)


def test_a_test_score_is_shown_only_as_long_as_its_trial_is_the_best(tmp_path: Path) -> None:
    space = {"optimizer.learning_rate": {"uniform": [0.01, 0.1]}}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(change(REGRESSION, sweep={"space": space})))
    loaded = load_config(path)
    assert loaded.sweep is not None
    paths = SweepPaths(tmp_path / "sweep-0001")
    paths.root.mkdir()
    make_folders(paths)
    study = SweepStudy(paths, loaded.sweep, loaded.document, epochs=3, name="line", url=None)
    score = {"metric": "r2", "value": 0.5}
    record = SweepRecord(paths, loaded.sweep, study, head=HEAD, test=score, tested=1)

    shown = []
    for result in (0.5, 0.6, 0.4):  # the metric is a loss
        begun = study.begin_trial()
        assert begun is not None
        study.finish(begun[0], (result,))
        document = record.write("running")
        shown.append((document["best"], document["test"]))

    assert shown == [(1, score), (1, score), (3, None)]
