"""Does a name that has no place in a YAML say why?"""

from __future__ import annotations

import pytest

from dltrain.catalog.components import KINDS, components
from dltrain.catalog.excluded import EXCLUDED, why_excluded


@pytest.mark.parametrize("written", ["lambda", "Lambda"])
def test_lambda_says_that_it_runs_code(written: str) -> None:
    assert why_excluded("layers", written) == ("Lambda runs Python code and has no place in a YAML")


@pytest.mark.parametrize(
    ("kind", "written", "reason"),
    [
        ("layers", "tfsm_layer", "TFSMLayer loads a program from disk"),
        ("layers", "torch_module_wrapper", "TorchModuleWrapper wraps a module of another library"),
        ("layers", "input_layer", "the input's shape comes from the dataset"),
        ("layers", "input", "the input's shape comes from the dataset"),
        ("callbacks", "lambda_callback", "runs Python code"),
        ("callbacks", "learning_rate_scheduler", "give optimizer.learning_rate a schedule"),
        ("callbacks", "history", "every run writes history.csv"),
        ("metrics", "mean", "averages a stream of values"),
        ("optimizers", "multi_optimizer", "assigns optimizers to variables"),
    ],
)
def test_excluded_names_give_their_reason(kind: str, written: str, reason: str) -> None:
    assert reason in (why_excluded(kind, written) or "")


def test_what_can_be_used_has_no_reason() -> None:
    assert why_excluded("layers", "dense") is None
    assert why_excluded("layers", "dens") is None


def test_nothing_is_both_listed_and_excluded() -> None:
    assert list(EXCLUDED) == list(KINDS)
    for kind in KINDS:
        assert [name for name in components(kind) if why_excluded(kind, name)] == []
