"""`dltrain show`: how did a run go?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dltrain.commands.diagnosis_view import show_diagnosis
from dltrain.commands.options import RunArgument, RunsDirOption
from dltrain.errors import RunError
from dltrain.escaping import escape_unprintable
from dltrain.runs.atomic import to_json
from dltrain.runs.contents import RunContents
from dltrain.runs.find import resolve_run
from dltrain.runs.layout import DEFAULT_ROOT
from dltrain.runs.metrics import find_headline
from dltrain.runs.repeats import find_mean_headline, find_repeats

if TYPE_CHECKING:
    from rich.console import Console

# What isn't shown for want of a file.
_LOSSES = {
    "status.json": "how it stands isn't known",
    "config.yaml": "the monitored value and other runs of its kind aren't known",
    "environment.json": "its data and its device aren't known",
    "history.csv": "its curve isn't whole",
    "metrics.json": "it has no results",
    "repeats.json": "its numbers were gathered anew from the repeats",
    "model.json": "how many parameters its model has isn't known",
    "warnings.json": "what it was warned of isn't known",
    "model.keras": "`dltrain eval` can't evaluate it again",
}


def show(
    run: RunArgument,
    runs_dir: RunsDirOption = DEFAULT_ROOT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show how RUN went: its state, its curve, its results, and what is to know about them."""
    contents = RunContents(resolve_run(run, root=runs_dir))
    document = describe_run(contents)
    if document["state"] == "unknown" and not contents.splits and not contents.environment:
        raise RunError(
            f"{contents.paths.root} can't be shown: none of its files tells how it went.\n"
            + "\n".join(f"  {problem}" for problem in document["problems"]),
        )
    if as_json:
        typer.echo(to_json(document))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for name, text in _make_head(document):
        line = f"{name:<11}{escape_unprintable(text)}"
        console.print(line, markup=False, soft_wrap=not console.is_terminal)
    _show_results(console, contents, document)
    if document["diagnosis"]:
        show_diagnosis(console, document["diagnosis"])
    if document["test_uses_note"]:
        note = document["test_uses_note"]
        console.print(note, markup=False, soft_wrap=not console.is_terminal)
    for problem in document["problems"]:
        typer.echo(f"note: {escape_unprintable(problem)}", err=True)


def describe_run(contents: RunContents) -> dict[str, Any]:
    """Return the JSON-able form of a run, of which every part may be missing (null)."""
    repeats = contents.repeats
    # Of repeats, the first that began tells what all of them share.
    first = contents
    if repeats is not None and (children := find_repeats(contents.paths)):
        first = RunContents(children[0])
    status, environment = contents.status, first.environment or {}
    table, warnings, uses = first.model_table or {}, first.warnings, contents.test_uses
    whole = contents.paths.whole
    document: dict[str, Any] = {
        "run": str(contents.paths.root),
        "name": contents.paths.name,
        "repeat_of": str(whole.root) if whole else None,
        "state": contents.state,
        "reason": _explain_state(contents),
        "stopped_by": status.stopped_by if status else None,
        "data": contents.data,
        "dataset": (environment.get("dataset") or {}).get("name"),
        "rows": environment.get("rows"),
        "device": (environment.get("device") or {}).get("name"),
        "seed": environment.get("seed"),
        "started_at": status.started_at if status else None,
        "seconds": round(status.elapsed_seconds, 3) if status else None,
        "train_seconds": None,
        "epochs_done": status.epochs_done if status else None,
        "epochs_goal": status.epochs_goal if status else None,
        "monitor": contents.monitor if contents.config_text is not None else None,
        "best_epoch": None,
        "parameters": table.get("parameters"),
        "warnings": None
        if warnings is None
        else {key: len(warnings.get(key) or ()) for key in ("check", "training")},
        "headline": None,
        "splits": {},
        "history": [],
        "repeats": None,
        "diagnosis": None,
    }
    if repeats is not None:
        done = [row for row in repeats["repeats"] if row["train_seconds"] is not None]
        document["train_seconds"] = sum(row["train_seconds"] for row in done) if done else None
        document["headline"] = _describe_mean(repeats)
        document["repeats"] = {key: repeats[key] for key in ("goal", "done", "repeats", "splits")}
    else:
        has_ended = contents.state == "finished" or contents.paths.metrics.exists()
        document["splits"] = contents.splits if has_ended else {}
        document["history"] = list(contents.history)
        document["train_seconds"] = contents.train_seconds if has_ended else None
        document["best_epoch"] = contents.best_epoch if has_ended else None
        document["headline"] = _describe_headline(document["splits"])
        document["diagnosis"] = contents.diagnosis if has_ended else None
    report = contents.paths.report
    return document | {
        "report": str(report) if report.is_file() else None,
        "test_uses": uses.configs if uses else None,
        "test_uses_note": uses.sentence if uses else "",
        "problems": _list_problems(contents, first),
    }


def _explain_state(contents: RunContents) -> str:
    if contents.status is None:
        return ""
    if contents.state == "killed":
        return f"its process {contents.status.pid} is gone without a word"
    return contents.status.reason


