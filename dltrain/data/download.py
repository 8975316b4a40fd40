"""How does one file come over HTTP so that it is the published one, or not there at all?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dltrain import __version__


@dataclass(frozen=True)
class Patience:
    """Say how long a server may keep us waiting.

    A single read may take `read_seconds`; over each `window_seconds` at least
    `least_bytes_per_second` must arrive: a trickle would otherwise hold a CI job for hours.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    window_seconds: float = 60.0
    least_bytes_per_second: float = 1024.0


class DownloadError(Exception):
    """One address failed; the text says why, in a few words."""


def download_file(
    url: str,
    target: Path,
    *,
    digest: str | None,
    patience: Patience,
    report: Callable[[int, int | None], None],
) -> None:
    """Fetch `url` into a temporary file beside `target`, check it, and rename it to `target`.

    `digest` is `md5:HEX` or `sha256:HEX`; None: nothing but its length is known of it.
    `report` is called with the bytes done and the total, if known. Raises DownloadError if the
    address fails or gives other content than `digest`, and OSError if the disk is full.
    """
    import logging

    import pooch
    import requests
    import urllib3

    # Every word to the user goes through Progress.
    pooch.get_logger().setLevel(logging.ERROR)

    def stream_to(address: str, output: str | IO[bytes], _pooch: object) -> None:
        if isinstance(output, str | Path):
            with Path(output).open("wb") as file:
                _stream(address, file, patience=patience, report=report)
        else:
            _stream(address, output, patience=patience, report=report)

    try:
        pooch.retrieve(
            url,
            known_hash=digest,
            fname=target.name,
            path=target.parent,
            downloader=stream_to,
        )
    except requests.HTTPError as error:
        answer = error.response
        words = f"{answer.status_code} {answer.reason}" if answer is not None else str(error)
        raise DownloadError(f"the server says {words}") from error
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise DownloadError("the server doesn't answer in time") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise DownloadError(_first_cause(error)) from error
    except ValueError as error:  # pooch's word for a wrong hash, with nothing more precise
        expected = str(digest).replace(":", " ")
        raise DownloadError(f"wrong content: its checksum is not {expected}") from error


def _stream(
    url: str, file: IO[bytes], *, patience: Patience, report: Callable[[int, int | None], None]
) -> None:
    import requests

    with requests.get(
        url,
        stream=True,
        timeout=(patience.connect_seconds, patience.read_seconds),
        # Checksums are of the bytes as published, so no compression on the way.
        headers={"Accept-Encoding": "identity", "User-Agent": f"dltrain/{__version__}"},
    ) as response:
        response.raise_for_status()
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        done, window = 0, _Window(patience)
        # read1 returns what has arrived; read would wait on a trickle until its chunk is full.
        while chunk := response.raw.read1(256 * 1024, decode_content=False):
            file.write(chunk)
            done += len(chunk)
            window.check(done)
            report(done, total)
    if total is not None and done < total:
        raise DownloadError(f"the connection ended after {done:,} of {total:,} bytes")


class _Window:
    """Hold the speed of a download against the patience, one stretch of time after the other."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._began, self._done = time.monotonic(), 0

    def check(self, done: int) -> None:
        elapsed_seconds = time.monotonic() - self._began
        if elapsed_seconds < self._patience.window_seconds:
            return
        speed = (done - self._done) / elapsed_seconds
        if speed < self._patience.least_bytes_per_second:
            raise DownloadError(f"too slow: {speed:,.0f} bytes a second")
        self._began, self._done = time.monotonic(), done


def _first_cause(error: BaseException) -> str:
    """Return the innermost cause in words: requests wraps it in three layers of repr."""
    cause: Any = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    text = str(cause)
    if "IncompleteRead" in text or "incomplete" in text.lower():
        return f"the connection ended early: {text}"
    return text or type(cause).__name__
