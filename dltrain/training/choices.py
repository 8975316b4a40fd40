"""Which way of training is the fastest here? Rows on the device or streamed, XLA or not.

Where rows lie never changes a number of the run. XLA does, in the last bits: it is chosen by the
size of an epoch alone, never by a measurement, so that a seed gives the same run on every day.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Literal

InputPath = Literal["device", "stream"]

XlaPart = Literal["step", "update", "nothing"]
"""What XLA compiles: whole steps, the optimizer's update of the variables alone, or nothing."""

# Compiling the update takes some 0.3 s, once, and takes 0.2 ms or more off each step. An epoch of
# fewer steps than this is so short that a training of it would hardly earn that back.
_STEPS_WORTH_COMPILING = 100

# Rows on the device may take this share of the memory that is free there.
_DEVICE_SHARE = 0.25


def choose_input_path(
    asked: Literal["auto", "device", "stream"], *, data_bytes: int, device: str
) -> InputPath:
    """Return where rows lie: on the device if `data_bytes` are a small part of its free memory."""
    if asked != "auto":
        return asked
    free = free_memory_bytes() if device == "cpu" else _free_gpu_bytes()
    return "device" if data_bytes <= _DEVICE_SHARE * free else "stream"


def choose_xla(asked: Literal["auto"] | bool, *, steps_per_epoch: int, device: str) -> XlaPart:
    """Return what XLA compiles.

    On CPU the update alone, for any model: it is arithmetic number by number, which XLA does in
    one pass over the memory instead of ten. Whole steps gain nothing more where they are dense, and
    take several times as long with convolutions or dropout: docs/performance.md. On a GPU nothing,
    as XLA's fusions aren't the same from run to run there.
    """
    if asked != "auto":
        return "step" if asked else "nothing"
    if device != "cpu" or steps_per_epoch < _STEPS_WORTH_COMPILING:
        return "nothing"
    return "update"


def free_memory_bytes() -> int:
    """Return the memory that this process can still take: the system's, its cgroup's, its own."""
    candidates = [_meminfo("MemAvailable")]
    limit, used = (_read_number(Path("/sys/fs/cgroup") / name) for name in _CGROUP)
    if limit is not None and used is not None:
        candidates.append(max(0, limit - used))
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        candidates.append(max(0, most - _address_space_bytes()))
    known = [number for number in candidates if number is not None]
    return min(known) if known else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


_CGROUP = ("memory.max", "memory.current")


def _meminfo(key: str) -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    values = [int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:")]
    return values[0] if values else None


def _address_space_bytes() -> int:
    """Return what counts against RLIMIT_AS (Linux; 0 elsewhere)."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _read_number(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _free_gpu_bytes() -> int:
    """Return a GPU's memory, less what TensorFlow took; 8 GiB where that isn't told."""
    import tensorflow as tf

    used = int(tf.config.experimental.get_memory_info("GPU:0")["current"])
    devices = tf.config.list_physical_devices("GPU")
    details = tf.config.experimental.get_device_details(devices[0]) if devices else {}
    return int(details.get("memory_limit", 8 * 2**30)) - used
