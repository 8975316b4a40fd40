"""Which packages does dltrain need, one a line? Read from pyproject.toml, for the Dockerfile.

Usage: python scripts/list_requirements.py cpu|gpu

With this list, and not the package itself, the image's layer that holds TensorFlow stays as it is
until a requirement changes.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def list_requirements(variant: str) -> list[str]:
    """Return the requirements of the `cpu` or the `gpu` variant. Raises SystemExit for another."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {"cpu": [], "gpu": project["optional-dependencies"]["gpu"]}
    if variant not in extras:
        raise SystemExit(f"VARIANT is {variant!r}: expected one of {', '.join(extras)}")
    return [*project["dependencies"], *extras[variant]]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    print("\n".join(list_requirements(sys.argv[1])))
