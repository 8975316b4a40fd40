"""Make presets of KerasHub with new weights, some kilobytes large, as its save_to_preset does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
    *("the", "movie", "good", "bad", "##ing", ".", ",", "!"),
)
TEXT_OPTIONS: dict[str, Any] = {
    "vocabulary_size": len(VOCABULARY),
    "num_layers": 2,
    "num_heads": 2,
    "hidden_dim": 16,
    "intermediate_dim": 32,
    "max_sequence_length": 24,
}
# What makes 0 to 255 of pixels into the inputs of `save_resnet`'s backbone.
SCALE, OFFSET = [1 / 51, 1 / 76.5, 1 / 255], [-1.0, -0.5, 0.0]


def save_bert(folder: Path, *, kind: str = "Bert") -> Any:
    """Save a Bert or DistilBert with its tokenizer; return the backbone."""
    import keras_hub

    backbone = getattr(keras_hub.models, f"{kind}Backbone")(**TEXT_OPTIONS)
    backbone.save_to_preset(str(folder))
    tokenizer = getattr(keras_hub.models, f"{kind}Tokenizer")
    tokenizer(vocabulary=list(VOCABULARY), lowercase=True).save_to_preset(str(folder))
    return backbone


def save_resnet(folder: Path, *, converts: bool = True) -> Any:
    """Save a ResNet of two blocks with its image converter, of 12 × 16 pixels; return it."""
    import keras_hub

    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 16],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        use_pre_activation=False,
    )
    backbone.save_to_preset(str(folder))
    if converts:
        keras_hub.layers.ResNetImageConverter(
            image_size=(12, 16), scale=SCALE, offset=OFFSET, crop_to_aspect_ratio=False
        ).save_to_preset(str(folder))
    return backbone


def save_vit(folder: Path) -> Any:
    """Save a vision transformer of images of 16 × 16 pixels, without an image converter."""
    import keras_hub

    backbone = keras_hub.models.ViTBackbone(
        image_shape=(16, 16, 3),
        patch_size=8,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        mlp_dim=32,
    )
    backbone.save_to_preset(str(folder))
    return backbone
