"""What does a preset of KerasHub hold? As far as its JSON files tell, without Keras."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Literal

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe

KERAS_HUB = "keras_hub"
PRESET_WEIGHTS = "preset"
COPY = "preset"
"""The folder of a run that holds what describes its preset, without the weights."""

SAVE_IT = (
    "Save it where there is a network, with keras_hub.models.Backbone.from_preset(NAME)"
    ".save_to_preset(FOLDER), of texts keras_hub.models.Tokenizer too, and set "
    "model.pretrained.preset to the folder."
)
"""What to do where a preset can't be fetched."""

CONFIG, METADATA = "config.json", "metadata.json"
IMAGE_CONVERTER, TOKENIZER = "image_converter.json", "tokenizer.json"
_SCHEMES = ("kaggle://", "hf://", "modelscope://")
_PATH: Path = ("model", "pretrained")
_DEFAULT_LENGTH = 400
_LEAST_LENGTH = 3  # the marks of its begin and end, and one piece between

# Where a backbone's config.json says how many features a place of its output has. Of others only
# KerasHub knows.
_FEATURES = {
    "AlbertBackbone": "hidden_dim",
    "BertBackbone": "hidden_dim",
    "DebertaV3Backbone": "hidden_dim",
    "DeiTBackbone": "hidden_dim",
    "DINOV2Backbone": "hidden_dim",
    "DistilBertBackbone": "hidden_dim",
    "ElectraBackbone": "hidden_dim",
    "FNetBackbone": "hidden_dim",
    "RobertaBackbone": "hidden_dim",
    "ViTBackbone": "hidden_dim",
    "XLMRobertaBackbone": "hidden_dim",
}
# Those without batch normalization: all that they hold can be trained.
_TRANSFORMERS = frozenset(_FEATURES)


@dataclass(frozen=True)
class PresetFacts:
    """What is known of a preset before it is loaded; None: not known.

    `folder` is None for a name or an address, of which nothing is known. `image_shape` is
    (height, width, channels), None where any will do; `converter_size` (height, width) is what the
    preset's own image converter makes of images.
    """

    folder: FilePath | None = None
    modality: Literal["image", "text"] | None = None
    class_name: str = ""
    features: int | None = None
    parameters: int | None = None
    has_converter: bool | None = None
    image_shape: tuple[int | None, ...] | None = None
    converter_size: tuple[int, int] | None = None
    vocabulary_size: int | None = None
    longest: int | None = None

    @property
    def trainable(self) -> int | None:
        """Return how many parameters can be trained, where that is all of them."""
        return self.parameters if self.class_name in _TRANSFORMERS else None

    def find_image_size(
        self, asked: list[int] | None, row_shape: tuple[int, ...]
    ) -> tuple[int, int]:
        """Return (height, width) that images are brought to before the backbone."""
        height, width = (self.image_shape or (None, None))[:2]
        if asked:
            return asked[0], asked[1]
        if height and width:
            return height, width
        return self.converter_size or (row_shape[0], row_shape[1])


def is_address(preset: str) -> bool:
    """Tell a name that KerasHub knows, and an address, from a folder, which is absolute."""
    return preset.startswith(_SCHEMES) or not FilePath(preset).is_absolute()


