"""Does a name find all that it means, however it is written, or else its nearest neighbour?"""

from __future__ import annotations

import pytest

from dltrain.catalog.components import Component
from dltrain.catalog.datasets import DatasetInfo
from dltrain.glossary.keys import Key
from dltrain.glossary.lookup import Argument, KindName, Thing, find_things, suggest, why_not
from dltrain.glossary.texts import Concept


def show(thing: Thing) -> str:
    """Return `kind name`."""
    match thing:
        case Concept():
            return f"idea {thing.id}"
        case Key():
            return f"key {thing.name}"
        case KindName():
            return f"kind {thing.kind}"
        case Component():
            return f"{thing.kind} {thing.name}"
        case Argument():
            return f"argument {thing.name}"
        case DatasetInfo():
            return f"dataset {thing.name}"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("overfitting", ["idea overfitting"]),
        ("back-propagation", ["idea back-propagation"]),
        ("Mini-batch Gradient Descent", ["idea mini-batch-gradient-descent"]),
        ("过拟合", ["idea overfitting"]),
        ("training.batch_size", ["key training.batch_size"]),
        ("batch_size", ["key training.batch_size"]),
        (
            "early_stopping",
            ["idea early-stopping", "key training.early_stopping", "callbacks early_stopping"],
        ),
        ("conv2d", ["layers conv2d"]),
        ("Conv2D", ["layers conv2d"]),
        ("MaxPool2D", ["layers max_pooling2d"]),
        ("adam", ["idea adam", "optimizers adam"]),
        ("relu", ["idea activation-function", "layers relu", "activations relu"]),
        ("cosine_decay", ["schedules cosine_decay"]),
        ("f1_score", ["idea f1", "metrics f1_score"]),
        ("f1", ["idea f1", "metrics f1_score"]),
        (
            "mse",
            [
                "idea mean-squared-error",
                "losses mean_squared_error",
                "metrics mean_squared_error",
            ],
        ),
        ("mnist", ["dataset mnist"]),
        ("optimizers", ["kind optimizers"]),
        ("initializer", ["idea weight-initialization", "kind initializers"]),
        ("units", ["argument units"]),
        ("conv2d.filters", ["argument filters"]),
        ("optimizer.learning_rate", ["argument learning_rate"]),
        ("model.layers[3].units", ["argument units"]),
        ("model.layers[0].inputs", ["key model.layers[].inputs"]),
        ("training.early_stopping.patience", ["key training.early_stopping.patience"]),
        ("nothing.like.it", []),
        ("banana", []),
        (" ", []),
        ("", []),
    ],
)
def test_a_name_finds_what_it_means(name: str, found: list[str]) -> None:
    assert [show(thing) for thing in find_things(name)] == found


def test_a_name_with_several_meanings_finds_all_ideas_first() -> None:
    assert [show(thing) for thing in find_things("l2")] == [
        "idea l2-regularization",
        "key regularization.l2",
        "regularizers l2",
        "argument l2",
    ]


@pytest.mark.parametrize(
    ("name", "idea"),
    [
        ("feed-forward network", "feed-forward-network"),
        ("deeper network", "deep-network"),
        ("activation", "activation-function"),
        ("backpropagation", "back-propagation"),
        ("mini-batch", "mini-batch-gradient-descent"),
        ("SGD", "stochastic-gradient-descent"),
        ("stochastic gradient descent", "stochastic-gradient-descent"),
        ("RMSprop", "rmsprop"),
        ("MSE", "mean-squared-error"),
        ("cross-entropy", "cross-entropy"),
        ("L1", "l1-regularization"),
        ("L2", "l2-regularization"),
        ("dropout", "dropout"),
        ("data augmentation", "data-augmentation"),
        ("class imbalance", "class-imbalance"),
        ("grid search", "grid-search"),
        ("random search", "random-search"),
        ("bayesian optimization", "bayesian-optimization"),
        ("accuracy", "accuracy"),
        ("precision", "precision-and-recall"),
        ("recall", "precision-and-recall"),
        ("AUC-ROC", "auc-roc"),
        ("transfer learning", "transfer-learning"),
        ("interpretability", "interpretability"),
        ("fairness", "fairness"),
        ("privacy", "privacy"),
        ("engine", "keras-engine"),
        ("公平性", "fairness"),
    ],
)
def test_every_idea_of_the_tutorial_is_found(name: str, idea: str) -> None:
    assert idea in [thing.id for thing in find_things(name) if isinstance(thing, Concept)]


def test_an_argument_of_one_component_is_that_of_it_alone() -> None:
    (argument,) = find_things("bidirectional.layer")
    assert isinstance(argument, Argument)
    assert [taker.name for taker in argument.takers] == ["bidirectional"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("overfiting", "overfitting"),
        ("con2d", "conv2d"),
        ("bachsize", "batch_size"),
        ("lerning rate", "learning_rate"),
        ("adm", "adam"),
        ("training.bach_size", "training.batch_size"),
        ("过拟何", "过拟合"),
        ("banana", None),
    ],
)
def test_an_unknown_name_suggests_the_nearest(name: str, near: str | None) -> None:
    assert suggest(name) == near


def test_what_has_no_place_in_a_config_says_why() -> None:
    assert why_not("Lambda") == "Lambda runs Python code and has no place in a YAML."
    assert why_not("dense") is None
