"""Do README.md and README.zh-CN.md say the same: sections, code, tables, figures, links?

A page is a list of pieces (headings, rows of tables, items of lists, paragraphs, blocks of code).
The two pages must have the same pieces in the same order, and each pair of pieces the same code,
numbers and links.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"


@dataclass(frozen=True)
class Piece:
    """One piece of a page, and its section; `text` keeps its line breaks."""

    section: int
    kind: str
    text: str

    def facts(self) -> dict[str, Counter[str]]:
        """Return what a translation must not change: code, numbers, the targets of links."""
        links = re.findall(r"\]\(([^)]+)\)", self.text)
        prose = re.sub(r"\]\([^)]+\)", "]", self.text)
        code = re.findall(r"`([^`]+)`", prose)
        words = re.sub(r"`[^`]+`", "", prose)
        numbers = re.findall(r"[−-]?[0-9][0-9.,]*[0-9]|[−-]?[0-9]", words)
        return {"code": Counter(code), "numbers": Counter(numbers), "links": Counter(links)}


def read_pieces(text: str) -> list[Piece]:
    """Split a page of Markdown into its pieces."""
    pieces: list[Piece] = []
    section = 0
    for kind, lines in _chunks(text):
        section += kind.startswith("heading")
        pieces.append(Piece(section, kind, "\n".join(lines)))
    return pieces


def _chunks(text: str) -> Iterator[tuple[str, list[str]]]:
    lines = iter(text.splitlines())
    paragraph: list[str] = []
    for line in lines:
        if paragraph and (not line.strip() or re.match(r"```|#|\||- ", line)):
            yield ("item" if paragraph[0].startswith("- ") else "paragraph"), paragraph
            paragraph = []
        if line.startswith("```"):
            block = [line]
            for inner in lines:
                block.append(inner)
                if inner.startswith("```"):
                    break
            yield "code", block
        elif heading := re.match(r"(#+) ", line):
            yield f"heading {len(heading[1])}", [line]
        elif line.startswith("|"):
            yield f"row of {line.count('|') - 1}", [line]
        elif line.strip():
            paragraph.append(line)
    if paragraph:
        yield ("item" if paragraph[0].startswith("- ") else "paragraph"), paragraph


def list_differences(english: str, chinese: str) -> list[str]:
    """Return a line for each place where the two pages don't say the same."""
    ours, theirs = read_pieces(english), read_pieces(chinese)
    kinds = [[(piece.section, piece.kind) for piece in pieces] for pieces in (ours, theirs)]
    if kinds[0] != kinds[1]:
        pairs = zip(kinds[0] + [(0, "nothing")], kinds[1] + [(0, "nothing")], strict=False)
        place, (left, right) = next(
            (index, pair) for index, pair in enumerate(pairs) if pair[0] != pair[1]
        )
        return [f"piece {place}: {left[1]} (section {left[0]}) against {right[1]}"]
    found = []
    for left_piece, right_piece in zip(ours, theirs, strict=True):
        if left_piece.kind == "code":
            if left_piece.text != right_piece.text:
                found.append(f"code differs: {left_piece.text!r}")
            continue
        left_facts, right_facts = left_piece.facts(), right_piece.facts()
        for name, values in left_facts.items():
            if values != right_facts[name]:
                missing = sorted((values - right_facts[name]).elements())
                added = sorted((right_facts[name] - values).elements())
                found.append(f"{left_piece.text[:40]!r}: {name} lack {missing}, add {added}")
    return found


def read_pair() -> tuple[str, str]:
    """Return both pages, with the link from each to the other made the same."""
    english, chinese = (path.read_text(encoding="utf-8") for path in (ENGLISH, CHINESE))
    assert english.count("[简体中文](README.zh-CN.md)") == 1
    assert chinese.count("[English](README.md)") == 1
    return (
        english.replace("](README.zh-CN.md)", "](other)"),
        chinese.replace("](README.md)", "](other)"),
    )


def test_the_two_readmes_say_the_same() -> None:
    assert list_differences(*read_pair()) == []


def test_every_link_of_the_chinese_readme_leads_to_a_file() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", CHINESE.read_text(encoding="utf-8"))
    assert len(links) > 15
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_chinese_readme_is_in_chinese() -> None:
    pieces = read_pieces(CHINESE.read_text(encoding="utf-8"))
    rules = re.compile(r"^[|\-: ]+$")
    foreign = [
        piece.text
        for piece in pieces
        if piece.kind != "code"
        and not re.search("[\u4e00-\u9fff]", piece.text)
        and not rules.match(piece.text)
    ]
    assert foreign == ["# dltrain", "[English](README.md)", "[Apache-2.0](LICENSE)。"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("epochs: 10", "epochs: 11"),
        ("`dltrain eval RUN`", "`dltrain evaluate RUN`"),
        ("(docs/runs.md)", "(docs/data.md)"),
        ("## 退出码", "### 退出码"),
        ("| 6 | 机器做不到所要求的：没有 GPU、磁盘已满 |\n", ""),
        ("- [docs/docker.md](docs/docker.md)：容器镜像\n", ""),
        ("1,797 个", "1,798 个"),
        ("\n[Apache-2.0](LICENSE)。\n", ""),
    ],
)
def test_each_way_of_drifting_apart_is_noticed(old: str, new: str) -> None:
    english, chinese = read_pair()
    assert old in chinese
    assert list_differences(english, chinese.replace(old, new)) != []


@pytest.mark.parametrize(
    ("figure", "other"),
    [(r"准确率 0\.\d+", "准确率 0.1"), (r"基线 −0", "基线 0"), (r"\d+ 分 \d+ 秒", "1 分 1 秒")],
)
def test_a_figure_that_drifts_is_noticed(figure: str, other: str) -> None:
    english, chinese = read_pair()
    changed = re.sub(figure, other, chinese, count=1)
    assert changed != chinese
    assert list_differences(english, changed) != []
