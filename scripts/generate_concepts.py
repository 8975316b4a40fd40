"""Write docs/concepts.md and docs/concepts.zh-CN.md, the map from idea to key, from the glossary.

python scripts/generate_concepts.py           # --check only compares, and exits 1 if they differ
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dltrain.glossary.entries import ConceptEntry, make_map
from dltrain.glossary.texts import LANGS, Lang

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES: dict[Lang, Path] = {"en": DOCS / "concepts.md", "zh": DOCS / "concepts.zh-CN.md"}

_HEADS: dict[Lang, str] = {
    "en": """# From idea to key

[简体中文](concepts.zh-CN.md)

Where a config says what a tutorial teaches. `dltrain describe overfitting` explains an idea in a
paragraph, with lines to copy; it knows every key, and every name of Keras, too. This page is
written by `scripts/generate_concepts.py` from `dltrain/glossary/`.
""",
    "zh": """# 从概念到键

[English](concepts.md)

教程里的概念在配置中写在哪里。`dltrain describe 过拟合` 用一段话解释一个概念，
并给出可复制的配置；它也认识所有的键和 Keras 的所有名字。
本页由 `scripts/generate_concepts.py` 根据 `dltrain/glossary/` 写出。
""",
}
_COLUMNS: dict[Lang, tuple[str, str, str]] = {
    "en": ("idea", "keys and commands", "names of Keras"),
    "zh": ("概念", "键和命令", "Keras 的名字"),
}
_NOT_YET: dict[Lang, str] = {"en": "no key in this version", "zh": "此版本尚无对应的键"}


def main() -> int:
    """Write both pages, or compare them with what would be written."""
    parser = argparse.ArgumentParser(description="Write docs/concepts.md and its Chinese twin.")
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    stale = [
        path
        for lang, path in PAGES.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != render(lang)
    ]
    if check:
        for path in stale:
            print(f"{path} is not what the glossary says. Run: python scripts/generate_concepts.py")
        return 1 if stale else 0
    for lang in LANGS:
        PAGES[lang].write_text(render(lang), encoding="utf-8")
    return 0


def render(lang: Lang) -> str:
    """Return the page in `lang`."""
    parts = [_HEADS[lang]]
    for chapter in make_map(lang):
        rows = [_COLUMNS[lang], ("---",) * 3, *(_row(each, lang) for each in chapter.concepts)]
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        parts.append(f"## {chapter.title}\n\n{table}\n")
    return "\n".join(parts)


def _row(concept: ConceptEntry, lang: Lang) -> tuple[str, str, str]:
    keys = [*concept.keys, *(f"dltrain {command}" for command in concept.commands)]
    names = [component.name for component in concept.components]
    where = _code(keys) if concept.supported else _NOT_YET[lang]
    return concept.title, where, _code(names)


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


if __name__ == "__main__":
    sys.exit(main())
