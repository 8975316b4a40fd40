"""How is a resolved config written as YAML? So that reading it again gives the same config."""

from __future__ import annotations

import math
from typing import Any

import yaml

from dltrain.config import reading
from dltrain.config.schema import RunConfig, Section


class _Dumper(yaml.SafeDumper):
    """Quote every text that YAML 1.2 would read as something else (`1e-3`, `0o17`)."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# The tags must be those of the representers below: else 1e-06 is written `!!float '1e-06'`.
for _type, _pattern, _first in (
    ("float", reading.FLOAT, "-+.0123456789"),
    ("int", reading.INTEGER, "-+0123456789"),
    ("int", reading.OCTAL, "0"),
):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_type}", _pattern, list(_first))


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    # repr gives the shortest text that reads back as the same number.
    text = repr(value) if math.isfinite(value) else repr(value).replace("inf", ".inf")
    return yaml.ScalarNode("tag:yaml.org,2002:float", text.replace("nan", ".nan"))


def _represent_int(dumper: yaml.SafeDumper, value: int) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:int", str(value))


_Dumper.add_representer(float, _represent_float)
_Dumper.add_representer(int, _represent_int)


def dump_config(config: RunConfig, *, sweep: Any = None) -> str:
    """Return the config as YAML text; dltrain's own keys without a value are left out.

    `sweep` is that section's data as it was written.
    """
    data = _filled_keys(config) | ({"sweep": sweep} if sweep else {})
    return dump_data(data)


def dump_data(data: dict[str, Any]) -> str:
    """Return plain data as YAML text that reads back as the same."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _filled_keys(section: Section) -> dict[str, Any]:
    """Return what a section holds; a null inside a Keras component says something and stays."""
    return {
        key: _filled_keys(value) if isinstance(value, Section) else value
        for key, value in section
        if value is not None
    }
