"""Are docs/concepts.md and its Chinese twin what the glossary says?"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dltrain.glossary.texts import LANGS, Lang, concepts

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "generate_concepts.py"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_concepts", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("lang", LANGS)
def test_the_committed_page_is_what_the_glossary_says(generator: ModuleType, lang: Lang) -> None:
    page = generator.PAGES[lang].read_text(encoding="utf-8")
    assert page == generator.render(lang), "Run: python scripts/generate_concepts.py"
    for concept in concepts().values():
        assert page.count(f"\n| {concept.title(lang)} |") == 1


def test_check_exits_0_while_the_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_check_names_a_page_that_is_stale(
    generator: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stale = tmp_path / "concepts.md"
    stale.write_text("old")
    monkeypatch.setitem(generator.PAGES, "en", stale)
    monkeypatch.setattr(sys, "argv", ["generate_concepts.py", "--check"])
    assert generator.main() == 1
    assert capsys.readouterr().out == (
        f"{stale} is not what the glossary says. Run: python scripts/generate_concepts.py\n"
    )
