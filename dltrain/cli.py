"""Which commands are there, and how do errors become a message and an exit code?"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer

import dltrain
from dltrain.commands import check, data, eval, fit, runs
from dltrain.errors import ConfigError, DltrainError

ISSUES = "https://github.com/dltrain/dltrain/issues"

app = typer.Typer(
    name="dltrain",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, evaluate and compare Keras models described in one YAML file.",
)
app.command("fit")(fit.fit)
app.command("eval")(eval.evaluate)
app.command("check")(check.check)
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
    sys.exit(run(sys.argv[1:]))


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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # the command line's own
            error.show()
            return int(error.exit_code)
        traceback.print_exc()
        print(
            f"\nThis is a defect of dltrain {dltrain.__version__}, not of your config. "
            f"Please report it with the lines above: {ISSUES}",
            file=sys.stderr,
        )
        return 1
    return int(result or 0)


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