def _describe_headline(splits: dict[str, Any]) -> dict[str, Any] | None:
    found = find_headline(splits)
    if found is None:
        return None
    split, metric, value = found
    number, baseline = splits[split][metric], splits[split].get("baseline") or {}
    return {
        "split": split,
        "metric": metric,
        "value": value,
        "low": number.get("low"),
        "high": number.get("high"),
        "std": None,
        "baseline": (baseline.get(metric) or {}).get("value"),
    }


def _describe_mean(repeats: dict[str, Any]) -> dict[str, Any] | None:
    found = find_mean_headline(repeats["splits"])
    if found is None:
        return None
    split, metric, number = found
    baseline = repeats["splits"][split].get("baseline") or {}
    return {
        "split": split,
        "metric": metric,
        "value": number["mean"],
        "low": None,
        "high": None,
        "std": number["std"],
        "baseline": (baseline.get(metric) or {}).get("mean"),
    }


def _list_problems(contents: RunContents, first: RunContents) -> list[str]:
    """Return a sentence for each file that can't be read, with what isn't shown for it."""
    found = list(dict.fromkeys([*contents.problems, *first.problems]))
    if contents.state == "finished" and contents.repeats is None:
        model = contents.paths.model
        if not model.is_file():
            found.append(f"{model} is missing.")
    return [_add_loss(problem) for problem in found]


def _add_loss(problem: str) -> str:
    for name, loss in _LOSSES.items():
        if f"/{name}" in problem or problem.startswith(name):
            return f"{problem.rstrip('.')}; {loss}."
    return problem


def _make_head(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Return name and text of each line above the curve; what isn't known is left out."""
    found = [("run", document["run"])]
    if document["repeat_of"]:
        found.append(("repeat of", document["repeat_of"]))
    reason = f": {document['reason']}" if document["reason"] else ""
    found.append(("state", document["state"] + reason))
    found += _describe_data(document)
    found += _describe_training(document)
    if document["parameters"] is not None:
        found.append(("parameters", f"{document['parameters']:,}"))
    if document["warnings"] is not None:
        check, training = document["warnings"]["check"], document["warnings"]["training"]
        text = f"{check} from check, {training} from the training; see warnings.json"
        found.append(("warnings", text if check or training else "none"))
    if document["headline"] is not None:
        found.append(("result", _format_headline(document)))
    found.append(("report", document["report"] or "none"))
    return found


def _describe_data(document: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    rows = ", ".join(f"{count:,} {split}" for split, count in (document["rows"] or {}).items())
    if document["dataset"]:
        found.append(("dataset", document["dataset"] + (f": {rows} rows" if rows else "")))
    if document["data"] not in (None, "real"):
        kind = "few rows" if document["data"] == "subset" else "rows made up"
        found.append(("smoke run", f"on {kind}: its numbers mean nothing"))
    if document["device"]:
        found.append(("device", document["device"]))
    if document["seed"] is not None:
        text = str(document["seed"])
        if document["repeats"]:
            text += f" to {document['seed'] + document['repeats']['goal'] - 1}"
        found.append(("seed", text))
    return found


def _describe_training(document: dict[str, Any]) -> list[tuple[str, str]]:
    from dltrain.commands.runs import format_seconds

    found = []
    if document["seconds"] is not None:
        text = format_seconds(document["seconds"])
        if document["train_seconds"] is not None:
            text += f", of which {format_seconds(document['train_seconds'])} were epochs"
        found.append(("duration", text))
    if document["repeats"]:
        repeats = document["repeats"]
        found.append(("repeats", f"{repeats['done']} of {repeats['goal']} are done"))
    elif document["epochs_done"] is not None:
        text = f"{document['epochs_done']} of {document['epochs_goal']}"
        if document["best_epoch"]:
            text += f", the best {document['best_epoch']}"
            text += f" by {document['monitor']}" if document["monitor"] else ""
        found.append(("epochs", text))
    return found


def _format_headline(document: dict[str, Any]) -> str:
    headline = document["headline"]
    text = f"{headline['split']} {headline['metric']} {headline['value']:.4f}"
    if headline["std"] is not None:
        text += f" ± {headline['std']:.4f} over {document['repeats']['done']} repeats"
    if headline["low"] is not None and headline["high"] is not None:
        text += f" (95%: {headline['low']:.4f} to {headline['high']:.4f})"
    if headline["baseline"] is not None:
        text += f"; baseline {headline['baseline']:.4f}"
    return text


def _show_results(console: Console, contents: RunContents, document: dict[str, Any]) -> None:
    from dltrain.commands.curve_view import show_curves
    from dltrain.commands.repeats_table import show_repeats
    from dltrain.evaluation.table import make_results_table

    if contents.repeats is not None:
        show_repeats(console, contents.repeats)
        return
    if len(document["history"]) > 1:
        console.print()
        best = document["best_epoch"] or 0
        monitor = document["monitor"] or "loss"
        show_curves(console, document["history"], monitor=monitor, best_epoch=best)
    for split, scores in document["splits"].items():
        console.print(make_results_table(scores, split=split))
