"""Is the same mistake found in its other forms, and told in words that fit them?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lint_cases import digits, mnist, reviews, scheduled, table

Lint = Callable[..., list[str]]

STOPPING = "training: {epochs: 20, early_stopping: {"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            digits("- {type: dense, units: 10, activation: sparsemax}"),
            "6:44 DL101 model.layers[2].activation: sparse_categorical_crossentropy takes "
            "logits and applies a softmax itself, but the last layer has sparsemax already: "
            "squashed twice, the classes can hardly be told apart. Write `- {type: dense, "
            "units: 10}` as the last layer.",
        ),
        (
            reviews(
                "- {type: dense, units: 1, activation: sigmoid}",
                "loss: {type: binary_crossentropy, from_logits: true}\n",
            ),
            "8:7 DL101 loss: binary_crossentropy takes logits and applies a sigmoid itself, "
            "but the last layer has sigmoid already: squashed twice, the classes can hardly be "
            "told apart. Write `- {type: dense, units: 1}` as the last layer.",
        ),
        (
            reviews("- {type: dense, units: 1}", "loss: binary_focal_crossentropy\n"),
            "8:7 DL102 loss: binary_focal_crossentropy expects probabilities, but the last "
            "layer has no sigmoid: its outputs may be any number, and what isn't between 0 and "
            "1 is clipped and learns nothing. Write `loss: {type: binary_focal_crossentropy, "
            "from_logits: true}`.",
        ),
        (
            digits("- {type: dense, units: 10}", "loss: dice\n"),
            "7:7 DL102 loss: dice expects probabilities, but the last layer has no softmax: "
            "its outputs may be any number. Write `- {type: dense, units: 10, activation: "
            "softmax}` as the last layer.",
        ),
        (
            table("- {type: dense, units: 1, activation: softmax}"),
            "4:43 DL104 model.layers[0].activation: softmax over one unit is always 1, "
            "whatever the model learns. Write `- {type: dense, units: 1}` as the last layer.",
        ),
        (
            table("- {type: dense, units: 1}\n    - {type: activation, activation: tanh}"),
            "5:38 DL105 model.layers[1].activation: the target is a number, and tanh lets only "
            "-1 to 1 through: targets beyond can't be predicted. Write `- {type: dense, units: "
            "1}` as the last layer.",
        ),
        (
            table("- {type: dense, units: 1, activation: sigmoid}", "loss: poisson\n"),
            "4:43 DL105 model.layers[0].activation: the target is a number, and sigmoid lets "
            "only 0 to 1 through: targets beyond can't be predicted. Write `- {type: dense, "
            "units: 1}` as the last layer.",
        ),
        (
            digits(rest="optimizer: adadelta\n"),
            "7:1 DL201 optimizer.learning_rate: a learning rate of 0.001 is far from what "
            "adadelta is used with, 0.01 to 10: the weights hardly move. Write `learning_rate: "
            "1` and go on from there.",
        ),
        (
            digits(
                rest="optimizer: {type: loss_scale_optimizer, "
                "inner_optimizer: {type: adam, learning_rate: 1e-8}}\n"
            ),
            "7:86 DL201 optimizer.inner_optimizer.learning_rate: a learning rate of 1e-08 is "
            "far from what adam is used with, 1e-06 to 0.03: the weights hardly move. Write "
            "`learning_rate: 0.001` and go on from there.",
        ),
        (
            scheduled("one_cycle, max_learning_rate: 3.0"),
            "7:76 DL201 optimizer.learning_rate.max_learning_rate: a peak of 3 is far from "
            "what sgd is used with, 1e-05 to 1: the loss will jump or overflow. Write "
            "`max_learning_rate: 0.01` and go on from there.",
        ),
        (
            scheduled("piecewise_constant_decay, boundaries: [10], values: [30, 0.1]"),
            "7:98 DL201 optimizer.learning_rate.values: a peak of 30 is far from what sgd is "
            "used with, 1e-05 to 1: the loss will jump or overflow. Divide `values:` so that "
            "the largest is near 0.01.",
        ),
        (
            scheduled(
                "polynomial_decay, initial_learning_rate: 0.1, "
                "end_learning_rate: 0.01, decay_steps: {epochs: 5}"
            ),
            "7:130 DL202 optimizer.learning_rate.decay_steps: the schedule has run its course "
            "after 5 epochs of 20: for the last 15 the learning rate is 0.01, and falls no "
            "further. Write `decay_steps: {epochs: 20}`.",
        ),
        (
            scheduled(
                "exponential_decay, initial_learning_rate: 0.1, decay_rate: 0.5, decay_steps: 21",
                epochs=40,
            ),
            "7:123 DL202 optimizer.learning_rate.decay_steps: the schedule has run its course "
            "after 9.97 epochs of 40: for the last 30 the learning rate is 0.0001 or less, and "
            "next to nothing is learnt. Write `decay_rate: 0.891`, which ends at a hundredth.",
        ),
        (
            scheduled(
                "cosine_decay, initial_learning_rate: 0.0, warmup_target: 0.1, "
                "warmup_steps: {epochs: 2}, decay_steps: {epochs: 4}"
            ),
            "7:148 DL202 optimizer.learning_rate.decay_steps: the schedule has run its course "
            "after 6 epochs of 20: for the last 14 the learning rate is 0, and next to nothing "
            "is learnt. Write `decay_steps: {epochs: 18}`.",
        ),
        (
            scheduled(
                "piecewise_constant_decay, boundaries: [{epochs: 5}, {epochs: 20}], "
                "values: [0.1, 0.05, 0.01]"
            ),
            "7:98 DL203 optimizer.learning_rate.boundaries[1]: training stops after 20 epochs, "
            "and this boundary only comes after 20 epochs: the learning rate 0.01 is never "
            "reached. Write `{epochs: 13}`, or train longer.",
        ),
        (
            scheduled(
                "cosine_decay_restarts, initial_learning_rate: 0.1, first_decay_steps: 10000"
            ),
            "7:116 DL203 optimizer.learning_rate.first_decay_steps: training stops after 20 "
            "epochs, and the schedule only ends after 476 epochs: the learning rate is still "
            "high when the weights should settle. Write `first_decay_steps: {epochs: 20}`.",
        ),
        (
            scheduled(
                "exponential_decay, initial_learning_rate: 0.1, decay_rate: 0.9, "
                "staircase: true, decay_steps: {epochs: 20.5}"
            ),
            "7:140 DL203 optimizer.learning_rate.decay_steps: training stops after 20 epochs, "
            "after which the learning rate is still 100% of the first: the schedule counts in "
            "20.5 epochs, and changes next to nothing. Write `decay_steps: {epochs: 2}`.",
        ),
        (
            scheduled(
                "inverse_time_decay, initial_learning_rate: 0.1, decay_rate: 0.1, "
                "decay_steps: {epochs: 200}"
            ),
            "7:124 DL203 optimizer.learning_rate.decay_steps: training stops after 20 epochs, "
            "after which the learning rate is still 99% of the first: the schedule counts in "
            "200 epochs, and changes next to nothing. Write `decay_steps: {epochs: 2}`.",
        ),
        (
            digits("- {type: dense, units: 10}\n    - {type: dropout, rate: 0.1}\n    - softmax"),
            "7:7 DL301 model.layers[3]: dropout at the end drops the outputs themselves: in "
            "training the loss is computed on zeros that no weight can change. Put it in front "
            "of the last dense layer.",
        ),
        (
            digits(rest="optimizer: {type: sgd, weight_decay: 0.01}\n").replace(
                "activation: relu", "activation: relu, kernel_regularizer: l2"
            ),
            "5:70 DL303 model.layers[1].kernel_regularizer: an L2 penalty of 0.01 and sgd's "
            "weight decay of 0.01 both shrink the weights: neither number says by how much. "
            "Leave kernel_regularizer out and keep the weight decay, or write `weight_decay: "
            "0` in the optimizer.",
        ),
        (
            mnist(
                "    - {type: conv2d, filters: 8, kernel_size: 3}\n"
                "    - {type: dropout, rate: 0.1}\n"
                "    - {type: conv2d, filters: 16, kernel_size: 3, activation: relu}\n"
                "    - global_average_pooling2d\n"
            ),
            "5:7 DL305 model.layers[0]: conv2d has no activation before conv2d_1: two linear "
            "layers in a row can do no more than one. Write `- {type: conv2d, filters: 8, "
            "kernel_size: 3, activation: relu}`.",
        ),
        (
            digits(
                rest="training: {epochs: 20, callbacks: "
                "[{type: model_checkpoint, filepath: a.keras, monitor: val_loss, mode: max}]}\n"
            ),
            "7:105 DL401 training.callbacks[0].mode: mode max takes the largest val_loss for "
            "the best, but the smallest is: model_checkpoint would act on the wrong epochs. "
            "Write `mode: min`, or leave it out.",
        ),
        (
            digits(
                rest="training: {epochs: 20, callbacks: [{type: early_stopping, monitor: loss}]}\n"
            ),
            "7:68 DL402 training.callbacks[0].monitor: early stopping watches loss of the "
            "training rows, which goes on improving while the model learns them by heart. "
            "Write `monitor: val_loss`.",
        ),
        (
            digits(rest=f"{STOPPING}patience: 10, start_from_epoch: 10}}}}\n"),
            "7:51 DL404 training.early_stopping.patience: early_stopping with a patience of 10 "
            "epochs from epoch 10 on can't act in a training of 20. Write `patience: 3`, or "
            "train longer.",
        ),
        (
            digits(rest="training: {reduce_lr_on_plateau: {}}\n"),
            "7:12 DL404 training.reduce_lr_on_plateau.patience: reduce_lr_on_plateau with a "
            "patience of 10 epochs can't act in a training of 10. Write `patience: 3`, or "
            "train longer.",
        ),
        (
            digits(rest="training: {epochs: 1, early_stopping: {}}\n"),
            "7:23 DL404 training.early_stopping.patience: early_stopping with a patience of 5 "
            "epochs can't act in a training of 1. Train longer, or leave early_stopping out.",
        ),
        (
            mnist("    - flatten\n").replace("mnist\n", "mnist\n  augment: [random_flip]\n"),
            "3:13 DL501 dataset.augment[0].mode: an image of mnist mirrored left to right or "
            "upside down no longer looks like one of its class, and keeps the label. Write `- "
            "{type: random_translation, height_factor: 0.1, width_factor: 0.1}` instead.",
        ),
        (
            mnist("    - flatten\n").replace("mnist\n", "cifar10\n  augment: [random_flip]\n"),
            "3:13 DL501 dataset.augment[0].mode: an image of cifar10 mirrored upside down no "
            "longer looks like one of its class, and keeps the label. Write `- {type: "
            "random_flip, mode: horizontal}`.",
        ),
        (
            mnist("    - flatten\n").replace(
                "mnist\n", "mnist\n  augment: [{type: random_rotation, factor: 0.25}]\n"
            ),
            "3:45 DL501 dataset.augment[0].factor: an image of mnist turned by up to 90° may "
            "no longer look like one of its class, and keeps the label; up to 45° is safe. "
            "Write `factor: 0.05`, which is 18° each way.",
        ),
        (
            digits().replace(
                "{name: digits}",
                "{name: digits, augment: [{type: random_rotation, factor: [-0.5, 0.1]}]}",
            ),
            "1:67 DL501 dataset.augment[0].factor: an image of digits turned by up to 180° may "
            "no longer look like one of its class, and keeps the label; up to 45° is safe. "
            "Write `factor: 0.05`, which is 18° each way.",
        ),
    ],
)
def test_other_forms_are_found_too(lint: Lint, text: str, found: str) -> None:
    assert lint(text) == [found]
