"""Which files does a folder hold that has a folder a class? Names only; nothing is opened.

PATH/CLASS/FILE                  test rows are held out by `test_split`
PATH/train/CLASS/FILE            with PATH/test/CLASS/FILE: a published test split
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dltrain.errors import DataError

SUFFIXES = {
    "image_folder": (".jpg", ".jpeg", ".png", ".webp"),
    "text_folder": (".txt",),
}
"""The ends of the file names of each type, in lower case."""

# What file managers leave behind; names that begin with a dot are passed over as well.
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


@dataclass(frozen=True)
class ClassFiles:
    """Hold the classes of a folder, sorted, and each one's files, sorted; `test` may be empty."""

    path: Path
    class_names: tuple[str, ...]
    train: tuple[tuple[Path, ...], ...]
    test: tuple[tuple[Path, ...], ...] = ()


def list_class_files(path: Path, kind: str) -> ClassFiles:
    """List the files of a folder of images or texts.

    Raises DataError if there are not two classes or more, one is empty, a file is of another kind,
    or train/ and test/ don't have the same classes.
    """
    suffixes = SUFFIXES[kind]
    folders, files = _list(path)
    names = {folder.name for folder in folders}
    if names >= {"train", "test"}:
        _refuse_others(path, [each for each in folders if each.name not in ("train", "test")])
        train, test = (
            _list_classes(path / "train", suffixes),
            _list_classes(path / "test", suffixes),
        )
        _check_same_classes(path, set(train), set(test))
        return ClassFiles(path, tuple(train), tuple(train.values()), tuple(test.values()))
    classes = _list_classes(path, suffixes, listed=(folders, files))
    return ClassFiles(path, tuple(classes), tuple(classes.values()))


def find_suffixes(path: Path) -> set[str]:
    """Return how the names of the files in the class folders of `path` end, in lower case.

    Raises DataError if `path` is empty or can't be read.
    """
    folders, files = _list(path)
    if not folders and not files:
        raise DataError(f"{path} is empty.", hint="Expected a folder for each class.")
    if {folder.name for folder in folders} >= {"train", "test"}:
        folders = [
            inner
            for folder in folders
            if folder.name in ("train", "test")
            for inner in _list(folder)[0]
        ]
    found = {file.suffix.lower() for folder in folders for file in _list(folder)[1]}
    return found or {file.suffix.lower() for file in files}


def _list_classes(
    path: Path,
    suffixes: tuple[str, ...],
    *,
    listed: tuple[list[Path], list[Path]] | None = None,
) -> dict[str, tuple[Path, ...]]:
    folders, files = listed or _list(path)
    for file in files:
        if file.suffix.lower() in suffixes:
            raise DataError(
                f"{file} lies in no class.", hint="Move it into the folder of its class."
            )
    if not folders:
        raise DataError(
            f"{path} holds no folder; expected one for each class.",
            hint=f"Expected {path.name}/CLASS/FILE{suffixes[0]}.",
        )
    if len(folders) == 1:
        raise DataError(
            f"{path} holds one class, '{folders[0].name}'; expected two or more.",
            hint="Every class is a folder of its own.",
        )
    return {folder.name: _list_files(folder, suffixes) for folder in folders}


def _list_files(folder: Path, suffixes: tuple[str, ...]) -> tuple[Path, ...]:
    inner, files = _list(folder)
    if inner:
        raise DataError(
            f"{inner[0]} is a folder; expected only {_say(suffixes)} files in {folder}.",
            hint="A class is one folder, with its files right in it.",
        )
    for file in files:
        if file.suffix.lower() not in suffixes:
            raise DataError(
                f"{file} is no {_say(suffixes)} file.", hint="Convert it, or move it elsewhere."
            )
    if not files:
        raise DataError(
            f"{folder} is empty: a class without {_say(suffixes)} files.",
            hint="Put files into it, or remove it.",
        )
    return tuple(files)


def _list(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders in `path`, and its files, each in the order of their names."""
    try:
        with os.scandir(path) as entries:
            kept = sorted(
                (entry for entry in entries if not _is_clutter(entry.name)),
                key=lambda entry: entry.name,
            )
            folders = [path / entry.name for entry in kept if entry.is_dir()]
            files = [path / entry.name for entry in kept if not entry.is_dir()]
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    return folders, files


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _CLUTTER


def _refuse_others(path: Path, others: list[Path]) -> None:
    if others:
        raise DataError(
            f"{path} holds train/ and test/, and beside them {others[0].name}/.",
            hint="Move it elsewhere, or into train/: validation rows are held out by "
            "validation_split.",
        )


def _check_same_classes(path: Path, train: set[str], test: set[str]) -> None:
    for here, there, missing in (
        ("train", "test", sorted(train - test)),
        ("test", "train", sorted(test - train)),
    ):
        if missing:
            raise DataError(
                f"{path / here} has the class '{missing[0]}', and {path / there} has not.",
                hint="Both need a folder for every class.",
            )


def _say(suffixes: Iterable[str]) -> str:
    *first, last = suffixes
    return f"{', '.join(first)} or {last}" if first else last
