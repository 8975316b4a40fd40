"""How does long work on data tell what it is doing, without printing?"""

from __future__ import annotations


class Progress:
    """Ignore every report; the commands derive one that shows them."""

    def note(self, text: str) -> None:
        """Take one sentence about what happens now."""

    def warn(self, text: str) -> None:
        """Take one sentence about what is not as it should be, and is gone on from."""
        self.note(f"warning: {text}")

    def advance(self, label: str, *, done_bytes: int, total_bytes: int | None) -> None:
        """Take how far a download is; `total_bytes` is None where the server doesn't say."""


SILENT = Progress()
