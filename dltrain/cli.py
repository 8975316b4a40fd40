"""Which commands are there, and how do errors become a message and an exit code?"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import traceback
from typing import Annotated, ClassVar

import typer

import dltrain
from dltrain.commands.lazy import Entry, LazyGroup
from dltrain.errors import ConfigError, DltrainError, MachineError
from dltrain.startup import pause_garbage_collection, skip_pydantic_plugins

ISSUES = "https://github.com/dltrain/dltrain/issues"

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Commands(LazyGroup):
    """The commands: where each is, and the first line of its docstring, for `--help`."""

    table: ClassVar[dict[str, Entry]] = {
        "fit": Entry(
            "dltrain.commands.fit:fit",
            "Train the model of CONFIG, keep the best, and evaluate it on validation and test.",
        ),
        "smoke": Entry(
            "dltrain.commands.smoke:smoke",
            "Try configs whole, on few rows and with no network: train, interrupt, resume, "
            "evaluate.",
        ),
        "sweep": Entry(
            "dltrain.commands.sweep:app",
            "Search for the best of what the `sweep:` of CONFIG lets vary: `dltrain sweep CONFIG`.",
        ),
        "eval": Entry(
            "dltrain.commands.eval:evaluate",
            "Evaluate the best model of RUN: accuracy, precision, recall, F1, AUC-ROC, or the "
            "errors.",
        ),
        "explain": Entry(
            "dltrain.commands.explain:explain",
            "Explain what the model of RUN predicts: which pixels, words or columns speak for it.",
        ),
        "predict": Entry(
            "dltrain.commands.predict:predict",
            "Predict new inputs with the best model of RUN: images, texts, tables, or a stream.",
        ),
        "export": Entry(
            "dltrain.commands.export:export",
            "Export the best model of RUN, preprocessing inside, and check it by its own runtime.",
        ),
        "plot": Entry(
            "dltrain.commands.plot:plot",
            "Draw the pictures of RUN again: curves, confusion, ROC, calibration, mistakes.",
        ),
        "report": Entry(
            "dltrain.commands.report:report",
            "Write report.html of RUN: one file with its numbers, charts, mistakes and config.",
        ),
        "check": Entry(
            "dltrain.commands.check:check",
            "Check CONFIG: every problem with its line, its layers, and what would train badly.",
            brief=True,
        ),
        "init": Entry(
            "dltrain.commands.init:init",
            "Print a config to start from, with comments that say what each key means.",
            brief=True,
        ),
        "schema": Entry(
            "dltrain.commands.schema:schema",
            "Print the JSON Schema of configs, with which editors complete and underline.",
            brief=True,
        ),
        "describe": Entry(
            "dltrain.commands.describe:describe",
            "Explain a key of the config, a Keras name or an idea.",
            brief=True,
        ),
        "diff": Entry(
            "dltrain.commands.diff:diff",
            "Show in what the configs A and B differ, by meaning: defaults and blocks are "
            "resolved.",
            brief=True,
        ),
        "compare": Entry(
            "dltrain.commands.compare:compare",
            "Compare runs: numbers, whether they differ by more than chance, configs, cost.",
        ),
        "runs": Entry(
            "dltrain.commands.runs:runs",
            "List the runs, newest first: status, headline metric, epochs, time.",
            brief=True,
        ),
        "show": Entry(
            "dltrain.commands.show:show",
            "Show how RUN went: its state, its curve, its results, and what is to know about them.",
            brief=True,
        ),
        "data": Entry("dltrain.commands.data:app", "List, fetch, add and show datasets."),
    }


app = typer.Typer(
    name="dltrain",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, evaluate and compare Keras models described in one YAML file.",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"dltrain {dltrain.__version__}")
        raise typer.Exit


# Eager and with a callback of its own: otherwise a command is asked for first.
@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; never returns."""
    pause_garbage_collection()
    skip_pydantic_plugins()
    for stream in (sys.stdout, sys.stderr):
        # An ASCII locale can't write R² or 8×8: a question mark is better than a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if os.environ.keys() & {"GITHUB_ACTIONS", "PY_COLORS"} and not os.environ.get("FORCE_COLOR"):
        from typer import rich_utils

        # Typer colours its help for these even in a file; Rich itself asks for a terminal.
        rich_utils.FORCE_TERMINAL = None
    code = run(sys.argv[1:])
    # Taking the interpreter down costs a second or more with TensorFlow, a tenth of `check`'s
    # time without, and nothing of it is needed.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors go to stderr."""
    verbose = "-v" in arguments or "--verbose" in arguments
    try:
        result = typer.main.get_command(app).main(
            args=arguments, prog_name="dltrain", standalone_mode=False
        )
    except SystemExit as end:
        # Typer makes code 1 of a pipe that broke; else the shell asked for completions, and has
        # them.
        return _leave_quietly() if _is_broken_pipe(end.__context__) else int(end.code or 0)
    except DltrainError as error:
        if verbose:
            traceback.print_exc()
        _print_error(error)
        return error.exit_code
    except typer.Abort:
        print("Interrupted.", file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print("Interrupted before the training began.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return _leave_quietly()
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # the command line's own
            error.show()
            return int(error.exit_code)
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            _discard_stdout()
            what = error.filename or "The output"
            print(f"error: {what} can't be written: {error.strerror}.", file=sys.stderr)
            return MachineError.exit_code
        traceback.print_exc()
        print(
            f"\nThis is a defect of dltrain {dltrain.__version__}, not of your config. "
            f"Please report it with the lines above: {ISSUES}",
            file=sys.stderr,
        )
        return 1
    return int(result or 0)


def _is_broken_pipe(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _leave_quietly() -> int:
    """Return the code for a reader of our output that went away (`dltrain runs | head`)."""
    _discard_stdout()
    return 128 + signal.SIGPIPE


def _discard_stdout() -> None:
    """Lead stdout nowhere, so that Python's own flush at the end doesn't fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_error(error: DltrainError) -> None:
    if isinstance(error, ConfigError):
        from dltrain.commands.problem_view import print_problems

        count = len(error.problems)
        print_problems(error.problems)
        print(f"{count} problem{'' if count == 1 else 's'} in the config.", file=sys.stderr)
        return
    print(f"error: {error.message}", file=sys.stderr)
    if error.hint:
        print(error.hint, file=sys.stderr)


if __name__ == "__main__":
    main()
