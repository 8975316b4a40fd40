"""Does the catalog name everything, quickly, and under the names that people write?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time

import pytest

from dltrain.catalog.components import (
    KINDS,
    TABLE_PATH,
    Kind,
    components,
    find,
    table_keras_version,
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_components_in_alphabetical_order(kind: Kind) -> None:
    names = list(components(kind))
    assert len(names) >= 4
    assert names == sorted(names)


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_snake_case_without_lonely_letters(kind: Kind) -> None:
    for name in components(kind):
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name), name
        torn = re.search(r"(^|_)[a-z](_|$)", name.replace("top_k", "topk"))
        assert not torn, f"{name} looks like a torn acronym"


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("layers", "dense conv2d conv2d_transpose depthwise_conv2d separable_conv1d conv_lstm2d"),
        (
            "layers",
            "max_pooling2d global_average_pooling1d batch_normalization layer_normalization",
        ),
        ("layers", "lstm gru simple_rnn lstm_cell bidirectional time_distributed embedding"),
        ("layers", "multi_head_attention relu prelu elu leaky_relu softmax up_sampling2d"),
        ("layers", "spatial_dropout1d random_flip rescaling add concatenate stft_spectrogram"),
        ("optimizers", "sgd adam adamw adamax nadam rmsprop adagrad adadelta ftrl lion lamb muon"),
        ("losses", "mean_squared_error huber kl_divergence log_cosh ctc binary_crossentropy"),
        ("metrics", "auc f1_score fbeta_score r2_score mean_iou iou binary_iou accuracy recall"),
        ("regularizers", "l1 l2 l1l2 orthogonal_regularizer"),
        ("constraints", "max_norm min_max_norm non_neg unit_norm"),
        ("initializers", "glorot_uniform lecun_normal he_normal zeros ones orthogonal stft"),
        ("activations", "relu relu6 leaky_relu sigmoid tanh gelu silu softmax linear mish selu"),
        ("schedules", "cosine_decay exponential_decay piecewise_constant_decay one_cycle"),
        ("callbacks", "csv_logger reduce_lr_on_plateau early_stopping terminate_on_nan"),
    ],
)
def test_names_are_those_that_people_write(kind: Kind, names: str) -> None:
    assert [name for name in names.split() if name not in components(kind)] == []


@pytest.mark.parametrize(
    ("kind", "accepted", "name"),
    [
        ("layers", "Conv2D", "conv2d"),
        ("layers", "MaxPool2D", "max_pooling2d"),
        ("layers", "leaky_re_lu", "leaky_relu"),
        ("layers", "GroupedQueryAttention", "group_query_attention"),
        ("optimizers", "AdamW", "adamw"),
        ("losses", "mse", "mean_squared_error"),
        ("losses", "KLD", "kl_divergence"),
        ("metrics", "mae", "mean_absolute_error"),
        ("metrics", "acc", "accuracy"),
        ("regularizers", "l1_l2", "l1l2"),
        ("initializers", "zero", "zeros"),
        ("activations", "swish", "silu"),
    ],
)
def test_the_names_that_keras_accepts_are_found(kind: Kind, accepted: str, name: str) -> None:
    component = find(kind, accepted)
    assert component is not None
    assert component.name == name


def test_an_unknown_name_is_not_found() -> None:
    assert find("layers", "dens") is None
    assert find("losses", "conv2d") is None


def test_arguments_carry_their_defaults_and_which_are_required() -> None:
    conv2d = components("layers")["conv2d"]
    assert conv2d.required_arguments == ("filters", "kernel_size")
    assert conv2d.arguments["strides"].default == [1, 1]
    assert conv2d.arguments["use_bias"].default is True


def test_layers_take_what_they_inherit_and_no_noise() -> None:
    dense = components("layers")["dense"].arguments
    assert {"name", "dtype", "trainable", "activity_regularizer"} <= dense.keys()
    assert not {"input_shape", "batch_size", "weights", "rank", "kwargs"} & dense.keys()
    assert "trainable" not in components("layers")["spatial_dropout1d"].arguments


def test_the_one_cycle_schedule_of_our_own_is_listed() -> None:
    one_cycle = components("schedules")["one_cycle"]
    assert one_cycle.required_arguments == ("max_learning_rate",)
    assert one_cycle.arguments["warmup_fraction"].default == 0.3
    assert one_cycle.module == "dltrain.model.schedules"


def test_the_table_knows_which_keras_it_describes() -> None:
    assert table_keras_version() == json.loads(TABLE_PATH.read_text())["keras"]
    assert tuple(map(int, table_keras_version().split(".")[:2])) >= (3, 15)


def test_looking_things_up_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dltrain.catalog import arguments, components, excluded, suggest;"
        "[components.components(kind) for kind in components.KINDS];"
        "print([m for m in ('keras', 'tensorflow', 'numpy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_whole_table_loads_in_milliseconds() -> None:
    from dltrain.catalog import components as module

    def load() -> float:
        module._table.cache_clear()
        module.components.cache_clear()
        started = time.perf_counter()
        for kind in KINDS:
            module.components(kind)
        return time.perf_counter() - started

    # Measured 4 to 8 ms on two busy cores; the best of three leaves the neighbours out.
    assert min(load() for _ in range(3)) < 0.05
