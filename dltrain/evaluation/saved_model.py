"""How is a run's model.keras loaded, and what is said if it is damaged?"""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dltrain.errors import MachineError, RunError


def load_saved_model(path: Path) -> Any:
    """Return the Keras model in `path`, not compiled. Raises RunError if it can't be loaded."""
    import keras

    if not path.is_file():
        raise RunError(f"{path} doesn't exist.", hint="Did the run finish an epoch?")
    try:
        # safe_mode refuses whatever would run code from the file.
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zip, JSON, HDF5 and Keras each raise their own
        if find_spec("keras_hub") is None and _names_keras_hub(path):
            raise MachineError(
                f"{path} begins with a preset of KerasHub, and the package keras-hub isn't "
                "installed.",
                hint="pip install 'dltrain[keras-hub]'",
            ) from error
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(
            f"{path} can't be loaded: it is damaged, or no model of Keras ({detail[:200]}).",
            hint="Train again: dltrain fit " + str(path.with_name("config.yaml")),
        ) from error


def _names_keras_hub(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as file:
            return b"keras_hub>" in file.read("config.json")
    except (OSError, zipfile.BadZipFile, KeyError):
        return False
