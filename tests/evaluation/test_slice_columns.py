"""Do rows fall into groups that a person can read, each row into the right one?"""

from __future__ import annotations

import numpy as np
import pytest

from dltrain.data.dataset import Rows
from dltrain.data.load import Source
from dltrain.data.texts import pack_texts
from dltrain.errors import DataError
from dltrain.evaluation.slice_columns import (
    choose_edges,
    group_numbers,
    group_texts,
    measure_brightness,
    measure_lengths,
)


def test_whole_numbers_are_cut_at_their_quartiles_with_whole_edges() -> None:
    values = np.arange(1, 101, dtype=float)
    grouping = group_numbers("age", values)
    assert grouping.kind == "quartiles"
    assert grouping.labels == ("≤ 25", "26 to 50", "51 to 75", "≥ 76")
    assert np.bincount(grouping.members).tolist() == [25, 25, 25, 25]
    assert grouping.members[[0, 24, 25, 75, 99]].tolist() == [0, 0, 1, 3, 3]


def test_fractions_have_edges_of_few_digits_and_every_row_lies_where_its_label_says() -> None:
    values = np.random.default_rng(0).normal(3.14159, 0.2, 1_000)
    grouping = group_numbers("length", values)
    edges, decimals = choose_edges(values)
    assert decimals == 3
    assert all(round(edge, 3) == edge for edge in edges)
    for value, member in zip(values, grouping.members, strict=True):
        assert (member == 0) == (value <= edges[0])
        assert (member == 3) == (value > edges[2])
    assert grouping.labels[1] == f"> {edges[0]:.3f} to {edges[1]:.3f}"
    assert abs(np.bincount(grouping.members) - 250).max() < 10


def test_a_value_at_an_edge_belongs_below_it() -> None:
    values = np.array([0.5, 1.5, 1.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5])
    edges, _ = choose_edges(values)
    grouping = group_numbers("x", values)
    assert 1.5 in edges
    assert grouping.members[1] == 0


def test_numbers_of_which_most_are_equal_make_fewer_groups() -> None:
    grouping = group_numbers("spent", np.array([0.0] * 80 + list(range(1, 21))))
    assert grouping.labels == ("≤ 0", "≥ 1")
    assert np.bincount(grouping.members).tolist() == [80, 20]
    assert group_numbers("same", np.full(5, 7.25)).labels == ("7.25",)


def test_missing_and_infinite_numbers_are_groups_of_their_own() -> None:
    texts = [str(number) for number in range(20)] + ["", "NA", "inf"]
    grouping = group_texts("age", texts, numeric=True, flag="--slice")
    assert grouping.labels[-2:] == ("(missing)", "(infinite)")
    assert grouping.members[-3:].tolist() == [4, 4, 5]


def test_few_different_numbers_are_categories_in_their_order() -> None:
    texts = ["10", "2", "2.0", "10", "1e1"] * 4 + [""]
    grouping = group_texts("rooms", texts, numeric=True, flag="--slice")
    assert (grouping.kind, grouping.labels) == ("categories", ("2", "10", "(missing)"))
    assert grouping.members[:5].tolist() == [1, 0, 0, 1, 1]
    assert grouping.members[-1] == 2


def test_rare_categories_are_one_group_that_says_how_many_they_are() -> None:
    texts = [f"town {index:02d}" for index in range(30) for _ in range(30 - index)]
    grouping = group_texts("town", texts, numeric=False, flag="--slice")
    assert len(grouping.labels) == 12
    assert grouping.labels[:2] == ("town 00", "town 01")
    assert grouping.labels[-1] == "(other: 19 values)"
    assert grouping.grouped == 19
    sizes = np.bincount(grouping.members).tolist()
    assert sizes == [*range(30, 19, -1), sum(range(1, 20))]


def test_as_many_categories_as_are_shown_are_not_grouped() -> None:
    texts = [f"{index}" for index in range(12)] * 2
    grouping = group_texts("town", [f"t{text}" for text in texts], numeric=False, flag="--slice")
    assert len(grouping.labels) == 12
    assert grouping.grouped == 0


def test_a_column_of_names_makes_no_groups() -> None:
    texts = [f"row {index}" for index in range(40)]
    with pytest.raises(DataError) as caught:
        group_texts("id", texts, numeric=False, flag="--slice")
    assert caught.value.message == (
        "--slice 'id': each of the 40 rows has a value of its own there (or none): they make no "
        "groups."
    )


def test_a_texts_length_is_its_words_as_the_tokenizer_parts_them() -> None:
    texts = ["It's good!", "one<br />two", "", "a " * 500]
    rows = Rows(pack_texts(text.encode() for text in texts), np.zeros(4, dtype=np.int64))
    source = Source("test", rows, np.array([3, 0, 1, 2]), "text")
    assert measure_lengths(source).tolist() == [500, 3, 2, 0]


def test_words_are_those_of_the_tokenizer() -> None:
    from dltrain.data.tokenize import PADDING_ID, encode_texts, train_tokenizer

    texts = ["It's GOOD! isn't it?", "one<br/>two three", "héhé, 3.5 words_here", "x" * 9]
    tokenizer = train_tokenizer(texts, max_words=100, max_length=50, truncate="end")
    ids = encode_texts(tokenizer, texts)
    rows = Rows(pack_texts(text.encode() for text in texts), np.zeros(4, dtype=np.int64))
    lengths = measure_lengths(Source("test", rows, np.arange(4), "text"))
    assert lengths.tolist() == (ids != PADDING_ID).sum(axis=1).tolist()


def test_brightness_is_the_mean_pixel() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2_500, 3, 4, 3)).astype(np.uint8)
    indices = np.arange(2_500)[::-1]
    source = Source("test", Rows(images, np.zeros(2_500, dtype=np.int64)), indices, "image")
    np.testing.assert_allclose(measure_brightness(source), images[::-1].mean(axis=(1, 2, 3)))
