"""`dltrain check`: is a config right? Without TensorFlow, in a fraction of a second."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dltrain.commands.fit import ConfigArgument, SetOption
from dltrain.config.dump import dump_config
from dltrain.config.load import load_config


def check(
    config: ConfigArgument,
    overrides: SetOption = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print the whole config, defaults written out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check CONFIG and report every problem with its line."""
    loaded = load_config(config, overrides=overrides or ())
    if as_json:
        document = {
            "valid": True,
            "problems": [],
            "warnings": [vars(warning) for warning in loaded.warnings],
            "config": loaded.config.model_dump(mode="json"),
        }
        typer.echo(json.dumps(document, indent=2))
        return
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if resolved:
        typer.echo(dump_config(loaded.config), nl=False)
        return
    typer.echo(
        f"{config} is right: {len(loaded.layers)} layers for {loaded.info.name}, "
        f"loss {loaded.targets.loss['type']}, optimizer {loaded.config.optimizer['type']}."
    )
