"""What a web server on this machine answers: all, a part, nothing, or too slowly."""

from __future__ import annotations

import dataclasses
import http.server
import time
from collections.abc import Callable

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def whole(content: bytes) -> Answer:
    """Answer with all of `content`."""
    return lambda request: _send(request, content, content)


def cut(content: bytes, after: int) -> Answer:
    """Promise all of `content`, send the first `after` bytes, and hang up."""
    return lambda request: _send(request, content, content[:after])


def missing(request: http.server.BaseHTTPRequestHandler) -> None:
    """Answer 404."""
    request.send_error(404)


def trickle(content: bytes, *, pause_seconds: float = 0.02) -> Answer:
    """Send one byte after the other."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        _send(request, content, b"")
        for byte in content:
            request.wfile.write(bytes([byte]))
            request.wfile.flush()
            time.sleep(pause_seconds)

    return answer


def silent(seconds: float) -> Answer:
    """Accept the request and say nothing for `seconds`."""
    return lambda request: time.sleep(seconds)


def _send(request: http.server.BaseHTTPRequestHandler, promised: bytes, sent: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(promised)))
    request.end_headers()
    request.wfile.write(sent)


@dataclasses.dataclass
class Server:
    """Serve `answers`, by path; `asked` lists the paths asked for."""

    url: str
    answers: dict[str, Answer]
    asked: list[str]
