"""How is a run's model.keras loaded, and what is said if it is damaged?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dltrain.errors import RunError


def load_saved_model(path: Path) -> Any:
    """Return the Keras model in `path`, not compiled. Raises RunError if it can't be loaded."""
    import keras

    if not path.is_file():
        raise RunError(f"{path} doesn't exist.", hint="Did the run finish an epoch?")
    try:
        # safe_mode refuses whatever would run code from the file.
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zip, JSON, HDF5 and Keras each raise their own
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(
            f"{path} can't be loaded: it is damaged, or no model of Keras ({detail[:200]}).",
            hint="Train again: dltrain fit " + str(path.with_name("config.yaml")),
        ) from error
