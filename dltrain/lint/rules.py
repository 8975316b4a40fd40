"""Which lints are there, and under which code? docs/lint.md shows each with an example."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dltrain.lint import (
    architecture,
    data,
    machine,
    optimization,
    outputs,
    regularization,
    schedules,
    stopping,
)
from dltrain.lint.finding import Rule

# A code is never given to another rule: comments in people's configs name it.
RULES: tuple[Rule, ...] = (
    # DL1: what the last layer gives, and what the loss takes
    Rule("DL101", "softmax or sigmoid before a loss from logits", outputs.find_squashed_logits),
    Rule("DL102", "no softmax or sigmoid before a loss of probabilities",
         outputs.find_raw_probabilities),
    Rule("DL103", "sigmoid over classes that exclude each other",
         outputs.find_sigmoid_over_classes),
    Rule("DL104", "softmax over one unit", outputs.find_softmax_of_one),
    Rule("DL105", "bounded output for a number", outputs.find_bounded_regression),
    Rule("DL106", "bounded logits", outputs.find_bounded_logits),
    # DL2: how the weights move
    Rule("DL201", "learning rate far from the usual", optimization.find_unusual_rate),
    Rule("DL202", "schedule ends long before training", schedules.find_early_end),
    Rule("DL203", "schedule ends long after training", schedules.find_late_end),
    Rule("DL204", "no shuffling", optimization.find_no_shuffling),
    # DL3: what the layers and penalties do to each other
    Rule("DL301", "dropout on the outputs", regularization.find_dropped_outputs),
    Rule("DL302", "dropout right before batch normalization",
         regularization.find_dropout_before_normalization),
    Rule("DL303", "L2 penalty and weight decay", regularization.find_double_decay),
    Rule("DL304", "batch normalization of tiny batches",
         regularization.find_normalization_of_few),
    Rule("DL305", "no activation between two layers", architecture.find_linear_pairs),
    Rule("DL306", "a layer whose output nothing takes", architecture.find_unused_layers),
    Rule("DL307", "flatten on a huge map", architecture.find_huge_flattening),
    # DL4: when training stops, and which epoch is the best
    Rule("DL401", "monitor in the wrong direction", stopping.find_wrong_direction),
    Rule("DL402", "early stopping without validation",
         stopping.find_stopping_without_validation),
    Rule("DL403", "best epoch chosen on the training rows",
         stopping.find_selection_on_training_rows),
    Rule("DL404", "patience as long as the training", stopping.find_endless_patience),
    # DL5: what the model sees, and what it is judged by
    Rule("DL501", "augmentation that changes the label", data.find_label_changing_augmentation),
    Rule("DL502", "imbalanced classes and accuracy alone", data.find_accuracy_of_imbalanced),
    Rule("DL503", "most texts truncated", data.find_truncated_texts),
    Rule("DL504", "no validation rows", data.find_no_validation),
    Rule("DL505", "a column that is the same in every row", data.find_constant_columns),
    # DL6: the machine
    Rule("DL601", "mixed_float16 without a GPU", machine.find_half_precision_on_cpu,
         of_machine=True),
)  # fmt: skip

# What is wrong with a comment that should silence a lint; nothing silences these.
UNREADABLE, UNKNOWN, UNNEEDED = "DL001", "DL002", "DL003"

COMMENT_TITLES: Mapping[str, str] = MappingProxyType(
    {
        UNREADABLE: "a comment for dltrain that can't be read",
        UNKNOWN: "ignore of a code that isn't there",
        UNNEEDED: "ignore that silences nothing",
    }
)
