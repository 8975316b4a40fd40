"""What must each rule find, and what not? One wrong and one right line of YAML a rule.

docs/lint.md shows the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One rule with a config in which `@` stands for a line: the wrong one fires, the right not.

    `found` is the whole finding as `line:column key: why fix`.
    """

    code: str
    text: str
    wrong: str
    right: str
    found: str


def digits(output: str = "- {type: dense, units: 10}", rest: str = "") -> str:
    """Return a config of a classifier with a hidden layer; `output` is the last one."""
    return (
        "dataset: {name: digits}\nmodel:\n  layers:\n    - flatten\n"
        f"    - {{type: dense, units: 32, activation: relu}}\n    {output}\n{rest}"
    )


def table(output: str = "- {type: dense, units: 1}", rest: str = "") -> str:
    """Return a config of a regression."""
    return f"dataset: {{name: diabetes}}\nmodel:\n  layers:\n    {output}\n{rest}"


def reviews(output: str = "- {type: dense, units: 1}", rest: str = "", data: str = "") -> str:
    """Return a config for the film reviews."""
    return (
        f"dataset:\n  name: imdb\n{data}model:\n  layers:\n"
        "    - {type: embedding, input_dim: 20000, output_dim: 8}\n"
        f"    - global_average_pooling1d\n    {output}\n{rest}"
    )


def mnist(layers: str, rest: str = "") -> str:
    """Return a config for MNIST; `layers` are lines that stand before the last layer."""
    output = "    - {type: dense, units: 10}\n"
    return f"dataset:\n  name: mnist\nmodel:\n  layers:\n{layers}{output}{rest}"


def scheduled(schedule: str, epochs: int = 20) -> str:
    """Return a classifier whose rate follows `schedule`: 21 steps an epoch."""
    return digits(
        rest=f"optimizer: {{type: sgd, learning_rate: {{type: {schedule}}}}}\n"
        f"training: {{batch_size: 64, epochs: {epochs}}}\n"
    )


_TRAINING = "training:\n  epochs: 20\n  "
_ADAM = "optimizer:\n  type: adam\n  "
_CONVOLUTION = "    - {type: conv2d, filters: 32, kernel_size: 3, activation: relu}\n"

