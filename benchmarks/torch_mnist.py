"""How does one train MNIST in plain PyTorch? `python torch_mnist.py MODEL DATA.npz`

The same models, data and passes as keras_mnist.py, with a hand-written loop: arrays in memory,
batches cut from a random permutation (faster than a DataLoader), the best epoch's weights saved and
loaded.
"""

from __future__ import annotations

import argparse
import copy
import time

import numpy as np
import torch
from torch import nn

BATCH_SIZE = 128
EVALUATION_BATCH_SIZE = 256


def build_dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def build_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(1600, 10),
    )


MODELS = {"dense": build_dense, "cnn": build_cnn}


def read_arrays(path):
    splits = {}
    with np.load(path) as data:
        for split in ("train", "validation", "test"):
            images = torch.from_numpy(data[f"{split}_inputs"].astype("float32") / 255)
            labels = torch.from_numpy(data[f"{split}_labels"].astype("int64"))
            splits[split] = images.permute(0, 3, 1, 2).contiguous(), labels
    return splits


@torch.no_grad()
def evaluate(model, images, labels):
    model.eval()
    right = 0
    for start in range(0, len(labels), EVALUATION_BATCH_SIZE):
        part = slice(start, start + EVALUATION_BATCH_SIZE)
        right += (model(images[part]).argmax(1) == labels[part]).sum().item()
    return right / len(labels)


def train_epoch(model, optimizer, images, labels):
    model.train()
    loss_of = nn.CrossEntropyLoss()
    total = 0.0
    for rows in torch.randperm(len(labels)).split(BATCH_SIZE):
        optimizer.zero_grad()
        loss = loss_of(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(labels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    splits = read_arrays(options.data)
    model = MODELS[options.model]()
    # Keras's epsilon; PyTorch's own would be 1e-8.
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    best = -1.0
    for epoch in range(1, options.epochs + 1):
        begun = time.perf_counter()
        loss = train_epoch(model, optimizer, *splits["train"])
        accuracy = evaluate(model, *splits["validation"])
        if accuracy > best:
            best = accuracy
            torch.save(copy.deepcopy(model.state_dict()), "best.pt")
        seconds = time.perf_counter() - begun
        print(
            f"epoch {epoch}/{options.epochs} loss {loss:.4f} validation accuracy {accuracy:.4f} "
            f"{seconds:.1f} s",
            flush=True,
        )
    model.load_state_dict(torch.load("best.pt", weights_only=True))
    for split in ("validation", "test"):
        print(f"{split} accuracy {evaluate(model, *splits[split]):.6f}")


if __name__ == "__main__":
    main()
