"""Run `python -m dltrain` as `dltrain`."""

from dltrain.cli import main

main()
