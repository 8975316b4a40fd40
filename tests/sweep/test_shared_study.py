"""Is a study in a database the same one, with however many processes, and safe from torn trials?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_runs import REGRESSION, change

from dltrain.config.load import load_config
from dltrain.runs.lock import hold_run, release_run
from dltrain.runs.sweeps import SweepPaths, create_sweep, write_sweep
from dltrain.sweep.claims import Shared, make_member
from dltrain.sweep.folder import describe_shared
from dltrain.sweep.joining import find_shared
from dltrain.sweep.places import Places
from dltrain.sweep.study import SweepStudy, TakenOver

SPACE: dict[str, Any] = {
    "optimizer": {"choice": ["adam", {"type": "sgd", "momentum": 0.5}]},
    "optimizer.learning_rate": {"log_uniform": [1e-4, 0.1]},
    "training.batch_size": {"int": [5, 20], "step": 5},
}


def open_study(folder: Path, url: str | None, **sweep: Any) -> SweepStudy:
    """Open a study in the name of `folder`, as a process of its own would."""
    folder.mkdir(exist_ok=True)
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(change(REGRESSION, sweep={"space": SPACE, **sweep})))
    loaded = load_config(path)
    assert loaded.sweep is not None
    member = make_member(folder.name, folder)
    return SweepStudy(
        SweepPaths(folder),
        loaded.sweep,
        loaded.document,
        epochs=3,
        name="line",
        url=url,
        member=member,
    )


def take(study: SweepStudy) -> tuple[int, dict[str, Any]]:
    begun = study.begin_trial()
    assert begun is not None
    number, point = begun
    study.finish(number, (point.values["optimizer.learning_rate"],), epochs=3)
    return number, dict(point.values)


@pytest.mark.parametrize("method", ["random", "bayesian", "grid"])
def test_processes_in_turn_take_the_values_of_one_alone(tmp_path: Path, method: str) -> None:
    more: dict[str, Any] = {"method": method, "trials": 14}
    if method == "grid":
        choices = {"choice": [0.1, 0.01, 0.001, 0.0001, 0.2, 0.02, 0.002]}
        more |= {
            "space": {
                "optimizer.learning_rate": choices,
                "training.batch_size": {"choice": [5, 10]},
            }
        }
    alone = open_study(tmp_path / "alone", None, **more)
    url = f"sqlite:///{tmp_path}/study.db"
    one, other = (open_study(tmp_path / name, url, **more) for name in ("one", "other"))
    together = [take(study) for _ in range(7) for study in (one, other)]
    assert together == [take(alone) for _ in range(14)]
    assert one.begin_trial() is None
    assert [each.number for each in other.list_trials()] == list(range(1, 15))


def test_a_trial_killed_while_it_was_made_is_made_anew_under_its_number(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    alone = take(open_study(tmp_path / "alone", None, method="random"))
    killed = open_study(tmp_path / "killed", url, method="random")
    assert killed.claims.claim(20, known=()) == 1
    killed.claims.attach(1, killed._study.ask()._trial_id)
    other = open_study(tmp_path / "other", url, method="random")
    assert other.list_trials() == []
    killed.claims.leave()
    other.claims.look()
    assert isinstance(other.claims, Shared)
    assert other.claims.list_orphans() == [1]
    assert other.claims.take_over(1, place="other")
    point = other.restore(1)
    assert dict(point.values) == alone[1]
    assert [each.number for each in other.list_trials()] == [1]
    # Whoever was only held up can't make it any more.
    with pytest.raises(TakenOver):
        killed._make_trial(1)
    assert [each.number for each in other.list_trials()] == [1]


def test_the_first_result_of_a_trial_counts_and_the_second_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    held_up = open_study(tmp_path / "held", url, method="random")
    begun = held_up.begin_trial()
    assert begun is not None
    other = open_study(tmp_path / "other", url, method="random")
    other.restore(1)
    other.finish(1, (0.25,), epochs=3)
    for end in (
        lambda: held_up.report(1, 3, 0.5),
        lambda: held_up.finish(1, (0.5,)),
        lambda: held_up.prune(1),
        lambda: held_up.fail(1, "for a reason"),
    ):
        with pytest.raises(TakenOver):
            end()
    (trial,) = held_up.list_trials()
    assert (trial.state, trial.results, trial.reason, trial.epochs) == ("finished", (0.25,), "", 3)


def test_a_study_from_before_there_were_claims_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    study = open_study(tmp_path / "one", url, method="random")
    take(study)
    assert study.begin_trial() is not None
    claims = study.claims
    assert isinstance(claims, Shared)
    claims._run(claims._claims.delete())
    again = open_study(tmp_path / "one", url, method="random")
    assert again.list_own() == [2]
    begun = again.begin_trial()
    assert begun is not None
    assert begun[0] == 3


def test_the_shared_config_follows_anew_from_what_varies(tmp_path: Path) -> None:
    """Not the resolved one: its defaults are those of the values that stand in the config."""
    path = tmp_path / "config.yaml"
    sweep = {"space": {"optimizer": {"choice": ["adam", "sgd"]}}, "trials": 2, "method": "grid"}
    path.write_text(yaml.safe_dump(change(REGRESSION, sweep=sweep)))
    loaded = load_config(path, overrides=["training.epochs=7", "optimizer.learning_rate=1e-3"])
    data = yaml.safe_load(describe_shared(loaded))
    assert data["optimizer"] == {"type": "sgd", "learning_rate": 0.001}
    assert data["training"] == {"batch_size": 10, "epochs": 7}
    assert data["sweep"] == sweep


def test_a_study_tells_whoever_joins_its_config_and_how_far_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    study = open_study(tmp_path / "one", url, method="random", trials=5)
    path = tmp_path / "one/config.yaml"
    study.share(describe_shared(load_config(path)), version="0.0.7")
    take(study)
    shared = find_shared(url, None)
    assert (shared.study, shared.goal, shared.done) == ("line", 5, 1)
    loaded = shared.load(())
    assert loaded.config == load_config(path).config
    assert loaded.sweep == load_config(path).sweep
    assert shared.describe_version().startswith("The study was begun by dltrain 0.0.7, and this is")


def test_a_run_goes_on_in_its_folder_only_if_that_is_the_one_meant_and_free(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    theirs = create_sweep("line", root=tmp_path)
    gone = open_study(theirs.root, url, method="random")
    assert gone.begin_trial() is not None
    other = open_study(tmp_path / "other", url, method="random")
    places = Places(SweepPaths(tmp_path / "other"), other.claims)
    assert places.run_of(1) == theirs.trial(1)
    # No run yet, no record of whose folder it is, another's folder of the same name: all anew.
    assert places.choose(1) == "other"
    theirs.trial(1).root.mkdir()
    theirs.trial(1).config.write_text("")
    assert places.choose(1) == "other"
    write_sweep(theirs, {"trials": [], "goal": 1, "member": "a-namesake"})
    assert places.choose(1) == "other"
    write_sweep(theirs, {"trials": [], "goal": 1, "member": theirs.root.name})
    assert places.choose(1) == theirs.root.name
    hold_run(theirs.trial(1))
    assert places.choose(1) == "other"
    release_run(theirs.trial(1))
    assert places.choose(1) == theirs.root.name
