"""Who trains which trial of a study that several processes share, on several machines?

Two tables beside Optuna's, in the same database. Each process is a member, with a sweep folder of
its own, and counts up its `beats` as long as it lives. Each number of a trial is claimed once: the
row's key is the number, so that of two processes that want it the database refuses one. A claim
goes to another process only while its owner has left, or shows the same count for `STALE_SECONDS`
of the observer's own time: no clocks are compared. The statement that moves it asks for both again.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table

STALE_SECONDS = float(os.environ.get("DLTRAIN_SWEEP_STALE_SECONDS", "60"))
"""After so long without a sign a process counts as gone. The variable is for the tests."""

# Six signs may be late or lost. Whoever reads them looks once a second.
_BEAT_SECONDS = STALE_SECONDS / 6
_LOOK_SECONDS = min(1.0, _BEAT_SECONDS)

SCORING = 0
"""The claim of the number 0: who holds it scores the test rows. Trials count from 1."""


@dataclass(frozen=True)
class Member:
    """A process of a study: the name of its folder in the study, the machine, and the folder."""

    id: str
    host: str
    folder: Path


def make_member(identity: str, folder: Path) -> Member:
    """Return this process as a member whose sweep lies in `folder`."""
    return Member(identity, socket.gethostname(), folder.absolute())


@dataclass(frozen=True)
class Claim:
    """Who trains a trial, in whose folder its run lies, and the trial's id in Optuna's storage."""

    owner: str
    place: str
    trial_id: int | None


class Alone:
    """The claims of a study that only one process can open: every trial is its own."""

    is_shared = False

    def claim(self, goal: int, *, known: Collection[int]) -> int | None:
        """Return the number of the next trial, or None if there are `goal`."""
        number = max(known, default=0) + 1
        return number if number <= goal else None

    def attach(self, number: int, trial_id: int) -> bool:
        """Note which of Optuna's trials it is; tell whether the number is still this process's."""
        return True

    def list_own(self, known: Collection[int]) -> list[int]:
        """Return the numbers that this process has claimed, now or before it was stopped."""
        return sorted(known)

    def trial_id(self, number: int) -> int | None:
        """Return the id that was attached, if it is known."""
        return None

    def place_of(self, number: int) -> Member | None:
        """Return in whose folder the run of a trial lies; None: in this process's own."""
        return None

    def refresh(self) -> set[int] | None:
        """Give a sign of life and look at the others'; return the numbers that were lost.

        None if it isn't time yet.
        """
        return None

    def look(self) -> None:
        """Read from the storage whose each trial is."""

    def leave(self) -> None:
        """Let the others go on at once with what isn't done."""


