"""Are vocabularies and ids made once, kept to the bit, and made anew where anything differs?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.config.load import load_config
from dltrain.data import token_cache
from dltrain.data.load import load_data
from dltrain.data.texts import Texts, pack_texts
from dltrain.data.token_cache import FOLDER, TokenCache
from dltrain.data.tokenize import encode_texts, train_tokenizer

CONFIG = """
name: texts
dataset:
  {type: jsonl, path: texts.jsonl, text: text, target: label, max_words: 20, max_length: 4,
   ngrams: 2, ngram_buckets: 50, validation_split: 0.2, test_split: 0.2}
model:
  layers:
    - {type: embedding, input_dim: 70, output_dim: 2}
    - global_average_pooling1d
    - {type: dense, units: 2}
loss: cross_entropy
optimizer: adam
training: {epochs: 1, batch_size: 4}
"""

SETTINGS: dict[str, Any] = {"max_words": 30, "max_length": 6, "truncate": "end"}
ROWS = np.arange(1, 9, dtype=np.int64)


def make_texts(last: str = "was") -> Texts:
    words = ["the", "film", "it", "was", "not", "good", "bad", "dull", "bright", "!", "?", "end"]
    lines = [" ".join(words[number % 5 : number % 5 + number % 4 + 2]) for number in range(11)]
    return pack_texts(line.encode() for line in [*lines, last])


@pytest.fixture(autouse=True)
def keep_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "LEAST_TEXTS", 5)


def make(folder: Path, texts: Texts, rows: Any = ROWS, **changes: Any) -> tuple[Any, Any]:
    """Return tokenizer and ids, from the cache as far as it goes."""
    cache, settings = TokenCache(folder), SETTINGS | changes
    tokenizer = cache.find_tokenizer(texts, rows, **settings)
    if tokenizer is None:
        tokenizer = cache.train(texts, rows, **settings)
    return tokenizer.to_str(), cache.encode(tokenizer, texts, rows)


def make_without(texts: Texts, rows: Any = ROWS, **changes: Any) -> tuple[Any, Any]:
    tokenizer = train_tokenizer(texts.select(rows), **(SETTINGS | changes))
    return tokenizer.to_str(), encode_texts(tokenizer, texts.select(rows))


def assert_same(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    assert one[0] == other[0]
    assert (one[1].dtype, one[1].shape) == (other[1].dtype, other[1].shape)
    assert one[1].tobytes() == other[1].tobytes()


def count_work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the name of what is made from then on."""
    done: list[str] = []
    for name in ("train_tokenizer", "encode_texts"):
        function = getattr(token_cache, name)

        def noting(*args: Any, _name: str = name, _real: Any = function, **options: Any) -> Any:
            done.append(_name)
            return _real(*args, **options)

        monkeypatch.setattr(token_cache, name, noting)
    return done


def list_files(folder: Path) -> list[str]:
    return sorted(path.suffix for path in (folder / FOLDER).iterdir())


def test_the_second_time_nothing_is_made_and_all_is_the_same_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = count_work(monkeypatch)
    first = make(tmp_path, make_texts())
    assert work == ["train_tokenizer", "encode_texts"]
    second = make(tmp_path, make_texts())
    assert work == ["train_tokenizer", "encode_texts"]
    assert list_files(tmp_path) == [".int32", ".json"]
    for found in (first, second):
        assert_same(found, make_without(make_texts()))
    assert isinstance(second[1], np.memmap)
    assert not second[1].flags.writeable


