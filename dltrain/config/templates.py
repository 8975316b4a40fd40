"""Which configs to start from does dltrain bring, and what does each show?

They are the files of `dltrain/templates/`: the first line is for editors in a checkout, the second
says what the template shows, in a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dltrain.catalog.suggest import nearest
from dltrain.errors import UsageError

FOLDER = Path(__file__).parents[1] / "templates"
DEFAULT_TEMPLATE = "mlp"


@dataclass(frozen=True)
class Template:
    """A config to start from: `text` is what `dltrain init` writes."""

    name: str
    summary: str
    text: str


def template_names() -> list[str]:
    """Return the names of the templates, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_template(name: str) -> Template:
    """Return the template called `name`. Raises UsageError, with the nearest name."""
    names = template_names()
    if name not in names:
        near = nearest(name, names)
        raise UsageError(
            f"There is no template '{name}'.",
            hint=f"Did you mean '{near}'?" if near else f"The templates are: {', '.join(names)}.",
        )
    # The path to the schema is right in a checkout only.
    _, _, text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")
    summary = text.partition("\n")[0].removeprefix("# ")
    return Template(name, summary, text)


def read_templates() -> list[Template]:
    """Return all templates, in alphabetical order."""
    return [read_template(name) for name in template_names()]
