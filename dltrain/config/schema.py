"""What may stand in each section of a config? Types, ranges and defaults, a sentence a field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# What names a Keras component: {"type": name, **arguments}. Checked against the catalog by
# `dltrain.config.components`, which finds all mistakes of one component and not only the first.
Spec = dict[str, Any]

Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A section of the config: unknown keys are refused, values are never coerced in silence.

    A section that is absent is made of its defaults, which need no validation: that would build
    its validator, a second time beside the one inside RunConfig's.
    """

    # Built at first use: only RunConfig is ever validated by itself, and it holds all the others.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class DatasetConfig(Section):
    """Which data, how it is split and prepared."""

    name: str | None = Field(
        None, description="A dataset of `dltrain data list`; data of your own has a type instead."
    )
    type: (
        Literal[
            "csv", "parquet", "jsonl", "npz", "huggingface", "tfds", "image_folder", "text_folder"
        ]
        | None
    ) = Field(
        None,
        description="Data of your own: a CSV or Parquet file, a file of JSON lines with texts, "
        "NumPy arrays, a Hugging Face dataset on the disk, one that TensorFlow Datasets prepared, "
        "or a folder that holds a folder of images or of .txt files for each class.",
    )
    path: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="Own data: the file or folder; a relative one is taken from the config's "
        "folder.",
    )
    validation_path: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Table: a second file, whose rows are the validation split."
    )
    test_path: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Table: another file, whose rows are the test split."
    )
    target: str | None = Field(
        None, description="Table: the column to predict; of JSON lines, the key (label)."
    )
    text: str | None = Field(
        None,
        description="JSON lines: the key of the text (text); Hugging Face, TFDS: the column of "
        "the texts, where they are the input.",
    )
    image: str | None = Field(
        None,
        description="Hugging Face, TFDS: the column of the images, where they are the input; "
        "needs image_size.",
    )
    task: Literal["classification", "regression"] | None = Field(
        None,
        description="Table: whether the target is a class or a number; default: a class if it is "
        "text, or whole numbers of at most 20 different values.",
    )
    modality: Literal["image", "tabular", "tokens"] | None = Field(
        None,
        description="NumPy arrays: what x holds; default: a table if it has two dimensions, else "
        "images. tokens stands for ids of words, or of other parts of texts.",
    )
    ignore: list[str] | None = Field(
        None, description="Table: columns to leave out, such as a number that only counts the rows."
    )
    columns: dict[str, Literal["number", "category", "datetime", "text"]] | None = Field(
        None,
        description="Table: what a column is, where its values tell it wrongly, such as a postal "
        "code; text makes a feature of each of its most frequent words.",
    )
    weight_column: str | None = Field(
        None, description="Table: a column of numbers that say how much each row counts."
    )
    group_column: str | None = Field(
        None,
        description="Table: a column that names groups, such as patients; the rows of one never "
        "lie in two splits.",
    )
    split_column: str | None = Field(
        None,
        description="Table: a column that says train, validation or test of each row.",
    )
    image_size: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Image files: [height, width] that every image is resized to."
    )
    color: Literal["rgb", "grey"] | None = Field(
        None, description="Image files: three channels or one (rgb)."
    )
    on_error: Literal["fail", "skip"] | None = Field(
        None,
        description="Image files: whether an image that can't be read ends the run, or is left "
        "out and counted (fail).",
    )
    classes: list[str | int] | None = Field(
        None, description="The only classes whose rows are used, by name, in this order."
    )
    rows_per_class: Count | None = Field(
        None,
        description="At most so many rows of each class, to train and validate on; which ones "
        "follows from `seed`. Test rows stay.",
    )
    validation_split: Fraction = Field(
        0.1, description="Share of the training rows held out for validation."
    )
    test_split: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="Share of the rows held out for testing, for data without a published test "
        "split (default 0.2). The rows don't depend on `seed`, so runs compare on the same ones.",
    )
    normalize: Literal["unit", "standard", "none"] | None = Field(
        None,
        description="unit: divide by the largest pixel value; standard: subtract the mean and "
        "divide by the standard deviation of the training rows; default: unit for images, "
        "standard for tables, none for text.",
    )
    keep: dict[str, Any] | None = Field(
        None,
        description="Shares of classes to keep, the others whole: {ill: 0.01} makes a class rare. "
        "Test rows stay.",
    )
    augment: list[Any] = Field(
        default_factory=list, description="Random image layers, applied in training only."
    )
    max_words: Annotated[int, Field(ge=3)] | None = Field(
        None, description="Text: size of the vocabulary, padding and unknown included (20000)."
    )
    max_length: Count | None = Field(
        None, description="Text: words a row is padded or truncated to (400)."
    )
    ngrams: Annotated[int, Field(ge=1, le=2)] | None = Field(
        None, description="Text: 2 adds hashed pairs of neighbouring words (1)."
    )
    ngram_buckets: Count | None = Field(
        None, description="Text: how many ids the pairs are hashed into (100000)."
    )
    truncate: Literal["start", "end"] | None = Field(
        None, description="Text: which end of a long text is cut off (end)."
    )
    word_dropout: Fraction | None = Field(
        None,
        description="Text: share of the words that are unknown in a training step, others in every "
        "epoch (0).",
    )
    rows: Annotated[int, Field(ge=10)] | None = Field(None, description="Synthetic data: rows.")
    features: Count | None = Field(None, description="Synthetic data: features.")
    noise: Weight | None = Field(
        None, description="Synthetic data: standard deviation of the noise in the target."
    )
    nonlinearity: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="Synthetic data: share of the target that is not linear."
    )

    def made_options(self) -> dict[str, object]:
        """Return the options of data that is made, those that are set."""
        names = ("rows", "features", "noise", "nonlinearity")
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


