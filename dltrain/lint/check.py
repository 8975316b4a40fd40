"""What trains badly in a config? All rules run, less what its comments silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from dltrain.catalog.suggest import nearest
from dltrain.config.document import Document
from dltrain.config.load import LoadedConfig
from dltrain.config.paths import format_path
from dltrain.lint.comments import Order, read_orders
from dltrain.lint.finding import Finding, Rule
from dltrain.lint.rules import COMMENT_TITLES, RULES, UNKNOWN, UNNEEDED, UNREADABLE


def find_lints(loaded: LoadedConfig, *, rules: Sequence[Rule] = RULES) -> tuple[Finding, ...]:
    """Return what trains badly in a valid config, in file order."""
    document = loaded.document
    found = dict.fromkeys(_run(loaded, rules))  # a block used twice gives the same note twice
    orders = [
        order
        for source, text in document.texts.items()
        for order in read_orders(text, source=source)
    ]
    silenced = [
        (order, finding) for order in orders for finding in found if order.silences(finding)
    ]
    kept = found.keys() - {finding for _, finding in silenced}
    used = {(order, finding.code) for order, finding in silenced}
    return tuple(_in_file_order([*kept, *_judge_orders(orders, used, document, rules)], document))


def _run(loaded: LoadedConfig, rules: Sequence[Rule]) -> Iterator[Finding]:
    for rule in rules:
        for note in rule.find(loaded):
            place = loaded.document.place(note.path)
            yield Finding(
                rule.code,
                rule.title,
                place.source,
                place.line,
                place.column,
                format_path(note.path),
                note.why,
                note.fix,
            )


def _judge_orders(
    orders: Sequence[Order],
    used: Collection[tuple[Order, str]],
    document: Document,
    rules: Sequence[Rule],
) -> Iterator[Finding]:
    """Yield what is wrong with the comments themselves."""
    by_code = {rule.code: rule for rule in rules}
    for order in orders:
        if order.codes is None:
            yield _about(
                order,
                UNREADABLE,
                "a comment that begins with `dltrain:` must say which lints to ignore.",
                "Write `# dltrain: ignore[DL101]`, or with several codes `ignore[DL101, DL203]`.",
            )
            continue
        for code in dict.fromkeys(order.codes):
            rule = by_code.get(code)
            if rule is None:
                near = nearest(code, by_code)
                yield _about(
                    order,
                    UNKNOWN,
                    f"there is no lint '{code}', so the comment silences nothing.",
                    f"Did you mean {near}?" if near else "docs/lint.md lists the codes.",
                )
            elif (order, code) not in used and _must_be_used(order, rule, document):
                where = "in this file" if order.line_silenced is None else "there"
                yield _about(
                    order,
                    UNNEEDED,
                    f"{code} ({rule.title}) finds nothing {where} that the comment could silence.",
                    f"Leave {code} out, or put the comment on the line of the finding, or above.",
                )


def _must_be_used(order: Order, rule: Rule, document: Document) -> bool:
    """Say whether a comment that silences nothing is surely there for nothing.

    Another file or a flag may have replaced the value that it is about, and another machine may be
    the one that needs it.
    """
    flags = any(not place.line for place in document.values.values())
    return order.source == document.source and not flags and not rule.of_machine


def _about(order: Order, code: str, why: str, fix: str) -> Finding:
    return Finding(code, COMMENT_TITLES[code], order.source, order.line, order.column, "", why, fix)


def _in_file_order(findings: Iterable[Finding], document: Document) -> list[Finding]:
    """Sort by file (the main one first), line and column; what flags brought comes last."""
    order = document.order

    def rank(finding: Finding) -> tuple[int, int, int, str, str]:
        known = finding.source in order and bool(finding.line)
        place = order.index(finding.source) if known else len(order)
        return place, finding.line, finding.column, finding.code, finding.key

    return sorted(findings, key=rank)
