"""Who writes checkpoints while the training goes on? One thread, one checkpoint at a time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from dltrain.runs.checkpoint import Checkpoint, write_checkpoint


class CheckpointWriter:
    """Write checkpoints to `folder` in the background; what fails there is raised here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written_seconds = 0.0
        """How long the training waited for writing, in all."""
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def write(self, checkpoint: Checkpoint) -> None:
        """Begin to write `checkpoint`, once the one before is on the disk.

        Raises what the one before raised: MachineError if the disk is full.
        """
        self.wait()

        def work() -> None:
            try:
                write_checkpoint(self.folder, checkpoint)
            except BaseException as error:
                self._error = error

        # No daemon: the process doesn't end before a checkpoint that was begun is written.
        self._thread = threading.Thread(target=work, name="checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Return when all is on the disk. Raises what the writing raised."""
        begun = time.perf_counter()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.written_seconds += time.perf_counter() - begun
        if self._error is not None:
            error, self._error = self._error, None
            raise error
