"""Is each trial one process's own, whoever else asks, and another's once that process is gone?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from postgresql import Server
from sqlalchemy import create_engine

from dltrain.sweep import claims
from dltrain.sweep.claims import SCORING, Member, Shared

Enter = Callable[[str], Shared]


@pytest.fixture(params=["sqlite", "postgresql"])
def enter(request: pytest.FixtureRequest, tmp_path: Path) -> Enter:
    """Return a function that makes a member of one study, with a connection of its own."""
    url = f"sqlite:///{tmp_path}/study.db"
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        name = f"claims_{abs(hash(request.node.name))}"
        url = server.make_database(name).replace("postgresql:", "postgresql+psycopg:")

    def make(identity: str) -> Shared:
        return Shared(create_engine(url), "line", Member(identity, "here", tmp_path / identity))

    return make


def test_a_number_is_claimed_once_by_however_many(enter: Enter) -> None:
    members = [enter(f"member-{index}") for index in range(4)]
    taken: dict[str, list[int]] = {}
    start = threading.Barrier(len(members))

    def claim_all(member: Shared) -> None:
        mine = taken[member.me.id] = []
        start.wait()
        while (number := member.claim(30, known=())) is not None:
            mine.append(number)

    threads = [threading.Thread(target=claim_all, args=(each,)) for each in members]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(number for mine in taken.values() for number in mine) == list(range(1, 31))
    for each in members:
        assert each.list_own(()) == taken[each.me.id]


def test_what_a_member_leaves_goes_to_exactly_one_other(enter: Enter) -> None:
    first, second, third = enter("first"), enter("second"), enter("third")
    assert [first.claim(9, known=()) for _ in range(2)] == [1, 2]
    second.look()
    assert second.list_orphans() == []
    first.leave()
    for each in (second, third):
        each.look()
        assert each.list_orphans() == [1, 2]
    assert second.take_over(1, place="second")
    assert not third.take_over(1, place="third")
    assert third.take_over(2, place="first")
    second.look()
    assert second.place_of(1) is None
    place = second.place_of(2)
    assert place is not None
    assert (place.id, place.folder.name) == ("first", "first")
    assert not first.attach(1, 77)
    assert second.attach(1, 77)
    assert third.trial_id(1) == 77


def test_who_gives_no_sign_is_gone_and_who_does_is_not(
    enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "STALE_SECONDS", 0.6)
    monkeypatch.setattr(claims, "_BEAT_SECONDS", 0.1)
    monkeypatch.setattr(claims, "_LOOK_SECONDS", 0.0)
    silent, alive, watcher = enter("silent"), enter("alive"), enter("watcher")
    assert (silent.claim(9, known=()), alive.claim(9, known=())) == (1, 2)
    for _ in range(8):
        time.sleep(0.12)
        assert alive.refresh() == set()
        watcher.refresh()
    assert watcher.list_orphans() == [1]
    assert not watcher.is_alone()
    assert watcher.take_over(1, place="watcher")
    # Awake again, it learns that the trial is another's.
    assert silent.refresh() == {1}
    assert silent.list_own(()) == []


def test_a_sign_given_at_the_last_moment_keeps_a_trial(
    enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "STALE_SECONDS", 0.05)
    owner, other = enter("owner"), enter("other")
    owner.claim(9, known=())
    other.look()
    time.sleep(0.1)
    other.look()
    assert other.list_orphans() == [1]
    owner._beat()
    assert not other.take_over(1, place="other")


def test_one_member_scores_and_the_next_goal_can_be_scored_again(enter: Enter) -> None:
    first, second = enter("first"), enter("second")
    assert first.claim_scoring()
    assert first.claim_scoring()
    assert not second.claim_scoring()
    assert SCORING not in first.list_own(())
    first.end_scoring()
    assert second.claim_scoring()
    second.leave()
    assert first.claim_scoring()


def test_a_member_that_comes_back_has_its_trials(enter: Enter) -> None:
    first = enter("first")
    assert first.claim(9, known=()) == 1
    first.leave()
    again = enter("first")
    assert again.list_own(()) == [1]
    other = enter("other")
    assert other.list_orphans() == []