class Shared(Alone):
    """The claims of one member of a study in a database."""

    is_shared = True

    def __init__(self, engine: Engine, study: str, me: Member) -> None:
        """Enter the study; makes the tables if they aren't there. Raises SQLAlchemyError."""
        self.me = me
        self._engine, self._study = engine, study
        self._members, self._claims = _define_tables()
        self._members.metadata.create_all(engine)
        self._signs: dict[str, tuple[tuple[int, int], float]] = {}
        self._found: dict[int, Claim] = {}
        self._known: dict[str, Member] = {}
        self._mine: set[int] = set()
        self._beaten = self._refreshed = _read_clock()
        self._enter()
        self.look()
        self._mine = {number for number, each in self._found.items() if each.owner == me.id}

    def claim(self, goal: int, *, known: Collection[int]) -> int | None:
        """Claim the lowest number that nobody has, and return it; None if there is none."""
        self.look()
        for number in range(1, goal + 1):
            if number not in self._found and number not in known and self._insert(number):
                return number
        return None

    def claim_scoring(self) -> bool:
        """Tell whether this process is the one that scores the test rows."""
        self.look()
        held = self._found.get(SCORING)
        if held is None:
            return self._insert(SCORING)
        if held.owner == self.me.id:
            return True
        return self.is_gone(held.owner) and self.take_over(SCORING, place=self.me.id)

    def end_scoring(self) -> None:
        """Let go of the claim to score, so that a later goal can be scored again."""
        from sqlalchemy import delete

        rows = self._claims
        self._run(delete(rows).where(*self._is(SCORING), rows.c.owner == self.me.id))
        self._mine.discard(SCORING)

    def attach(self, number: int, trial_id: int) -> bool:
        """Note which of Optuna's trials it is; tell whether the number is still this process's."""
        from sqlalchemy import update

        rows = self._claims
        mine = (*self._is(number), rows.c.owner == self.me.id)
        return self._run(update(rows).where(*mine).values(trial_id=trial_id)) == 1

    def adopt(self, ids: Mapping[int, int]) -> None:
        """Claim the trials (number → Optuna's id) of a study from before there were claims."""
        for number, trial_id in ids.items():
            if number not in self._found and self._insert(number):
                self.attach(number, trial_id)

    def list_own(self, known: Collection[int]) -> list[int]:
        """Return the numbers that this process has claimed, now or before it was stopped."""
        return sorted(self._mine - {SCORING})

    def trial_id(self, number: int) -> int | None:
        """Return the id that was attached, as it stands in the database now."""
        self.look()
        held = self._found.get(number)
        return held.trial_id if held else None

    def place_of(self, number: int) -> Member | None:
        """Return in whose folder the run of a trial lies; None: in this process's own."""
        held = self._found.get(number)
        if held is None or held.place == self.me.id:
            return None
        return self._known[held.place]

    def host_of(self, number: int) -> str:
        """Return the machine whose process has a trial."""
        return self._known[self._found[number].owner].host

    def list_orphans(self) -> list[int]:
        """Return the numbers of trials whose owner is gone, done or not, as of the last look."""
        others = {number: each.owner for number, each in self._found.items() if number != SCORING}
        return sorted(number for number, owner in others.items() if self.is_gone(owner))

    def is_gone(self, member: str) -> bool:
        """Tell whether a process has left, or gave no sign for long. This one is never gone."""
        if member == self.me.id:
            return False
        (_, present), since = self._signs[member]
        return not present or _read_clock() - since > STALE_SECONDS

    def is_alone(self) -> bool:
        """Tell whether every other member is gone."""
        return all(self.is_gone(each) for each in self._signs if each != self.me.id)

    def take_over(self, number: int, *, place: str) -> bool:
        """Claim what belongs to a member that is gone; tell whether that came off.

        `place` is the member in whose folder the run lies from now on. It doesn't come off if
        another was quicker, or the owner has given a sign.
        """
        from sqlalchemy import and_, exists, or_, update

        held, rows, them = self._found[number], self._claims, self._members
        (beats, _), _ = self._signs[held.owner]
        silent = exists().where(
            and_(
                them.c.study == self._study,
                them.c.member == held.owner,
                or_(them.c.present == 0, them.c.beats == beats),
            )
        )
        theirs = (*self._is(number), rows.c.owner == held.owner, silent)
        moved = update(rows).where(*theirs).values(owner=self.me.id, place=place)
        if self._run(moved) != 1:
            return False
        self._mine.add(number)
        self._found[number] = Claim(self.me.id, place, held.trial_id)
        return True

    def refresh(self) -> set[int] | None:
        """Give a sign of life and look at the others'; return the numbers that were lost.

        None if it isn't time yet: it is cheap to call often.
        """
        now = _read_clock()
        if now - self._refreshed < _LOOK_SECONDS:
            return None
        self._refreshed = now
        if now - self._beaten >= _BEAT_SECONDS:
            self._beat()
        self.look()
        still = {number for number, each in self._found.items() if each.owner == self.me.id}
        lost = self._mine - still
        self._mine -= lost
        return lost

    def leave(self) -> None:
        """Let the others go on at once with what isn't done."""
        from sqlalchemy import update

        self._run(update(self._members).where(*self._is_me()).values(present=0))

    def _enter(self) -> None:
        from sqlalchemy import insert, update

        them, me = self._members, self.me
        values = {"host": me.host, "folder": str(me.folder), "present": 1}
        again = update(them).where(*self._is_me()).values(**values, beats=them.c.beats + 1)
        if self._run(again) == 0:
            self._run(insert(them).values(study=self._study, member=me.id, beats=1, **values))

    def _beat(self) -> None:
        from sqlalchemy import update

        them = self._members
        self._run(update(them).where(*self._is_me()).values(beats=them.c.beats + 1))
        self._beaten = _read_clock()

    def look(self) -> None:
        """Read who holds what, and since when each member has shown the same count."""
        from sqlalchemy import select

        them, rows = self._members, self._claims
        with self._engine.connect() as connection:
            # In this order: whoever claims has entered before.
            claims = connection.execute(select(rows).where(rows.c.study == self._study)).all()
            members = connection.execute(select(them).where(them.c.study == self._study)).all()
        now = _read_clock()
        for each in members:
            sign = (each.beats, each.present)
            if self._signs.get(each.member, (None, 0.0))[0] != sign:
                self._signs[each.member] = (sign, now)
            self._known[each.member] = Member(each.member, each.host, Path(each.folder))
        self._found = {each.number: Claim(each.owner, each.place, each.trial_id) for each in claims}

    def _insert(self, number: int) -> bool:
        from sqlalchemy import insert
        from sqlalchemy.exc import IntegrityError

        me = self.me.id
        row = {"study": self._study, "number": number, "owner": me, "place": me}
        try:
            self._run(insert(self._claims).values(**row))
        except IntegrityError:  # another process was quicker
            return False
        self._mine.add(number)
        self._found[number] = Claim(me, me, None)
        return True

    def _run(self, statement: Any) -> int:
        """Run one statement as a transaction of its own; return how many rows it touched."""
        with self._engine.begin() as connection:
            return int(connection.execute(statement).rowcount)

    def _is(self, number: int) -> tuple[Any, ...]:
        return self._claims.c.study == self._study, self._claims.c.number == number

    def _is_me(self) -> tuple[Any, ...]:
        return self._members.c.study == self._study, self._members.c.member == self.me.id


def _define_tables() -> tuple[Table, Table]:
    """Return the tables of members and of claims.

    Their key is the study's name, which has a random part: Optuna doesn't know of them when it
    deletes a study, and a database may give the number of a study anew.
    """
    from sqlalchemy import Column, Integer, MetaData, String, Table, Text

    metadata = MetaData()
    members = Table(
        "dltrain_members",
        metadata,
        Column("study", String(512), primary_key=True),
        Column("member", String(32), primary_key=True),
        Column("host", Text, nullable=False),
        Column("folder", Text, nullable=False),
        Column("beats", Integer, nullable=False),
        Column("present", Integer, nullable=False),
    )
    claims = Table(
        "dltrain_claims",
        metadata,
        Column("study", String(512), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("owner", String(32), nullable=False),
        Column("place", String(32), nullable=False),
        Column("trial_id", Integer),
    )
    return members, claims


def _read_clock() -> float:
    """Return seconds that go on while a laptop sleeps, where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
