"""How does one search with KerasTuner, without dltrain? `python keras_tuner_digits.py DATA POINTS`

As a competent user writes it: a `build` with hyperparameters, `tuner.search` on arrays in memory,
the best model evaluated in the end. Only the values aren't drawn but given, so that the trainings
are those of the other side. With KERASTUNER_TUNER_ID and its fellows set it is one of several
processes. It knows nothing of dltrain.
"""

from __future__ import annotations

import argparse
import json

import keras  # noqa: TID253  (a script of its own)
import keras_tuner
import numpy as np

BATCH_SIZE = 32
EPOCHS = 30
PATIENCE = 10
EVALUATION_BATCH_SIZE = 256  # what dltrain takes; Keras's 32 would handicap the script
LARGEST = 16


def build(hp):
    units = hp.Choice("units", [32, 64, 128])
    rate = hp.Float("rate", 0.0, 0.5)
    learning_rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(rate),
            keras.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


class CountEpochs(keras.callbacks.Callback):
    """Count the epochs of all trials: KerasTuner copies a callback for each."""

    epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        CountEpochs.epochs += 1


class GivenPoints(keras_tuner.Oracle):
    """RandomSearch's oracle, but for where the values come from."""

    def __init__(self, points, **options):
        super().__init__(max_trials=len(points), **options)
        self.points = points

    def populate_space(self, trial_id):
        return {"status": "RUNNING", "values": self.points[int(trial_id)]}


def read_arrays(path):
    with np.load(path) as data:
        return {
            split: (
                data[f"{split}_inputs"].astype("float32") / LARGEST,
                data[f"{split}_labels"],
            )
            for split in ("train", "validation", "test")
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("points", help="a JSON list of objects: units, rate, learning_rate")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()

    with open(options.points) as file:  # noqa: PTH123
        points = json.load(file)
    splits = read_arrays(options.data)
    tuner = keras_tuner.Tuner(
        oracle=GivenPoints(points, objective="val_accuracy", seed=options.seed),
        hypermodel=build,
        directory="tuner",
        project_name="digits",
    )
    tuner.search(
        *splits["train"],
        batch_size=BATCH_SIZE,
        epochs=options.epochs,
        validation_data=splits["validation"],
        validation_batch_size=EVALUATION_BATCH_SIZE,
        callbacks=[
            keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=PATIENCE),
            CountEpochs(),
        ],
        verbose=0,
    )
    best = tuner.get_best_models()[0]
    inputs, labels = splits["test"]
    _, accuracy = best.evaluate(inputs, labels, batch_size=EVALUATION_BATCH_SIZE, verbose=0)
    print(f"epochs {CountEpochs.epochs}")
    print(f"test accuracy {accuracy:.6f}")


if __name__ == "__main__":
    main()
