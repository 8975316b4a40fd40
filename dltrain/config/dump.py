"""How is a resolved config written as YAML? So that reading it again gives the same config."""

from __future__ import annotations

from typing import Any

import yaml

from dltrain.config import reading
from dltrain.config.schema import RunConfig


class _Dumper(yaml.SafeDumper):
    """Quote every text that YAML 1.2 would read as something else (`1e-3`, `0o17`)."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _pattern, _first in (
    (reading.FLOAT, "-+.0123456789"),
    (reading.INTEGER, "-+0123456789"),
    (reading.OCTAL, "0"),
):
    _Dumper.add_implicit_resolver("tag:dltrain,number", _pattern, list(_first))


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    # repr gives the shortest text that reads back as the same number.
    return yaml.ScalarNode("tag:yaml.org,2002:float", repr(value))


def _represent_int(dumper: yaml.SafeDumper, value: int) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:int", str(value))


_Dumper.add_representer(float, _represent_float)
_Dumper.add_representer(int, _represent_int)


def dump_config(config: RunConfig) -> str:
    """Return the config as YAML text; keys without a value are left out."""
    data = _without_none(config.model_dump(mode="python"))
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value