class FromRunConfig(Section):
    """Weights to start from: those of a finished run's model, taken layer by layer, by name."""

    run: Annotated[str, Field(min_length=1)] = Field(
        description="The run, as on the command line: a directory, NAME for the latest of that "
        "name in runs/, or NAME/0003."
    )
    layers: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="The layers that are taken; default: every one whose name the run's model has.",
    )
    skip: list[str] = Field(
        default_factory=list, description="Layers that are not taken: they start from new weights."
    )
    trainable: Any = Field(
        "all",
        description="Which of the layers that are taken are trained: all, none, or the last N.",
    )


class PretrainedConfig(Section):
    """A model of keras.applications, or a preset of KerasHub, in front of `layers`."""

    type: Annotated[str, Field(min_length=1)] = Field(
        description="Which model, by its name in snake_case, such as resnet50 or vgg16; or "
        "keras_hub."
    )
    preset: str | None = Field(
        None,
        description="keras_hub: the folder of a preset, or a name that KerasHub fetches it by.",
    )
    weights: Annotated[str, Field(min_length=1)] = Field(
        "imagenet",
        description="imagenet (fetched once), the path of a weights file of this model, or none: "
        "new weights; of keras_hub preset or none.",
    )
    trainable: Any = Field(
        "none", description="Which of its layers are trained: none, all, or the last N."
    )
    pooling: Literal["avg", "max", "first", "none"] = Field(
        "avg",
        description="How its last map becomes a row of features: their average or maximum; none "
        "leaves the map. Of keras_hub's texts and patches also the first.",
    )
    image_size: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="[height, width] that images are resized to; default: as they are, or as the "
        "preset says.",
    )


class ModelConfig(Section):
    """The layers, in order or as a graph."""

    from_run: FromRunConfig | None = Field(
        None,
        description="Weights to start from: those of a finished run's model, taken layer by "
        "layer, by name.",
    )

    pretrained: PretrainedConfig | None = Field(
        None,
        description="A model of keras.applications, without its last layers, or a preset of "
        "KerasHub, in front of `layers`.",
    )
    layers: Annotated[list[Any], Field(min_length=1)] = Field(
        description="Layers by Keras's names; the input is added from the dataset."
    )
    blocks: dict[str, Any] = Field(
        default_factory=dict, description="Groups of layers with parameters, to use by name."
    )


class RegularizationConfig(Section):
    """A penalty on every kernel of the model whose layer names none of its own."""

    l1: Weight = Field(0.0, description="Factor of the sum of absolute weights.")
    l2: Weight = Field(0.0, description="Factor of the sum of squared weights.")


class EarlyStoppingConfig(Section):
    """Stop when the monitored value no longer improves (keras.callbacks.EarlyStopping)."""

    monitor: str | None = Field(None, description="The value to watch; default: training.monitor.")
    patience: Annotated[int, Field(ge=0)] = Field(
        5, description="Epochs without improvement before training stops."
    )
    min_delta: Weight = Field(0.0, description="Smallest change that counts as improvement.")
    mode: Literal["auto", "min", "max"] = Field("auto", description="Which direction is better.")
    baseline: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None, description="A value that must be beaten."
    )
    start_from_epoch: Annotated[int, Field(ge=0)] = Field(0, description="Epochs to wait first.")
    restore_best_weights: bool = Field(
        True, description="Keep the weights of the best epoch; false keeps the last."
    )


class ReduceLROnPlateauConfig(Section):
    """Lower the learning rate when progress stalls (keras.callbacks.ReduceLROnPlateau)."""

    monitor: str | None = Field(
        None, description="The value that must not stall; default: training.monitor."
    )
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="The learning rate is multiplied by this."
    )
    patience: Annotated[int, Field(ge=0)] = Field(
        10, description="Epochs without improvement before the rate is cut."
    )
    mode: Literal["auto", "min", "max"] = Field(
        "auto", description="Which direction of the watched value is better."
    )
    min_delta: Weight = Field(1e-4, description="Smallest change that is no stalling.")
    cooldown: Annotated[int, Field(ge=0)] = Field(0, description="Epochs to wait after a cut.")
    min_lr: Weight = Field(0.0, description="The learning rate never falls below this.")