def read_facts(preset: str) -> PresetFacts:
    """Return what the files of a preset say. Raises ValueError, in words, if it is none.

    Nothing is known of one that is gone since its run began: see `check_preset`.
    """
    if is_address(preset):
        return PresetFacts()
    folder = FilePath(preset)
    if not folder.exists():
        return PresetFacts(has_converter=False)  # what follows from it stands in the run's config
    described = _read(folder / CONFIG)
    registered, config = described.get("registered_name"), described.get("config")
    if not str(registered).endswith("Backbone") or not isinstance(config, dict):
        if "model_type" in described or "architecture" in described:
            return PresetFacts(folder)  # of Transformers or timm: KerasHub converts it
        raise ValueError(f"{folder / CONFIG} describes no backbone of KerasHub")
    class_name = str(described["class_name"])
    parameters = _read(folder / METADATA).get("parameter_count") if _has(folder, METADATA) else None
    features = config.get(_FEATURES.get(class_name, ""))
    facts: dict[str, Any] = {
        "folder": folder,
        "class_name": class_name,
        "features": features if type(features) is int else None,
        "parameters": parameters if type(parameters) is int else None,
        "has_converter": _has(folder, IMAGE_CONVERTER),
    }
    if "image_shape" in config or facts["has_converter"]:
        converter = _read(folder / IMAGE_CONVERTER) if facts["has_converter"] else {}
        facts |= {
            "modality": "image",
            "image_shape": tuple(config["image_shape"]) if config.get("image_shape") else None,
            "converter_size": _size_of(converter.get("config", {})),
        }
    elif "vocabulary_size" in config:
        facts |= {
            "modality": "text",
            "vocabulary_size": config["vocabulary_size"],
            "longest": config.get("max_sequence_length"),
        }
    return PresetFacts(**facts)


def check_preset(raw: dict[str, Any], problems: Problems) -> None:
    """Check `preset` and `weights` of a `model.pretrained` of KerasHub; make its path absolute.

    A path is taken from the folder of the file that says it. A run's config may name a preset that
    is gone: beside it lies what describes it.
    """
    if raw.get("weights") is None:
        raw["weights"] = PRESET_WEIGHTS
    elif raw["weights"] not in (PRESET_WEIGHTS, "none"):
        problems.add(
            (*_PATH, "weights"),
            "the weights of a preset lie in it: expected preset, or none for new ones.",
            expected="preset or none",
            received=describe(raw["weights"]),
        )
        raw["weights"] = PRESET_WEIGHTS
    preset = raw.get("preset")
    if not isinstance(preset, str) or not preset:
        problems.add(
            _PATH if preset is None else (*_PATH, "preset"),
            "keras_hub needs `preset:`, a folder or a name of KerasHub.",
            hint="`bert_tiny_en_uncased` would be fetched; a folder is what save_to_preset wrote.",
            expected="a folder, or a name of KerasHub",
            received=describe(preset),
        )
        raw["preset"] = ""
        return
    if preset.startswith(_SCHEMES):
        return
    place = problems.document.place((*_PATH, "preset"))
    base = FilePath(place.source).parent if place.line else FilePath()
    path = (base / FilePath(preset).expanduser()).resolve()
    copy = (base / COPY).resolve()
    if not path.exists() and FilePath(preset).is_absolute() and (copy / CONFIG).is_file():
        return
    if path.is_dir():
        raw["preset"] = str(path)
        try:
            read_facts(str(path))
        except ValueError as error:
            problems.add(
                (*_PATH, "preset"),
                f"{path} is no preset: {error}.",
                hint="A preset is what save_to_preset of a keras_hub backbone wrote.",
                expected="the folder of a preset",
                received=describe(preset),
            )
            raw["preset"] = ""
    elif "/" in preset:
        problems.add(
            (*_PATH, "preset"),
            f"there is no folder {path}.",
            hint="A relative path is taken from the folder of the config.",
            expected="the folder of a preset, or a name of KerasHub",
            received=describe(preset),
        )
        raw["preset"] = ""


