"""How do the commands that don't train start quickly? By leaving out what nobody needs."""

from __future__ import annotations

import gc
import os
import sys
import types


def pause_garbage_collection() -> None:
    """Collect no garbage until `gc.enable()`: a tenth of `check` would be finding none."""
    gc.disable()


def skip_pydantic_plugins() -> None:
    """Keep pydantic from looking for plugins. To be called before it builds its first model.

    It would import `importlib.metadata`, and with it some forty modules (`email`, `zipfile`, …), to
    ask every installed package for plugins. The setting alone saves the asking; the stand-in for
    the module that asks saves the import too, and is no more than unused where pydantic has none
    of that name.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if os.environ["PYDANTIC_DISABLE_PLUGINS"] != "__all__":
        return
    loader = types.ModuleType("pydantic.plugin._loader")
    loader.get_plugins = lambda: ()  # type: ignore[attr-defined]
    sys.modules.setdefault(loader.__name__, loader)
