"""Does no command ever ask a question? Each is run with stdin closed, and the code is looked at."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml
from processes import run_dltrain
from tiny_runs import REGRESSION

import dltrain
from dltrain.cli import Commands
from dltrain.commands.lazy import load_command

# A command line for each command that ends soon, and the exit code it ends with.
COMMANDS = {
    "fit": (["fit", "config.yaml", "--set", "training.epochs=x"], 2),
    "smoke": (["smoke", "absent"], 2),
    "sweep run": (["sweep", "absent.yaml"], 2),
    "sweep show": (["sweep", "show", "absent"], 2),
    "sweep report": (["sweep", "report", "absent"], 2),
    "eval": (["eval", "absent"], 2),
    "explain": (["explain", "absent"], 2),
    "predict": (["predict", "absent", "-"], 2),
    "export": (["export", "absent", "--format", "savedmodel"], 2),
    "plot": (["plot", "absent"], 2),
    "report": (["report", "absent"], 2),
    "check": (["check", "config.yaml"], 0),
    "describe": (["describe"], 0),
    "compare": (["compare", "absent", "lost"], 2),
    "diff": (["diff", "config.yaml", "config.yaml"], 0),
    "init": (["init"], 0),
    "schema": (["schema"], 0),
    "runs": (["runs"], 0),
    "show": (["show", "absent"], 2),
    "data list": (["data", "list"], 0),
    "data fetch": (["data", "fetch", "mnist", "--offline"], 3),
    "data add": (["data", "add", "mnist", "absent"], 3),
    "data path": (["data", "path"], 0),
    "data show": (["data", "show", "absent.yaml"], 2),
}

_ASKING = {"input", "prompt", "confirm", "getpass", "getch", "getchar", "pause", "ask"}


def test_the_commands_below_are_all_there_are() -> None:
    def walk(command: object, name: str) -> list[str]:
        children = getattr(command, "commands", None)
        if children is None:
            return [name]
        return [leaf for key, child in children.items() for leaf in walk(child, f"{name} {key}")]

    commands = {name: load_command(name, entry) for name, entry in Commands.table.items()}
    leaves = {leaf for name, command in commands.items() for leaf in walk(command, name)}
    assert leaves == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_ends_by_itself_with_stdin_closed(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(REGRESSION))
    arguments, code = COMMANDS[name]
    result = run_dltrain(*arguments, folder=tmp_path, timeout=60)
    assert result.code == code, result.err
    for text in (result.out, result.err):
        assert not [char for char in text if ord(char) < 32 and char != "\n"]
    assert "Traceback" not in result.err


def test_nothing_in_the_code_can_ask() -> None:
    asking = []
    for path in Path(dltrain.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                if ast.unparse(called) == "self._study.ask":  # Optuna's: for a trial
                    continue
                name = getattr(called, "id", getattr(called, "attr", ""))
                keywords = {
                    keyword.arg
                    for keyword in node.keywords
                    if not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
                }
                if name in _ASKING or keywords & {"prompt", "confirmation_prompt"}:
                    asking.append(f"{path.name}:{node.lineno}")
    assert asking == []
