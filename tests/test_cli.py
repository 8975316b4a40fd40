"""Does every error become one message and its exit code, and do light commands stay light?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_runs import Result

import dltrain as package
from dltrain.cli import Commands
from dltrain.commands.lazy import load_command
from dltrain.errors import DataError

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]

HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib", "tokenizers", "pooch", "pyarrow")


def test_the_version_is_printed(dltrain: Cli) -> None:
    assert dltrain("--version") == Result(0, f"dltrain {package.__version__}\n", "")


def test_help_names_every_command(dltrain: Cli) -> None:
    result = dltrain("--help")
    assert result.code == 0
    for command in ("fit", "smoke", "eval", "check", "describe", "runs", "data"):
        assert f"│ {command} " in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())


def test_no_command_shows_the_help(dltrain: Cli) -> None:
    result = dltrain()
    assert result.code == 2
    assert "Usage: dltrain [OPTIONS] COMMAND [ARGS]..." in result.out + result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "Error: No such command 'trian'."),
        (["check"], "Error: Missing argument 'CONFIG'."),
        (["fit"], "error: Expected a CONFIG to train, or --resume RUN to go on with a run.\n"),
        (["fit", "--epoch", "3"], "Error: No such option: --epoch"),
        (["fit", "a.yaml", "--device", "tpu"], "'tpu' is not one of 'auto', 'cpu', 'gpu'."),
        (["fit", "a.yaml", "--seed", "x"], "Invalid value for '--seed'"),
        (["eval", "a", "--split", "all"], "'all' is not one of 'test', 'validation', 'train'."),
    ],
)
def test_a_wrong_command_line_exits_2(dltrain: Cli, arguments: list[str], message: str) -> None:
    result = dltrain(*arguments)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_defect_shows_its_traceback_and_where_to_report_it(
    dltrain: Cli, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dltrain.commands import fit

    def fail(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("made by a test")

    monkeypatch.setattr(fit, "load_config", fail)
    result = dltrain("fit", write_config())
    assert result.code == 1
    assert "Traceback (most recent call last):" in result.err
    assert "ZeroDivisionError: made by a test" in result.err
    assert result.err.endswith(
        f"\nThis is a defect of dltrain {package.__version__}, not of your config. Please report "
        "it with the lines above: https://github.com/dltrain/dltrain/issues\n"
    )


@pytest.mark.parametrize("flag", [[], ["-v"], ["--verbose"]])
def test_a_foreseen_error_shows_its_traceback_with_v_only(
    dltrain: Cli, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch, flag: list[str]
) -> None:
    from dltrain.commands import fit

    def fail(*arguments: object, **options: object) -> None:
        raise DataError("no data.", hint="Fetch it.")

    monkeypatch.setattr(fit, "load_config", fail)
    result = dltrain("fit", write_config(), *flag)
    assert result.code == 3
    assert result.err.endswith("error: no data.\nFetch it.\n")
    assert ("Traceback" in result.err) == bool(flag)


def test_light_commands_import_nothing_heavy(workplace: Path, write_config: WriteConfig) -> None:
    commands = [["--help"], ["fit", "--help"], ["check", str(write_config())], ["runs"]]
    commands += [["describe"], ["describe", "dropout", "--lang", "zh"], ["data", "list"]]
    commands += [["check", "absent.yaml"], ["eval", "absent"]]
    commands += [["diff", str(write_config()), str(write_config())]]
    commands += [["schema", "--output", "a.json"], ["init", "--output", "a.yaml"]]
    program = (
        "import sys\n"
        "from dltrain.cli import run\n"
        f"codes = [run(command) for command in {commands!r}]\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print(codes, heavy)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] == "[0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0] []", done.stderr


@pytest.mark.parametrize("name", sorted(Commands.table))
def test_the_table_of_commands_says_what_each_command_says(name: str) -> None:
    entry = Commands.table[name]
    help_text = load_command(name, entry).help
    assert help_text is not None
    assert " ".join(help_text.split("\n\n")[0].split()) == entry.summary


def test_help_imports_no_command_and_check_no_other(
    workplace: Path, write_config: WriteConfig
) -> None:
    program = (
        "import sys\n"
        "from dltrain.cli import run\n"
        "code = run(sys.argv[1:])\n"
        "print(code, sorted(name for name in sys.modules if name.startswith('dltrain.commands.')))"
    )
    for arguments, mine in ((["--help"], set()), (["check", str(write_config())], {"check"})):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        last = done.stdout.splitlines()[-1]
        imported = {
            name
            for name in ("check", "data", "eval", "fit", "init", "runs", "schema", "smoke")
            if f"'dltrain.commands.{name}'" in last
        }
        assert imported == mine
        assert last.startswith("0 ")


@pytest.mark.parametrize(("command", "collects"), [("check", False), ("eval", True)])
def test_garbage_is_collected_by_commands_that_take_long(
    workplace: Path, write_config: WriteConfig, command: str, collects: bool
) -> None:
    program = (
        "import gc, os, sys\n"
        "from dltrain import cli\n"
        "os._exit = lambda code: print(gc.isenabled())\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, command, str(write_config())],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == str(collects)


def test_check_asks_no_package_for_plugins(workplace: Path, write_config: WriteConfig) -> None:
    program = (
        "import os, sys\n"
        "from dltrain import cli\n"
        "os._exit = lambda code: print('importlib.metadata' in sys.modules)\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "check", str(write_config())],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_output_into_a_closed_pipe_says_nothing(workplace: Path) -> None:
    program = "from dltrain.cli import main; main()"
    command = f"{sys.executable} -c '{program}' data list | true"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