CASES = (
    Case(
        "DL101",
        digits("- {type: dense, units: 10, activation: softmax}", "@\n"),
        "loss: {type: sparse_categorical_crossentropy, from_logits: true}",
        "loss: cross_entropy",
        "7:7 loss: sparse_categorical_crossentropy takes logits and applies a softmax "
        "itself, but the last layer has softmax already: squashed twice, the classes can "
        "hardly be told apart. Write `- {type: dense, units: 10}` as the last layer.",
    ),
    Case(
        "DL102",
        digits("- {type: dense, units: 10}", "@\n"),
        "loss: sparse_categorical_crossentropy",
        "loss: cross_entropy",
        "7:7 loss: sparse_categorical_crossentropy expects probabilities, but the last "
        "layer has no softmax: its outputs may be any number, and what isn't between 0 "
        "and 1 is clipped and learns nothing. Write `loss: cross_entropy`, which takes "
        "the outputs as they are.",
    ),
    Case(
        "DL103",
        digits("@", "loss: sparse_categorical_crossentropy\n"),
        "- {type: dense, units: 10, activation: sigmoid}",
        "- {type: dense, units: 10, activation: softmax}",
        "6:44 model.layers[2].activation: sparse_categorical_crossentropy compares "
        "classes that exclude each other, but outputs of sigmoid don't sum to 1. Write "
        "`- {type: dense, units: 10, activation: softmax}` as the last layer.",
    ),
    Case(
        "DL104",
        reviews("@", "loss: binary_crossentropy\n"),
        "- {type: dense, units: 1, activation: softmax}",
        "- {type: dense, units: 1, activation: sigmoid}",
        "7:43 model.layers[2].activation: softmax over one unit is always 1, whatever "
        "the model learns. Write `- {type: dense, units: 1, activation: sigmoid}` as the "
        "last layer.",
    ),
    Case(
        "DL105",
        table("@", "loss: mse\n"),
        "- {type: dense, units: 1, activation: relu}",
        "- {type: dense, units: 1}",
        "4:43 model.layers[0].activation: the target is a number, and relu lets nothing "
        "below 0 through: targets beyond can't be predicted, and an output that is 0 for "
        "every row learns no more. Write `- {type: dense, units: 1}` as the last layer.",
    ),
    Case(
        "DL106",
        digits("@", "loss: cross_entropy\n"),
        "- {type: dense, units: 10, activation: relu}",
        "- {type: dense, units: 10}",
        "6:44 model.layers[2].activation: the outputs are logits, which may be any "
        "number, and relu lets nothing below 0 through: the model can't say that a class "
        "is very unlikely or very likely. Write `- {type: dense, units: 10}` as the last "
        "layer.",
    ),
    Case(
        "DL201",
        digits(rest="@\n"),
        "optimizer: {type: adam, learning_rate: 0.1}",
        "optimizer: {type: adam, learning_rate: 0.001}",
        "7:40 optimizer.learning_rate: a learning rate of 0.1 is far from what adam is "
        "used with, 1e-06 to 0.03: the loss will jump or overflow. Write `learning_rate: "
        "0.001` and go on from there.",
    ),
    Case(
        "DL202",
        digits(rest=f"{_TRAINING}batch_size: 64\n{_ADAM}@\n"),
        "learning_rate: {type: cosine_decay, initial_learning_rate: 1e-3, decay_steps: 100}",
        "learning_rate: {type: cosine_decay, initial_learning_rate: 1e-3, "
        "decay_steps: {epochs: 20}}",
        "12:81 optimizer.learning_rate.decay_steps: the schedule has run its course "
        "after 4.76 epochs of 20: for the last 15.2 the learning rate is 0, and next to "
        "nothing is learnt. Write `decay_steps: {epochs: 20}`.",
    ),
    Case(
        "DL203",
        digits(rest=f"{_TRAINING}batch_size: 64\n{_ADAM}@\n"),
        "learning_rate: {type: cosine_decay, initial_learning_rate: 1e-3, "
        "decay_steps: {epochs: 100}}",
        "learning_rate: {type: cosine_decay, initial_learning_rate: 1e-3, "
        "decay_steps: {epochs: 20}}",
        "12:81 optimizer.learning_rate.decay_steps: training stops after 20 epochs, and "
        "the schedule only ends after 100 epochs: the learning rate is still high when "
        "the weights should settle. Write `decay_steps: {epochs: 20}`.",
    ),
    Case(
        "DL204",
        digits(rest=f"{_TRAINING}@\n"),
        "shuffle: false",
        "shuffle: true",
        "9:12 training.shuffle: without shuffling every epoch has the same batches in "
        "the same order, and their gradients the same bias. Write `shuffle: true`.",
    ),
    Case(
        "DL301",
        "dataset: {name: digits}\nmodel:\n  @\n",
        "layers: [flatten, {type: dense, units: 10}, {type: dropout, rate: 0.5}]",
        "layers: [flatten, {type: dropout, rate: 0.5}, {type: dense, units: 10}]",
        "3:47 model.layers[2]: dropout at the end drops the outputs themselves: in "
        "training the loss is computed on zeros that no weight can change. Put it in "
        "front of the last dense layer.",
    ),
    Case(
        "DL302",
        "dataset: {name: digits}\nmodel:\n  @\n",
        "layers: [flatten, {type: dropout, rate: 0.3}, batch_normalization, "
        "{type: dense, units: 10}]",
        "layers: [flatten, batch_normalization, {type: dropout, rate: 0.3}, "
        "{type: dense, units: 10}]",
        "3:21 model.layers[1]: dropout right before batch_normalization: dropping "
        "changes the variance in training but not later, so the averages that are kept "
        "are wrong for prediction. Put it behind the last batch_normalization, in front "
        "of the last dense layer.",
    ),
    Case(
        "DL303",
        digits(rest="regularization: {l2: 1e-4}\n@\n"),
        "optimizer: {type: adamw, weight_decay: 0.004}",
        "optimizer: {type: adam, learning_rate: 1e-3}",
        "7:22 regularization.l2: an L2 penalty of 0.0001 and adamw's weight decay of "
        "0.004 both shrink the weights: neither number says by how much. Write `l2: 0` "
        "and keep the weight decay, or write `weight_decay: 0` in the optimizer.",
    ),
    Case(
        "DL304",
        mnist(
            f"{_CONVOLUTION}    - batch_normalization\n    - global_average_pooling2d\n",
            f"{_TRAINING}@\n",
        ),
        "batch_size: 4",
        "batch_size: 32",
        "11:15 training.batch_size: batch_normalization takes mean and variance of 4 "
        "rows: they are mostly chance. Write `batch_size: 32`, or layer_normalization "
        "instead of batch_normalization.",
    ),
    Case(
        "DL305",
        digits("@\n    - {type: dense, units: 10}"),
        "- {type: dense, units: 64}",
        "- {type: dense, units: 64, activation: relu}",
        "6:7 model.layers[2]: dense_1 has no activation before dense_2: two linear "
        "layers in a row can do no more than one. Write `- {type: dense, units: 64, "
        "activation: relu}`.",
    ),
    Case(
        "DL306",
        table("- {type: dense, units: 4, activation: relu}\n    @"),
        "- {type: dense, units: 1, inputs: [input]}",
        "- {type: dense, units: 1}",
        "4:7 model.layers[0]: no layer takes the output of dense (dense): it is left out "
        "of the model. Write `inputs: [dense]` in a later layer, or delete it.",
    ),
    Case(
        "DL307",
        mnist(f"{_CONVOLUTION}    @\n    - {{type: dense, units: 128, activation: relu}}\n"),
        "- flatten",
        "- global_average_pooling2d",
        "6:7 model.layers[1]: flatten makes 21,632 features of a map of 26 × 26 × 32, "
        "and dense has 2,768,896 weights for them: enough to learn the training rows by "
        "heart. Write `- global_average_pooling2d` instead.",
    ),
    Case(
        "DL401",
        digits(rest=f"{_TRAINING}early_stopping:\n    monitor: val_accuracy\n    @\n"),
        "mode: min",
        "mode: max",
        "11:11 training.early_stopping.mode: mode min takes the smallest val_accuracy "
        "for the best, but the largest is: early_stopping would act on the wrong epochs. "
        "Write `mode: max`, or leave it out.",
    ),
    Case(
        "DL402",
        digits(rest=f"{_TRAINING}early_stopping:\n    @\n"),
        "monitor: accuracy",
        "monitor: val_accuracy",
        "10:14 training.early_stopping.monitor: early stopping watches accuracy of the "
        "training rows, which goes on improving while the model learns them by heart. "
        "Write `monitor: val_accuracy`.",
    ),
    Case(
        "DL403",
        digits(rest=f"{_TRAINING}@\n"),
        "monitor: loss",
        "monitor: val_loss",
        "9:12 training.monitor: the best epoch is chosen by loss of the training rows: "
        "it is the one that has learnt them by heart. Write `monitor: val_loss`.",
    ),
    Case(
        "DL404",
        digits(rest=f"{_TRAINING}early_stopping:\n    @\n"),
        "patience: 20",
        "patience: 6",
        "10:15 training.early_stopping.patience: early_stopping with a patience of 20 "
        "epochs can't act in a training of 20. Write `patience: 6`, or train longer.",
    ),
    Case(
        "DL501",
        mnist("    - flatten\n").replace("mnist\n", "mnist\n  augment:\n    @\n"),
        "- {type: random_flip, mode: horizontal}",
        "- {type: random_translation, height_factor: 0.1, width_factor: 0.1}",
        "4:33 dataset.augment[0].mode: an image of mnist mirrored left to right no longer "
        "looks like one of its class, and keeps the label. Write `- {type: random_translation, "
        "height_factor: 0.1, width_factor: 0.1}` instead.",
    ),
    Case(
        "DL502",
        reviews(rest="@\n"),
        "metrics: [accuracy]",
        "metrics: [accuracy, f1]",
        "8:10 metrics: 80% of the rows are 'negative': a model that always says so has "
        "that accuracy. imdb needs a metric that looks at every class. Write `metrics: "
        "[accuracy, f1]`, and monitor val_f1.",
    ),
    Case(
        "DL503",
        reviews(data="  @\n"),
        "max_length: 100",
        "max_length: 200",
        "3:15 dataset.max_length: more than half of the texts of imdb are longer than "
        "100 words (median: 176), and lose what comes after. Write `max_length: 200`.",
    ),
    Case(
        "DL504",
        digits()
        .replace("{name: digits}", "\n  name: digits\n  @")
        .replace("dataset: ", "dataset:"),
        "validation_split: 0",
        "validation_split: 0.1",
        "3:21 dataset.validation_split: no rows are held out for validation: nothing "
        "shows overfitting, and the best epoch is chosen on the training rows. Write "
        "`validation_split: 0.1`.",
    ),
    Case(
        "DL505",
        "dataset:\n  type: csv\n  path: houses.csv\n  target: price\n  @\n"
        "model:\n  layers:\n    - {type: dense, units: 1}\n",
        "ignore: [id]",
        "ignore: [id, country]",
        "5:11 dataset.ignore: 'country' of houses.csv is the same in every row: nothing can be "
        "learned from it. Write `ignore: [id, country]`.",
    ),
    Case(
        "DL601",
        digits(rest=f"{_TRAINING}@\n"),
        "precision: mixed_float16",
        "precision: float32",
        "9:14 training.precision: no NVIDIA GPU is seen here: on a CPU float16 gains "
        "nothing, and convolutions take several times as long; on a GPU this is fine. "
        "Write `precision: float32` for this machine.",
    ),
)
