"""Which classes does `dataset.classes` leave? The dataset's facts as they are with those alone."""

from __future__ import annotations

import dataclasses
from typing import Any

from dltrain.catalog.datasets import DatasetInfo
from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe

_PATH: Path = ("dataset", "classes")


def choose_classes(section: dict[str, Any], info: DatasetInfo, problems: Problems) -> DatasetInfo:
    """Return `info` with the classes that the section asks for, whose names are made texts.

    Returns `info` as it is without any, and after a problem.
    """
    given = section.get("classes")
    if isinstance(section.get("rows_per_class"), int) and info.task == "regression":
        _refuse_regression("rows_per_class", problems)
    if not isinstance(given, list):
        return info
    if info.task == "regression":
        _refuse_regression("classes", problems)
        return info
    # 3 and "3" are the same class: nobody quotes the digits of MNIST.
    names = [str(name) if type(name) is int else name for name in given]
    if not all(isinstance(name, str) for name in names):
        return info
    wrong = len(names) < 2
    if wrong:
        problems.add(_PATH, expected="at least two classes", received=describe(given))
    for index, name in enumerate(names):
        if name not in info.class_names or name in names[:index]:
            wrong = True
            twice = name in info.class_names
            problems.add(
                (*_PATH, index),
                f"the class '{name}' stands here twice."
                if twice
                else f"{info.name} has no class '{name}'.",
                expected="another class" if twice else f"a class of {info.name}",
                received=f"'{name}'",
                suggestion=None if twice else nearest(name, info.class_names),
            )
    if wrong:
        return info
    section["classes"] = names
    return keep_classes(info, tuple(names))


def keep_classes(info: DatasetInfo, names: tuple[str, ...]) -> DatasetInfo:
    """Return the facts of a dataset that holds the classes `names` alone, in this order.

    How many test rows are left is not known before the data is: an equal share is taken for it.
    """
    counts = dict(zip(info.class_names, info.class_counts, strict=False))
    chosen = tuple(counts[name] for name in names) if counts else ()
    share = len(names) / len(info.class_names)
    return dataclasses.replace(
        info,
        class_names=names,
        class_counts=chosen,
        train_rows=sum(chosen) if chosen else round(info.train_rows * share),
        test_rows=round(info.test_rows * share),
    )


def _refuse_regression(key: str, problems: Problems) -> None:
    problems.add(
        ("dataset", key),
        f"{key} is about classes; the target is a number.",
        hint="Leave it out.",
        of_key=True,
        expected=f"no {key}",
        received=key,
    )
