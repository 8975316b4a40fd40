"""Is TensorFlow's chatter held back, and nothing else?"""

from __future__ import annotations

import os

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
