"""Which commands are there, and how do errors become a message and an exit code?"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import traceback
from typing import Annotated

import typer

import dltrain
from dltrain.commands import check, data, describe, eval, fit, runs, smoke
from dltrain.errors import ConfigError, DltrainError, MachineError

ISSUES = "https://github.com/dltrain/dltrain/issues"

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

app = typer.Typer(
    name="dltrain",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, evaluate and compare Keras models described in one YAML file.",
)
app.command("fit")(fit.fit)
app.command("smoke")(smoke.smoke)
app.command("eval")(eval.evaluate)
app.command("check")(check.check)
app.command("describe")(describe.describe)
app.command("runs")(runs.runs)
app.add_typer(data.app, name="data")


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
    for stream in (sys.stdout, sys.stderr):
        # An ASCII locale can't write R² or 8×8: a question mark is better than a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if os.environ.keys() & {"GITHUB_ACTIONS", "PY_COLORS"} and not os.environ.get("FORCE_COLOR"):
        from typer import rich_utils

        # Typer colours its help for these even in a file; Rich itself asks for a terminal.
        rich_utils.FORCE_TERMINAL = None
    code = run(sys.argv[1:])
    if "tensorflow" in sys.modules:
        # Taking TensorFlow down takes a second or more, and nothing of it is needed.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors go to stderr."""
    verbose = "-v" in arguments or "--verbose" in arguments
    try:
        result = typer.main.get_command(app).main(
            args=arguments, prog_name="dltrain", standalone_mode=False
        )
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
        # The reader of our output went away (`dltrain runs | head`): nothing to say to anyone.
        _discard_stdout()
        return 128 + signal.SIGPIPE
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


def _discard_stdout() -> None:
    """Lead stdout nowhere, so that Python's own flush at the end doesn't fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_error(error: DltrainError) -> None:
    if isinstance(error, ConfigError):
        count = len(error.problems)
        for problem in error.problems:
            print(problem, file=sys.stderr)
        print(f"{count} problem{'' if count == 1 else 's'} in the config.", file=sys.stderr)
        return
    print(f"error: {error.message}", file=sys.stderr)
    if error.hint:
        print(error.hint, file=sys.stderr)


if __name__ == "__main__":
    main()
