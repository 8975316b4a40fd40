"""How does one train MNIST in Lightning? `python lightning_mnist.py MODEL DATA.npz`

The models and data of torch_mnist.py under Lightning's Trainer with its defaults, but for the
progress bar and the logger, which the other sides have not. Batches are cut whole from arrays in
memory by a BatchSampler, much faster than row by row.
"""

from __future__ import annotations

import argparse
import logging

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
)
from torch_mnist import BATCH_SIZE, EVALUATION_BATCH_SIZE, MODELS, read_arrays


class Classifier(lightning.LightningModule):
    def __init__(self, network):
        super().__init__()
        self.network = network
        self.loss_of = nn.CrossEntropyLoss()

    def training_step(self, batch, batch_index):
        images, labels = batch
        loss = self.loss_of(self.network(images), labels)
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch, batch_index):
        images, labels = batch
        accuracy = (self.network(images).argmax(1) == labels).float().mean()
        self.log("accuracy", accuracy, batch_size=len(labels))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3, eps=1e-7)


class PrintEpoch(Callback):
    def on_train_epoch_end(self, trainer, module):
        values = {name: f"{float(value):.4f}" for name, value in trainer.callback_metrics.items()}
        print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs} {values}", flush=True)


def make_loader(images, labels, *, batch_size, shuffle):
    rows = TensorDataset(images, labels)
    order = RandomSampler(rows) if shuffle else SequentialSampler(rows)
    return DataLoader(rows, sampler=BatchSampler(order, batch_size, False), batch_size=None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()

    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    lightning.seed_everything(options.seed)
    splits = read_arrays(options.data)
    module = Classifier(MODELS[options.model]())
    loaders = {
        split: make_loader(*splits[split], batch_size=EVALUATION_BATCH_SIZE, shuffle=False)
        for split in ("validation", "test")
    }
    keeper = ModelCheckpoint(dirpath=".", filename="best", monitor="accuracy", mode="max")
    trainer = lightning.Trainer(
        max_epochs=options.epochs,
        accelerator="cpu",
        callbacks=[keeper, PrintEpoch()],
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=False,
    )
    trainer.fit(
        module,
        make_loader(*splits["train"], batch_size=BATCH_SIZE, shuffle=True),
        loaders["validation"],
    )
    for split, loader in loaders.items():
        (scores,) = trainer.validate(ckpt_path="best", dataloaders=loader, verbose=False)
        print(f"{split} accuracy {scores['accuracy']:.6f}")


if __name__ == "__main__":
    main()
