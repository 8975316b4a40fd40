"""How do texts become the ids that a preset of KerasHub knows? By its own tokenizer.

It runs inside tf.data, on tensorflow-text: KerasHub's way in Python alone took 30 ms for a text of
230 words.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.keras_hub import KERAS_HUB, SAVE_IT, is_address
from dltrain.config.schema import RunConfig
from dltrain.data.store import is_offline
from dltrain.errors import DataError, MachineError

Ids = npt.NDArray[np.int32]

KEY = "keras_hub_preset"
_CHUNK = 256
_MARKS = 2  # of the begin and the end of a text


@dataclass(frozen=True)
class PresetTokenizer:
    """Turn texts into ids, with the marks of their begin and end, padded to `max_length`.

    `preset` is a folder or what KerasHub fetches; None: `files`, by their names in a preset's
    folder, stand for it. Nothing is read or imported before the first text.
    """

    preset: str | None
    max_length: int
    files: Mapping[str, bytes] | None = None

    @property
    def padding_id(self) -> int:
        """Return the id that fills up a short text."""
        return int(self._preprocessor.tokenizer.pad_token_id)

    def encode(self, texts: Sequence[str]) -> Ids:
        """Return `(n, max_length)` int32 ids; the end of a long text is cut off."""
        import tensorflow as tf

        preprocessor = self._preprocessor
        if not texts:
            return np.empty((0, self.max_length), dtype=np.int32)
        rows = tf.data.Dataset.from_tensor_slices(tf.constant(list(texts), tf.string))
        batches = rows.batch(_CHUNK).map(
            lambda batch: preprocessor(batch)["token_ids"], num_parallel_calls=tf.data.AUTOTUNE
        )
        return np.concatenate([ids.numpy() for ids in batches]).astype(np.int32)

    def split(self, text: str) -> tuple[list[str], list[bool], int]:
        """Return a text's pieces, which of them are known, and how many of them the model sees."""
        tokenizer = self._preprocessor.tokenizer
        ids = [int(number) for number in np.asarray(tokenizer(text))]
        pieces = [str(tokenizer.id_to_token(number)) for number in ids]
        unknown = getattr(tokenizer, "oov_token", None)
        return pieces, [piece != unknown for piece in pieces], self.max_length - _MARKS

    def to_str(self) -> str:
        """Return the JSON that `read_preset_tokenizer` makes the same of, without the preset."""
        files = self.files or self._save()
        return json.dumps(
            {
                KEY: {name: base64.b64encode(content).decode() for name, content in files.items()},
                "max_length": self.max_length,
            }
        )

    @cached_property
    def _preprocessor(self) -> Any:
        """Load it. Raises MachineError without keras-hub, DataError if the preset has none."""
        if find_spec("keras_hub") is None:
            raise MachineError(
                "the tokenizer of a preset of KerasHub needs the package keras-hub, which isn't "
                "installed.",
                hint="pip install 'dltrain[keras-hub]'",
            )
        if find_spec("tensorflow_text") is None:
            raise MachineError(
                "the tokenizer of a preset of KerasHub needs the package tensorflow-text, which "
                "isn't installed.",
                hint="pip install tensorflow-text; there is none for Windows.",
            )
        import keras  # noqa: F401  (first: another thread may be importing it)
        import keras_hub

        kind = keras_hub.models.TextClassifierPreprocessor
        try:
            with tempfile.TemporaryDirectory() as temporary:
                preset = self.preset
                if self.files is not None:
                    preset = temporary
                    _write(self.files, Path(temporary))
                preprocessor = kind.from_preset(preset, sequence_length=self.max_length)
            preprocessor([""])  # makes what packs the ids, outside of tf.data
        except Exception as error:  # kagglehub, Hugging Face, JSON and Keras each raise their own
            text = str(error).strip()
            detail = text.splitlines()[0] if text else type(error).__name__
            raise DataError(
                f"the preset {self.preset or 'of the run'} gives no tokenizer of texts: "
                f"{detail[:200]}",
                hint="Its folder needs tokenizer.json and assets/, as save_to_preset of KerasHub's "
                "tokenizer writes them, of a model that KerasHub has a TextClassifier for.",
            ) from error
        return preprocessor

    def _save(self) -> dict[str, bytes]:
        import keras

        preprocessor = self._preprocessor
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            preprocessor.save_to_preset(str(folder))
            found = {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            }
        # KerasHub looks there which model the tokenizer belongs to.
        name = keras.saving.get_registered_name(preprocessor.backbone_cls)
        found["config.json"] = json.dumps({"registered_name": name}).encode()
        return found


def check_preset_can_be_had(preset: str, *, offline: bool) -> None:
    """Raise DataError for a folder that is gone, and for a name where nothing may be fetched."""
    if not is_address(preset) and not Path(preset).is_dir():
        raise DataError(
            f"the preset {preset} is gone; what a run keeps of it has no weights.",
            hint="Put it back, or set model.pretrained.preset to another.",
        )
    if is_address(preset) and is_offline(offline):
        raise DataError(
            f"the preset {preset} would be fetched, and the network is forbidden (--offline, "
            "DLTRAIN_OFFLINE, or a smoke run).",
            hint=SAVE_IT,
        )


def is_of_preset(tokenizer: Any) -> bool:
    """Tell the tokenizer of a preset from one of the training rows' words."""
    return isinstance(tokenizer, PresetTokenizer)


def make_preset_tokenizer(
    config: RunConfig, info: DatasetInfo, *, offline: bool
) -> PresetTokenizer | None:
    """Return the tokenizer of the preset that `model.pretrained` names, of data that are texts.

    Raises DataError as `check_preset_can_be_had` does.
    """
    asked = config.model.pretrained
    if asked is None or asked.type != KERAS_HUB or info.modality != "text":
        return None
    check_preset_can_be_had(asked.preset or "", offline=offline)
    return PresetTokenizer(asked.preset, max_length=config.dataset.max_length or 0)


def read_preset_tokenizer(record: Mapping[str, Any]) -> PresetTokenizer:
    """Return the tokenizer that `to_str` wrote down. Raises ValueError if it is damaged."""
    try:
        files = {
            str(name): base64.b64decode(content, validate=True)
            for name, content in record[KEY].items()
        }
        length = record["max_length"]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("it is no tokenizer of a preset") from error
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise ValueError(f"it names a file outside of a preset: {name}")
    if type(length) is not int or length <= _MARKS:
        raise ValueError("its max_length is no length")
    return PresetTokenizer(None, max_length=length, files=files)


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
