"""Are sections that don't fit each other, or the dataset, refused with the place and the reason?"""

from __future__ import annotations

import pytest
from config_problems import Load, Refuse

DIGITS = "dataset: {name: digits}\nmodel: {layers: [flatten, {type: dense, units: 10}]}\n"
IMDB = (
    "dataset: {name: imdb}\n"
    "model:\n  layers:\n    - {type: embedding, input_dim: 20000, output_dim: 4}\n"
    "    - global_average_pooling1d\n    - {type: dense, units: 1}\n"
)
TABLE = "dataset: {name: diabetes}\nmodel: {layers: [{type: dense, units: 1}]}\n"
MADE = "dataset: {name: synthetic_regression}\nmodel: {layers: [{type: dense, units: 1}]}\n"


def _with(text: str, options: str) -> str:
    first, rest = text.split("}\n", 1)
    return f"{first}, {options}}}\n{rest}"


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        (DIGITS, "max_words: 100", "1:25 dataset.max_words: max_words is for texts; "
         "digits holds none."),
        (DIGITS, "truncate: end", "1:25 dataset.truncate: truncate is for texts; "
         "digits holds none."),
        (DIGITS, "rows: 100", "1:25 dataset.rows: digits has no option 'rows'."),
        (IMDB, "features: 3", "1:23 dataset.features: imdb has no option 'features'."),
        (IMDB, "normalize: unit", "1:34 dataset.normalize: imdb holds texts; expected none."),
        (TABLE, "normalize: unit", "1:38 dataset.normalize: unit is for images; diabetes is a "
         "table: use standard."),
        (IMDB, "augment: [random_flip]", "1:32 dataset.augment: augment is for images; "
         "imdb holds none."),
        (TABLE, "augment: [random_flip]", "1:36 dataset.augment: augment is for images; "
         "diabetes holds none."),
        (IMDB, "test_split: 0.1", "1:23 dataset.test_split: imdb has a published test split of "
         "25,000 rows; test_split is for data without one."),
        (DIGITS, "word_dropout: 0.1", "1:25 dataset.word_dropout: word_dropout is for texts; "
         "digits holds none."),
        (IMDB, "word_dropout: 1", "1:37 dataset.word_dropout: expected a number < 1, received "
         "the number 1."),
        (DIGITS, "augment: [flatten]", "1:35 dataset.augment[0]: flatten is no random image "
         "layer. Put it under model.layers."),
        (DIGITS, "augment: [random_flp]", "1:35 dataset.augment[0]: there is no layer "
         "'random_flp'. Did you mean 'random_flip'?"),
        (MADE, "rows: 9", "1:45 dataset.rows: expected a number >= 10, received the number 9."),
        (MADE, "rows: 1000000000", "1:45 dataset.rows: expected 2 to 1e+08, "
         "received 1000000000."),
        (MADE, "noise: -1", "1:46 dataset.noise: expected a number >= 0, "
         "received the number -1."),
        (IMDB, "max_words: 2", "1:34 dataset.max_words: expected a number >= 3, "
         "received the number 2."),
        (IMDB, "ngrams: 3", "1:31 dataset.ngrams: expected a number <= 2, "
         "received the number 3."),
    ],
)  # fmt: skip
def test_option_that_the_dataset_cannot_have_is_refused(
    refuse: Refuse, text: str, options: str, problem: str
) -> None:
    assert refuse(_with(text, options)) == [f"c.yaml:{problem}"]


def test_random_layer_inside_the_model_is_refused(refuse: Refuse) -> None:
    assert refuse(DIGITS.replace("[flatten", "[random_flip, flatten")) == [
        "c.yaml:2:18 model.layers[0]: random_flip is augmentation; inside the model it would be "
        "saved with it. Put it under dataset.augment."
    ]


@pytest.mark.parametrize(
    ("options", "rows"),
    [("validation_split: 0", 1438), ("validation_split: 0.1", 1294), ("test_split: 0.5", 809)],
)
def test_batch_larger_than_the_training_rows_is_refused(
    refuse: Refuse, load: Load, options: str, rows: int
) -> None:
    text = _with(DIGITS, options)
    assert refuse(f"{text}training: {{batch_size: {rows + 1}}}\n") == [
        f"c.yaml:3:24 training.batch_size: a batch of {rows + 1:,} is larger than the "
        f"{rows:,} training rows. Use {rows} or less, or `full`."
    ]
    assert load(f"{text}training: {{batch_size: {rows}}}\n").config.training.batch_size == rows


def test_rows_of_made_data_bound_the_batch(refuse: Refuse) -> None:
    text = _with(MADE, "rows: 20, test_split: 0.5, validation_split: 0")
    assert refuse(f"{text}training: {{batch_size: 11}}\n") == [
        "c.yaml:3:24 training.batch_size: a batch of 11 is larger than the 10 training rows. "
        "Use 10 or less, or `full`."
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "training: {monitor: val_acuracy}",
            "3:21 training.monitor: no epoch produces the text 'val_acuracy'; there are loss, "
            "accuracy, val_loss, val_accuracy. Did you mean 'val_accuracy'?",
        ),
        (
            "training: {early_stopping: {monitor: val_f1}}",
            "3:38 training.early_stopping.monitor: no epoch produces the text 'val_f1'; there are "
            "loss, accuracy, val_loss, val_accuracy. Add it to metrics:.",
        ),
        (
            "training: {reduce_lr_on_plateau: {monitor: auc}}",
            "3:44 training.reduce_lr_on_plateau.monitor: no epoch produces the text 'auc'; there "
            "are loss, accuracy, val_loss, val_accuracy. Add it to metrics:.",
        ),
        (
            "training: {callbacks: [{type: early_stopping, monitor: auc}]}",
            "3:56 training.callbacks[0].monitor: no epoch produces the text 'auc'; there are "
            "loss, accuracy, val_loss, val_accuracy. Add it to metrics:.",
        ),
    ],
)
def test_monitor_that_no_epoch_produces_is_refused(refuse: Refuse, text: str, problem: str) -> None:
    assert refuse(f"{DIGITS}{text}\n") == [f"c.yaml:{problem}"]