class CheckpointConfig(Section):
    """When all that resuming needs is written; the last two are kept."""

    every_epochs: Count | Literal["auto"] | None = Field(
        "auto",
        description="Epochs between checkpoints; auto: after every epoch, as long as that takes no "
        "more than 3% of the training time; null: none.",
    )
    every_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        300.0, description="Seconds after which one is taken inside an epoch; null: never."
    )
    every_steps: Count | None = Field(
        None, description="Steps of an epoch between checkpoints inside it."
    )


class TrainingConfig(Section):
    """How long and in what portions to train."""

    batch_size: Count | Literal["full"] = Field(
        32, description="Rows a step; `full` is full-batch gradient descent."
    )
    epochs: Count = Field(10, description="Passes over the training rows.")
    phases: Annotated[list[Any], Field(min_length=1)] | None = Field(
        None,
        description="Parts of the training that follow each other, each with its epochs, its "
        "learning rate and what is trained; the optimizer begins anew with each.",
    )
    shuffle: bool = Field(True, description="A new order of the rows in every epoch.")
    monitor: str | None = Field(
        None,
        description="The value that says which epoch was best; default: early_stopping.monitor, "
        "else val_loss, or loss without validation rows.",
    )
    early_stopping: EarlyStoppingConfig | None = None
    reduce_lr_on_plateau: ReduceLROnPlateauConfig | None = None
    callbacks: list[Any] = Field(
        default_factory=list, description="Further Keras callbacks, by name."
    )
    balance: Any = Field(
        None,
        description="Against classes of unequal size: class_weight, oversample, undersample, smote "
        "or focal_loss. Only training rows are touched.",
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        "float32", description="Number format of the computation (Keras's dtype policy)."
    )
    checkpoint: CheckpointConfig = Field(default_factory=lambda: CheckpointConfig.model_construct())
    input: Literal["auto", "device", "stream"] = Field(
        "auto",
        description="device: all rows in the device's memory; stream: read batch by batch; auto: "
        "device if they are a small part of its memory. The numbers are the same.",
    )
    jit_compile: Literal["auto"] | bool = Field(
        "auto",
        description="Whether XLA compiles the whole step; auto: the parts that are known to be "
        "faster, on CPU the optimizer's update.",
    )


SweepDirection = Literal["minimize", "maximize"]


class RetrainConfig(Section):
    """Which trials of a sweep are trained again at its end, and how often."""

    top: Count = Field(3, description="How many of the best trials are trained again.")
    seeds: Count = Field(3, description="With how many other seeds each of them is.")


class SweepConfig(Section):
    """Which values `dltrain sweep` tries, and how it chooses among them."""

    space: Annotated[dict[str, Any], Field(min_length=1)] = Field(
        description="What varies: the dotted path of each value, and what it may be."
    )
    method: Literal["grid", "random", "bayesian", "tpe", "gp", "cma_es", "nsga2"] = Field(
        "bayesian",
        description="How the next values are chosen: grid: every combination; random; bayesian: "
        "by what the trials before gave (Optuna's TPE); or an Optuna sampler by its name.",
    )
    metric: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="What is to be best, of the validation rows; a list for several objectives; "
        "default: training.monitor.",
    )
    direction: SweepDirection | list[SweepDirection] | None = Field(
        None, description="Whether less or more of each metric is better; default: by its name."
    )
    trials: Count | None = Field(
        None, description="How many trainings; default: every point of a grid, else 20."
    )
    max_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="Seconds after which no trial begins, and those at work stop after their "
        "epoch.",
    )
    pruner: Any = Field(
        "none",
        description="Which trials are stopped early because others were better by then: none, "
        "median, percentile, hyperband, successive_halving; an Optuna pruner, with its arguments.",
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = Field(
        None, description="Fixes which values are tried; default: the config's own seed."
    )
    retrain: RetrainConfig | None = Field(
        None,
        description="Train the best trials again with other seeds, and let the best mean win.",
    )


class RunConfig(Section):
    """A whole config, resolved: every section present, every default written out."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)] = Field(
        description="Names the run directory runs/NAME/0001."
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(
        0, description="Fixes initial weights, row order, dropout, augmentation, the held-out rows."
    )
    dataset: DatasetConfig
    model: ModelConfig
    loss: Any = Field(None, description="cross_entropy, mse, or a Keras loss by its own name.")
    regularization: RegularizationConfig = Field(
        default_factory=lambda: RegularizationConfig.model_construct()
    )
    optimizer: Any = Field(None, description="A Keras optimizer.")
    metrics: list[Any] | None = Field(None, description="Computed every epoch.")
    training: TrainingConfig = Field(default_factory=lambda: TrainingConfig.model_construct())
    trackers: list[Any] = Field(
        default_factory=list,
        description="Where else the run is recorded: tensorboard, mlflow, wandb.",
    )
    sweep: SweepConfig | None = None
