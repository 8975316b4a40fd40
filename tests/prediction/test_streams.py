"""Are streams read as they come, in bounded memory, and do bad lines cost only themselves?"""

from __future__ import annotations

import io
import itertools
import os
import threading

import pytest

from dltrain.prediction.batching import make_batches, make_batches_as_they_come
from dltrain.prediction.csv_rows import read_csv_rows
from dltrain.prediction.lines import LONGEST_LINE, read_lines


def test_batches_are_full_but_for_the_last() -> None:
    assert list(make_batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_row_of_a_stream_is_not_held_until_a_batch_is_full() -> None:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as stream:
        batches = make_batches_as_they_come((line.text for line in read_lines(stream)), 256)
        os.write(write, b"one\n")
        assert next(batches) == ["one"]
        os.write(write, b"two\nthree\n")
        assert next(batches) == ["two", "three"]
        os.close(write)
        assert list(batches) == []


def test_an_endless_stream_is_read_at_most_two_batches_ahead() -> None:
    taken = threading.Semaphore(0)
    count = 0

    def rows():  # type: ignore[no-untyped-def]
        nonlocal count
        for count in itertools.count(1):
            taken.release()
            yield count

    batches = make_batches_as_they_come(rows(), 4)
    assert next(batches) == [1, 2, 3, 4]
    for _ in range(12):
        taken.acquire()
    taken.acquire(timeout=0.3)  # the one that waits for room
    assert not taken.acquire(timeout=0.3)
    assert count == 4 + 8 + 1


def test_what_reading_raises_comes_after_the_rows_before_it() -> None:
    def rows():  # type: ignore[no-untyped-def]
        yield 1
        raise ValueError("broken")

    batches = make_batches_as_they_come(rows(), 4)
    assert next(batches) == [1]
    with pytest.raises(ValueError, match="broken"):
        next(batches)


def test_lines_that_are_no_utf8_or_endless_are_errors_and_the_rest_is_read() -> None:
    content = b"\xef\xbb\xbffirst\r\n\xff\n" + b"x" * (LONGEST_LINE + 5) + b"\nlast"
    lines = [(line.number, line.text[:9], line.error) for line in read_lines(io.BytesIO(content))]
    assert lines == [
        (1, "first", ""),
        (2, "\udcff", "is not UTF-8 text"),
        (3, "…", f"is longer than {LONGEST_LINE:,} characters"),
        (4, "last", ""),
    ]


def test_a_bad_row_of_a_csv_names_its_line() -> None:
    content = b'a\tb\n1\t2\n3\n"4,\n5"\t6\n' + b"\xff\t7\n"
    rows = [
        (row.place, dict(row.values), row.error) for row in read_csv_rows(io.BytesIO(content), "x")
    ]
    assert rows == [
        ("x:2", {"a": "1", "b": "2"}, ""),
        ("x:3", {}, "has 1 values; the header has 2"),
        ("x:5", {"a": "4,\n5", "b": "6"}, ""),
        ("x:6", {}, "is not UTF-8 text"),
    ]