@pytest.mark.parametrize(
    ("changes", "texts", "rows"),
    [
        ({"max_words": 5}, make_texts(), ROWS),
        ({"max_length": 3}, make_texts(), ROWS),
        ({"truncate": "start", "max_length": 3}, make_texts(), ROWS),
        ({}, make_texts(), ROWS[::-1].copy()),
        ({}, make_texts(), ROWS[1:]),
        ({}, make_texts(last="wax"), ROWS),  # of as many bytes, and not even one of the rows
    ],
)
def test_what_follows_from_other_things_is_made_anew(
    changes: dict[str, Any],
    texts: Texts,
    rows: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(tmp_path, make_texts())
    work = count_work(monkeypatch)
    assert_same(make(tmp_path, texts, rows, **changes), make_without(texts, rows, **changes))
    assert work == ["train_tokenizer", "encode_texts"]


def test_other_code_or_another_library_makes_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tokenizers

    make(tmp_path, make_texts())
    work = count_work(monkeypatch)
    monkeypatch.setattr(tokenizers, "__version__", "0.0.1")
    make(tmp_path, make_texts())
    assert work == ["train_tokenizer", "encode_texts"]
    monkeypatch.undo()
    monkeypatch.setattr(token_cache, "LEAST_TEXTS", 5)
    work = count_work(monkeypatch)
    code = tmp_path / "tokenize.py"
    code.write_text(Path(token_cache.tokenize.__file__).read_text() + "\n# a change\n")
    monkeypatch.setattr(token_cache.tokenize, "__file__", str(code))
    make(tmp_path, make_texts())
    assert work == ["train_tokenizer", "encode_texts"]


@pytest.mark.parametrize("suffix", [".json", ".int32"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_file_is_made_anew(suffix: str, damage: str, tmp_path: Path) -> None:
    make(tmp_path, make_texts())
    (path,) = (tmp_path / FOLDER).glob(f"*{suffix}")
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 1
    path.write_bytes({"flip": bytes(broken), "cut": whole[:-4], "empty": b""}[damage])
    assert_same(make(tmp_path, make_texts()), make_without(make_texts()))
    assert path.read_bytes() == whole


def test_a_folder_that_cant_be_written_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file, where the folder would be")
    assert_same(make(tmp_path, make_texts()), make_without(make_texts()))
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]


def test_a_full_disk_is_no_matter_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "chmod", refuse)  # after the content is written
    assert_same(make(tmp_path, make_texts()), make_without(make_texts()))
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_little_room_on_the_disk_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert_same(make(tmp_path, make_texts()), make_without(make_texts()))
    assert list(tmp_path.iterdir()) == []


def test_few_texts_and_a_data_folder_that_isnt_there_leave_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing"
    assert_same(make(missing, make_texts()), make_without(make_texts()))
    monkeypatch.setattr(token_cache, "LEAST_TEXTS", 9)
    assert_same(make(tmp_path, make_texts()), make_without(make_texts()))
    assert list(tmp_path.iterdir()) == []


def test_what_wasnt_used_for_longest_gives_way_and_what_a_kill_left_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / FOLDER
    for length in (4, 5):
        make(tmp_path, make_texts(), max_length=length)
    for number, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, (number, number))
    make(tmp_path, make_texts(), max_length=4)  # used now
    used = {path for path in folder.iterdir() if path.stat().st_mtime > 100}
    assert len(used) == 2
    left, new = folder / ".partial-old", folder / ".partial-new"
    left.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(left, (1, 1))
    size = sum(path.stat().st_size for path in used) + new.stat().st_size
    monkeypatch.setattr(token_cache, "LARGEST_BYTES", size + 8 * 6 * 4 + 1_500)
    make(tmp_path, make_texts(), max_length=6)
    files = set(folder.iterdir())
    assert used <= files
    assert new in files
    assert left not in files
    assert sum(path.stat().st_size for path in files) <= token_cache.LARGEST_BYTES


PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from dltrain.config.load import load_config
from dltrain.data import token_cache
from dltrain.data.load import load_data
token_cache.LEAST_TEXTS = 5
from test_token_cache import assert_same, make, make_texts, make_without
while time.time() < float(sys.argv[3]):
    pass
for _ in range(20):
    assert_same(make(Path(sys.argv[1]), make_texts()), make_without(make_texts()))
"""


def test_processes_share_it_while_it_is_written(tmp_path: Path) -> None:
    start = str(time.time() + 3)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(Path(__file__).parent), start]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        _, said = process.communicate()
        assert process.returncode == 0, said
    assert list_files(tmp_path) == [".int32", ".json"]


def test_load_data_keeps_the_ids_of_every_split_and_appends_the_same_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_cache, "LEAST_TEXTS", 3)
    words = ["good", "bad", "dull", "bright", "film", "plot"]
    rows = [{"text": f"{words[n % 6]} {words[n % 5]} {n}", "label": n % 2} for n in range(60)]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "config.yaml").write_text(CONFIG)
    data_dir = tmp_path / "data"
    dataset = load_config(tmp_path / "config.yaml").config.dataset
    without = load_data(dataset, seed=1, data_dir=data_dir)
    data_dir.mkdir()
    first, second = (load_data(dataset, seed=1, data_dir=data_dir) for _ in range(2))
    assert list_files(data_dir) == [".int32"] * 3 + [".json"]
    assert set(without.tables) == {"train", "validation", "test"}
    for found in (first, second):
        assert found.tokenizer.to_str() == without.tokenizer.to_str()
        for split, table in without.tables.items():
            assert found.tables[split].inputs.shape == (len(table), 2 * 4 - 1)
            assert found.tables[split].inputs.tobytes() == table.inputs.tobytes()
