"""How does one train on IMDB in Keras without dltrain? `python keras_imdb.py MODEL DATA`

DATA is a folder of train.jsonl, validation.jsonl and test.jsonl (texts, which TextVectorization
makes ids of, as in Keras's tutorials), or an .npz file of ready ids. As a competent user writes it:
`model.fit` on arrays with Keras's defaults, the best epoch kept by a checkpoint, that model
evaluated in the end. It knows nothing of dltrain.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import keras  # noqa: TID253  (a script of its own)
import numpy as np

BATCH_SIZE = 128
EVALUATION_BATCH_SIZE = 256  # what dltrain takes; Keras's 32 would handicap the script
WORDS = {"pooling": 20_000, "lstm": 10_000}
LENGTH = {"pooling": 400, "lstm": 200}


def build_pooling():
    return keras.Sequential(
        [
            keras.Input((LENGTH["pooling"],), dtype="int32"),
            keras.layers.Embedding(WORDS["pooling"], 64),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1),
        ]
    )


def build_lstm():
    return keras.Sequential(
        [
            keras.Input((LENGTH["lstm"],), dtype="int32"),
            keras.layers.Embedding(WORDS["lstm"], 32),
            keras.layers.Bidirectional(keras.layers.LSTM(32, return_sequences=True)),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(1),
        ]
    )


MODELS = {"pooling": build_pooling, "lstm": build_lstm}


def read_texts(folder, split):
    texts, labels = [], []
    with Path(folder, f"{split}.jsonl").open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            texts.append(row["text"])
            labels.append(row["label"])
    return texts, np.array(labels)


def read_arrays(path, *, words, length):
    if path.endswith(".npz"):
        with np.load(path) as data:
            return {
                split: (data[f"{split}_inputs"], data[f"{split}_labels"])
                for split in ("train", "validation", "test")
            }
    import tensorflow as tf

    splits = {split: read_texts(path, split) for split in ("train", "validation", "test")}
    vectorize = keras.layers.TextVectorization(max_tokens=words, output_sequence_length=length)
    vectorize.adapt(tf.data.Dataset.from_tensor_slices(splits["train"][0]).batch(1024))
    return {
        split: (np.asarray(vectorize(texts)).astype("int32"), labels)
        for split, (texts, labels) in splits.items()
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    splits = read_arrays(options.data, words=WORDS[options.model], length=LENGTH[options.model])
    model = MODELS[options.model]()
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)],
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