def check_preset_fits(
    asked: dict[str, Any], dataset: dict[str, Any], info: DatasetInfo, problems: Problems
) -> None:
    """Hold the preset against the data, and fill in what follows from it.

    Of a name or an address nothing is known yet; `fit` tells. The texts' vocabulary is the
    preset's, and `dataset.max_words` its size. The pixels are prepared by the model, if the preset
    has an image converter.
    """
    if not asked["preset"]:
        return
    facts = read_facts(asked["preset"])
    reads_texts = info.modality == "text" and info.reader != "npz"
    if not (reads_texts or info.modality == "image") or facts.modality not in (None, info.modality):
        kind = {"image": "images", "text": "texts"}.get(str(facts.modality), "images or texts")
        holds = "none" if facts.modality != info.modality else "the ids of them"
        problems.add(
            _PATH,
            f"this preset takes {kind}; {info.name} holds {holds}.",
            hint="Leave it out, or take another preset.",
            of_key=True,
            expected="a preset for this data",
            received=facts.class_name or str(asked["preset"]),
        )
        return
    if reads_texts:
        _check_texts(facts, dataset, problems)
        _refuse_image_size(asked, problems)
    else:
        _check_images(facts, asked, dataset, info, problems)


def _refuse_image_size(asked: dict[str, Any], problems: Problems) -> None:
    if asked["image_size"]:
        problems.add(
            (*_PATH, "image_size"),
            "image_size is for images; the data are texts.",
            of_key=True,
            expected="no image_size",
            received="image_size",
        )


def _check_texts(facts: PresetFacts, dataset: dict[str, Any], problems: Problems) -> None:
    own = {"ngrams": 1, "truncate": "end", "word_dropout": 0.0}
    if facts.vocabulary_size is not None:
        own["max_words"] = facts.vocabulary_size
    for key, value in own.items():
        if dataset.get(key) not in (None, value):
            problems.add(
                ("dataset", key),
                f"texts become ids by the preset's own tokenizer: expected {value}.",
                hint="Leave it out.",
                expected=str(value),
                received=describe(dataset[key]),
            )
        dataset[key] = value
    longest = facts.longest
    length = dataset.get("max_length")
    if length is None:
        dataset["max_length"] = min(_DEFAULT_LENGTH, longest or _DEFAULT_LENGTH)
    elif length < _LEAST_LENGTH or (longest is not None and length > longest):
        most = f" to {longest}" if longest is not None else " or more"
        problems.add(
            ("dataset", "max_length"),
            f"{facts.class_name or 'the preset'} reads {_LEAST_LENGTH}{most} pieces of a text, the "
            "marks of its begin and end among them.",
            expected=f"{_LEAST_LENGTH}{most}",
            received=describe(length),
        )


def _check_images(
    facts: PresetFacts,
    asked: dict[str, Any],
    dataset: dict[str, Any],
    info: DatasetInfo,
    problems: Problems,
) -> None:
    if facts.has_converter is not False:
        if dataset.get("normalize") not in (None, "none"):
            problems.add(
                ("dataset", "normalize"),
                "a preset's image converter prepares the pixels itself.",
                hint="Leave it out.",
                expected="none",
                received=str(dataset["normalize"]),
            )
        dataset["normalize"] = "none"
    height, width, channels = facts.image_shape or (None, None, None)
    size = asked["image_size"]
    if size and height and width and tuple(size) != (height, width):
        problems.add(
            (*_PATH, "image_size"),
            f"this preset takes images of {height} × {width} pixels, and no other.",
            hint="Leave it out: they are resized to that.",
            expected=f"[{height}, {width}]",
            received=f"{size[0]} × {size[1]}",
        )
    if channels not in (None, info.shape[-1]) and info.shape[-1] != 1:
        problems.add(
            _PATH,
            f"this preset takes images of {channels} channels; these have {info.shape[-1]}.",
            of_key=True,
            expected=f"{channels} channels",
            received=f"{info.shape[-1]} channels",
        )


def _read(path: FilePath) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"it has no {path.name}") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} can't be read ({error})") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} holds no mapping")
    return found


def _has(folder: FilePath, name: str) -> bool:
    return (folder / name).is_file()


def _size_of(converter: dict[str, Any]) -> tuple[int, int] | None:
    size = converter.get("image_size") or (converter.get("height"), converter.get("width"))
    return (int(size[0]), int(size[1])) if size[0] and size[1] else None
