"""Does a damaged file, bytes that are no text among it, end in dltrain's own errors?"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from config_problems import CONFIGS, Write

from dltrain.config.dump import dump_config
from dltrain.config.load import load_config
from dltrain.errors import ConfigError, UsageError


def _must_end_well(path: Path, write: Write) -> bool:
    """Load `path`; return whether it was valid. Any other exception than dltrain's fails."""
    try:
        loaded = load_config(path)
    except (ConfigError, UsageError) as error:
        shown = str(error)
        assert shown.encode(), "a problem must be one that a terminal can show"
        return False
    again = load_config(write(dump_config(loaded.config), "again.yaml"))
    assert dump_config(again.config) == dump_config(loaded.config)
    return True


@pytest.mark.parametrize("config", CONFIGS[:4], ids=lambda path: path.stem)
def test_damaged_text_ends_in_a_problem_or_a_valid_result(config: Path, write: Write) -> None:
    rng = random.Random(config.stem)
    raw = config.read_bytes()
    for _ in range(30):
        damaged = bytearray(raw)
        for _ in range(rng.choice([1, 3, 10])):
            at = rng.randrange(len(damaged))
            damaged[at : at + rng.choice([0, 1, 5])] = rng.choice(
                [
                    b"",
                    b"{",
                    b"]",
                    b":",
                    b"&a ",
                    b"*a",
                    b"\t",
                    b"\0",
                    b"\xff",
                    b"'",
                    b"%",
                    b"|",
                    b"- ",
                ]
            )
        _must_end_well(write(bytes(damaged)), write)
