"""Does checking a config stay clear of the libraries that take seconds to import?"""

from __future__ import annotations

import json
import subprocess
import sys

from config_problems import CONFIGS

HEAVY = ["tensorflow", "keras", "sklearn", "scipy", "matplotlib", "numpy"]


def test_command_line_and_config_import_nothing_heavy() -> None:
    program = f"""
import json, sys
from pathlib import Path
import dltrain.cli
after_cli = [name for name in {HEAVY} if name in sys.modules]
from dltrain.config.dump import dump_config
from dltrain.config.load import load_config
for path in {[str(path) for path in CONFIGS]}:
    dump_config(load_config(Path(path)).config)
print(json.dumps([after_cli, [name for name in {HEAVY} if name in sys.modules]]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == [[], []]
