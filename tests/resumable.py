"""Which trainings put a resume to the test? Everything that keeps something from step to step."""

from __future__ import annotations

from typing import Any

COSINE: dict[str, Any] = {
    "name": "cosine",
    "seed": 7,
    "dataset": {
        "name": "digits",
        "validation_split": 0.2,
        "augment": [
            {"type": "random_flip", "mode": "horizontal"},
            {"type": "random_translation", "height_factor": 0.1, "width_factor": 0.1},
        ],
    },
    "model": {
        "layers": [
            {"type": "conv2d", "filters": 4, "kernel_size": 3},
            "batch_normalization",
            {"type": "activation", "activation": "relu"},
            "flatten",
            {"type": "dropout", "rate": 0.3},
            {"type": "dense", "units": 10},
        ]
    },
    "loss": "cross_entropy",
    "optimizer": {
        "type": "adamw",
        "learning_rate": {"type": "cosine_decay", "initial_learning_rate": 0.03, "decay_steps": 90},
        "gradient_accumulation_steps": 2,
    },
    "metrics": ["accuracy"],
    "training": {
        "batch_size": 128,
        "epochs": 12,
        # Nine steps an epoch, the last of them smaller. Gradients are applied every second step, so
        # that some checkpoints fall between two.
        "checkpoint": {"every_steps": 3, "every_epochs": 1},
        # The loss begins near 2.3: it can't fall by 0.3 in each of twelve epochs, wherever it runs.
        "early_stopping": {"monitor": "val_loss", "patience": 1, "min_delta": 0.3},
    },
}

PLATEAU: dict[str, Any] = {
    **COSINE,
    "name": "plateau",
    "optimizer": {
        "type": "adam",
        "learning_rate": 0.02,
        "gradient_accumulation_steps": 2,
        "use_ema": True,
        "ema_overwrite_frequency": 4,
    },
    "training": {
        **COSINE["training"],
        "early_stopping": {"monitor": "val_loss", "patience": 2, "min_delta": 0.3},
        "reduce_lr_on_plateau": {"monitor": "val_loss", "patience": 0, "min_delta": 0.3},
    },
}

# Two phases of other layers, each with an optimizer of its own. The gradients of an odd step wait
# for those of the next, also where a phase ends; the averages of use_ema begin anew.
PHASES: dict[str, Any] = {
    **COSINE,
    "name": "phases",
    "optimizer": {
        "type": "adam",
        "learning_rate": 0.02,
        "gradient_accumulation_steps": 2,
        "use_ema": True,
    },
    "training": {
        **COSINE["training"],
        "early_stopping": {"min_delta": 0.3, "patience": 2, "start_from_epoch": 4},
        "phases": [
            {"epochs": 3, "trainable": ["conv2d", "dense"]},
            {
                "epochs": 9,
                "learning_rate": {
                    "type": "cosine_decay",
                    "initial_learning_rate": 0.01,
                    "decay_steps": 90,
                },
                "trainable": ["batch_normalization", "dense"],
            },
        ],
    },
}

CONFIGS = {"cosine": COSINE, "plateau": PLATEAU, "phases": PHASES}