def test_validation_monitor_without_validation_rows_is_refused(refuse: Refuse) -> None:
    text = _with(DIGITS, "validation_split: 0")
    assert refuse(f"{text}training: {{monitor: val_loss}}\n") == [
        "c.yaml:3:21 training.monitor: no epoch produces the text 'val_loss'; there are loss, "
        "accuracy. Set dataset.validation_split above 0."
    ]


def test_schedule_together_with_plateau_is_refused(refuse: Refuse) -> None:
    text = (
        "optimizer: {type: adam, learning_rate: {type: one_cycle, max_learning_rate: 0.01}}\n"
        "training: {reduce_lr_on_plateau: {}}\n"
    )
    assert refuse(DIGITS + text) == [
        "c.yaml:4:12 training.reduce_lr_on_plateau: a learning rate that follows a schedule "
        "can't be lowered on a plateau as well. Give optimizer.learning_rate a number, or leave "
        "this out."
    ]


def test_early_stopping_that_starts_after_the_end_is_refused(refuse: Refuse) -> None:
    text = "training: {epochs: 3, early_stopping: {start_from_epoch: 3}}\n"
    assert refuse(DIGITS + text) == [
        "c.yaml:3:58 training.early_stopping.start_from_epoch: early stopping would start after "
        "the last of 3 epochs."
    ]


def test_embedding_smaller_than_the_vocabulary_is_refused(refuse: Refuse, load: Load) -> None:
    assert refuse(IMDB.replace("20000", "19999")) == [
        "c.yaml:4:36 model.layers[0].input_dim: the texts have 20,000 ids (words, pairs, padding "
        "and unknown); an embedding of 19,999 rows is too small. Set input_dim: 20000."
    ]
    assert load(_with(IMDB, "max_words: 19999")).config.dataset.max_words == 19_999


def test_pairs_of_words_count_towards_the_vocabulary(refuse: Refuse) -> None:
    (problem,) = refuse(_with(IMDB, "ngrams: 2, ngram_buckets: 5000"))
    assert "the texts have 25,000 ids" in problem
    assert problem.endswith("Set input_dim: 25000.")


def test_metric_of_classes_for_a_number_is_refused(refuse: Refuse) -> None:
    assert refuse(f"{TABLE}metrics: [mae, accuracy]\n") == [
        "c.yaml:3:16 metrics[1]: accuracy compares classes; the target is a number. "
        "Use mse, mae or r2_score."
    ]


@pytest.mark.parametrize(
    ("metrics", "column", "name"),
    [
        ("[accuracy, accuracy]", 21, "accuracy"),
        ("[accuracy, {type: f1, name: accuracy}]", 21, "accuracy"),
        ("[{type: f1, name: loss}]", 11, "loss"),
    ],
)
def test_metric_name_that_is_taken_is_refused(
    refuse: Refuse, metrics: str, column: int, name: str
) -> None:
    (problem,) = refuse(f"{DIGITS}metrics: {metrics}\n")
    assert problem.startswith(f"c.yaml:3:{column} metrics[")
    assert problem.endswith(f": the metric name '{name}' is used twice; add a name:.")


def test_text_options_get_their_defaults_for_texts_only(load: Load) -> None:
    dataset = load(IMDB).config.dataset
    assert (dataset.max_words, dataset.max_length, dataset.ngrams) == (20_000, 400, 1)
    assert (dataset.truncate, dataset.ngram_buckets, dataset.normalize) == ("end", None, "none")
    assert load(DIGITS).config.dataset.max_words is None


def test_mistakes_between_sections_are_told_together_with_those_inside_them(
    refuse: Refuse,
) -> None:
    text = (
        "sead: 3\n"
        "dataset: {name: mnist, max_words: 10}\n"
        "model: {layers: [flatten, {type: dense, units: 3}]}\n"
        "optimizer: {type: adam, learning_rate: {type: one_cycle, max_learning_rate: 0.1}}\n"
        "training:\n"
        "  epochs: 2.5\n"
        "  reduce_lr_on_plateau: {}\n"
        "  early_stopping: {monitor: val_acuracy}\n"
    )
    assert [problem.split(":")[1] for problem in refuse(text)] == list("123678")


def test_a_callback_outside_the_run_directory_is_told_by_check(refuse: Refuse) -> None:
    callbacks = "training: {callbacks: [{type: csv_logger, filename: ../log.csv}]}\n"
    assert refuse(DIGITS + callbacks) == [
        "c.yaml:3:53 training.callbacks[0].filename: expected a path inside the run directory, "
        "received '../log.csv'. Leave out the leading / and every .."
    ]
