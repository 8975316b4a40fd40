"""How does one train MNIST in Keras without dltrain? `python keras_mnist.py MODEL DATA.npz`

As a competent user writes it: arrays in memory, `model.fit` on them with Keras's defaults, the best
epoch kept by a checkpoint, that model evaluated in the end. It knows nothing of dltrain.
"""

from __future__ import annotations

import argparse

import keras  # noqa: TID253  (a script of its own)
import numpy as np

BATCH_SIZE = 128
EVALUATION_BATCH_SIZE = 256  # what dltrain takes; Keras's 32 would handicap the script


def build_dense():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10),
        ]
    )


def build_cnn():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10),
        ]
    )


MODELS = {"dense": build_dense, "cnn": build_cnn}


def read_arrays(path):
    with np.load(path) as data:
        return {
            split: (
                data[f"{split}_inputs"].astype("float32") / 255,
                data[f"{split}_labels"],
            )
            for split in ("train", "validation", "test")
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    splits = read_arrays(options.data)
    model = MODELS[options.model]()
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        *splits["train"],
        batch_size=BATCH_SIZE,
        epochs=options.epochs,
        validation_data=splits["validation"],
        validation_batch_size=EVALUATION_BATCH_SIZE,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                "best.keras", monitor="val_accuracy", mode="max", save_best_only=True
            )
        ],
        verbose=2,
    )
    best = keras.saving.load_model("best.keras")
    for split in ("validation", "test"):
        inputs, labels = splits[split]
        _, accuracy = best.evaluate(inputs, labels, batch_size=EVALUATION_BATCH_SIZE, verbose=0)
        print(f"{split} accuracy {accuracy:.6f}")


if __name__ == "__main__":
    main()
