"""Is TensorFlow imported beside other work, quietly, and without what Keras doesn't need here?"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dltrain.training.engine import without_chatter

CHATTER = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1764036000.000000 1234 port.cc:153] oneDNN custom operations are on.",
    "2026-11-24 02:00:00.000000: I tensorflow/core/platform/cpu_feature_guard.cc:210] AVX2 FMA",
    "2026-11-24 02:00:00.000000: W tensorflow/core/op_kernel.cc:1857] OP_REQUIRES failed: Invalid",
    "\t [[{{node dense/MatMul}}]]",
    "2026-11-24 02:00:00.000000: E external/xla/cuda_platform.cc:51] failed call to cuInit: 303",
    "E0000 00:00:1764036000.1 12 cuda_dnn.cc:8310] Unable to register cuDNN factory: 1 exists",
]
ERRORS = [
    "2026-11-24 02:00:00.000000: E tensorflow/core/framework/op.cc:1] the op exploded",
    "F0000 00:00:1764036000.000000 1234 device.cc:12] Check failed: memory",
    "\t [[{{node dense/MatMul}}]]",
    "Segmentation fault",
]


def write_from_below_python(lines: list[str]) -> None:
    os.write(2, ("\n".join(lines) + "\n").encode())


def test_chatter_written_by_libraries_never_reaches_the_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with without_chatter():
        write_from_below_python(CHATTER)
    assert capfd.readouterr().err == ""


def test_real_errors_reach_the_terminal_in_their_order(capfd: pytest.CaptureFixture[str]) -> None:
    with without_chatter():
        write_from_below_python([CHATTER[0], *ERRORS[:3], CHATTER[1], ERRORS[3]])
    assert capfd.readouterr().err.splitlines() == ERRORS


def test_errors_are_shown_when_the_block_raises_and_stderr_is_whole_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        write_from_below_python(ERRORS)
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"), without_chatter():
        fail()
    write_from_below_python([CHATTER[1]])
    assert capfd.readouterr().err.splitlines() == [*ERRORS, CHATTER[1]]


IMPORT_IN_BACKGROUND = """
import sys
from dltrain.training.engine import begin_import, start_engine
begin_import(device="cpu")
import sklearn.metrics
print("said while it is imported", file=sys.stderr)
started = start_engine(device="cpu", precision="float32", seed=3)
kept = [name for name in ("matplotlib",) if name in sys.modules]  # scikit-learn takes pandas
import keras
from keras.src.wrappers import fixes
import matplotlib.pyplot  # it can be had as soon as somebody wants it
print(started.kind, kept, keras.backend.backend(), sys.stderr is sys.__stderr__)
"""


def test_the_import_runs_beside_others_and_leaves_out_what_keras_takes_for_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_IN_BACKGROUND], capture_output=True, text=True, check=False
    )
    assert done.stdout == "cpu [] tensorflow True\n", done.stderr
    assert done.stderr == "said while it is imported\n"


def test_keras_brings_none_of_what_it_takes_where_it_is_installed() -> None:
    program = (
        "import sys\n"
        "from dltrain.training.engine import start_engine\n"
        "start_engine(device='cpu', precision='float32', seed=3)\n"
        "print([name for name in ('matplotlib', 'pandas', 'sklearn') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_what_python_writes_meanwhile_arrives_at_once() -> None:
    program = (
        "import os, sys\n"
        "from dltrain.training.engine import without_chatter\n"
        "with without_chatter():\n"
        "    os.write(2, b'first, from below Python\\n')\n"
        "    print('second, from Python', file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == "second, from Python\nfirst, from below Python\n"


def test_no_garbage_is_sought_while_it_is_imported_nor_later_in_what_that_made() -> None:
    program = (
        "import gc\n"
        "from dltrain.training.engine import begin_import, start_engine\n"
        "before = sum(each['collections'] for each in gc.get_stats())\n"
        "begin_import(device='cpu')\n"
        "start_engine(device='cpu', precision='float32', seed=3)\n"
        "after = sum(each['collections'] for each in gc.get_stats())\n"
        "frozen = gc.get_freeze_count()\n"
        "start_engine(device='cpu', precision='float32', seed=4)\n"
        "print(after - before < 20, frozen > 100_000, gc.get_freeze_count() <= frozen)\n"
        "print(gc.isenabled())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True True True\nTrue\n"
